//! `/v2/role-bindings` (contract 2.2).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    auth::Place,
    call::{Answer, Scene},
    ids::{Id, Kind},
    memberships,
    paging::Window,
    problem::Problem,
    roles,
    state::{Tenant, now},
    users,
};
use crate::kit::table::identified;

/// A role binding: a user has a role on a space or a project.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleBinding {
    /// Its identifier.
    pub id: Id,
    /// The role.
    pub role_id: Id,
    /// The human or bot user.
    pub user_id: Id,
    /// The space or project; which of the two shows in the identifier.
    pub resource_id: Id,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

identified!(RoleBinding, Id);

/// The binding of a user on a resource; there is one at most.
pub fn held(tenant: &Tenant, user: Id, resource: Id) -> Option<&RoleBinding> {
    tenant.role_bindings.iter().find(|binding| binding.user_id == user && binding.resource_id == resource)
}

/// Gives a user a role on a resource, in place of the one the user had there.
pub fn set(tenant: &mut Tenant, user: Id, resource: Id, role: Id) {
    match held(tenant, user, resource).map(|binding| binding.id) {
        Some(id) => {
            if let Some(binding) = tenant.role_bindings.get_mut(id) {
                binding.role_id = role;
            }
        }
        None => {
            add(tenant, user, resource, role);
        }
    }
}

fn add(tenant: &mut Tenant, user_id: Id, resource_id: Id, role_id: Id) -> RoleBinding {
    let created_at = now();
    let id = tenant.issue(Kind::RoleBinding);
    let binding = RoleBinding { id, role_id, user_id, resource_id, created_at, updated_at: created_at };
    tenant.role_bindings.insert(binding.clone());
    binding
}

/// GET `/v2/role-bindings`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let tenant = &*scene.tenant;
    let window = Window::of("role_bindings", scene.call, &tenant.switches)?;
    let kind = match scene.call.parameter("resource_type") {
        Some(text) => resource_kind(text).ok_or_else(|| Problem::invalid("unknown resource_type"))?,
        None => return Err(Problem::invalid("resource_type is required")),
    };
    let user = scene.call.parameter("user_id").map(|text| scene.id(text, Kind::User)).transpose()?;
    if user.is_some_and(|id| users::live(tenant, id).is_none()) {
        return Err(Problem::not_found("user"));
    }
    let everything = tenant.switches.before_1140();
    let rows = tenant.role_bindings.after(window.after);
    let rows = rows
        .filter(|binding| binding.resource_id.kind == kind)
        .filter(|binding| user.is_none_or(|user| binding.user_id == user))
        .filter(|binding| everything || readable(scene, binding));
    Ok(window.page(rows.map(|binding| (binding.id, Some(wire(binding))))))
}

/// GET `/v2/role-bindings/{binding_id}`
pub fn get(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let binding = found(scene, &["ROLE_BINDING_READ"])?;
    Ok(Answer::ok(wire(&binding)))
}

/// POST `/v2/role-bindings`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut fields = scene.fields()?;
    let role = fields.required_text("role_id")?;
    let user = fields.required_text("user_id")?;
    let resource_type = fields.required_text("resource_type")?;
    let resource = fields.required_text("resource_id")?;
    fields.end()?;
    let kind =
        resource_kind(&resource_type).ok_or_else(|| Problem::unprocessable("unknown resource_type"))?;
    let role = scene.id(&role, Kind::Role)?;
    let user = scene.id(&user, Kind::User)?;
    let resource = scene.id(&resource, kind)?;

    // Also the answer for a resource that does not exist, or that the caller cannot see.
    scene.require("ROLE_BINDING_CREATE", Place::Resource(resource))?;
    if users::live(scene.tenant, user).is_none() {
        return Err(Problem::not_found("user"));
    }
    if roles::live(scene.tenant, role).is_none() {
        return Err(Problem::not_found("role"));
    }
    if held(scene.tenant, user, resource).is_some() {
        return Err(Problem::conflict("the user has a role binding on this resource"));
    }
    Ok(Answer::created(wire(&add(scene.tenant, user, resource, role))))
}

/// PATCH `/v2/role-bindings/{binding_id}`
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut fields = scene.fields()?;
    let role = fields.required_text("role_id")?;
    fields.end()?;
    let role = scene.id(&role, Kind::Role)?;
    let id = found(scene, &["ROLE_BINDING_CREATE", "ROLE_BINDING_DELETE"])?.id;
    if roles::live(scene.tenant, role).is_none() {
        return Err(Problem::not_found("role"));
    }
    let moves = scene.tenant.switches.binding_update_moves_updated_at;
    let binding = scene.tenant.role_bindings.get_mut(id).ok_or_else(|| Problem::not_found("role binding"))?;
    binding.role_id = role;
    if moves {
        binding.updated_at = now();
    }
    let (user, resource, answer) = (binding.user_id, binding.resource_id, wire(binding));
    memberships::follow_binding(scene.tenant, user, resource, Some(role));
    Ok(Answer::ok(answer))
}

/// DELETE `/v2/role-bindings/{binding_id}`
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let binding = found(scene, &["ROLE_BINDING_DELETE"])?;
    scene.tenant.role_bindings.remove(binding.id);
    memberships::follow_binding(scene.tenant, binding.user_id, binding.resource_id, None);
    Ok(Answer::none())
}

/// The binding named in the path. A caller who lacks one of the permissions gets 404, as if it were absent.
fn found(scene: &Scene<'_>, permissions: &[&str]) -> Result<RoleBinding, Problem> {
    let id = scene.path_id(0, Kind::RoleBinding)?;
    let allowed = |binding: &&RoleBinding| {
        let place = Place::Resource(binding.resource_id);
        permissions.iter().all(|permission| scene.may(permission, place))
    };
    let binding = scene.tenant.role_bindings.get(id).filter(allowed);
    binding.cloned().ok_or_else(|| Problem::not_found("role binding"))
}

/// Whether the caller may read bindings in the space of this one: the space counts, be the project in it
/// restricted or not.
fn readable(scene: &Scene<'_>, binding: &RoleBinding) -> bool {
    let space = scene.tenant.space_of(binding.resource_id);
    space.is_some_and(|space| scene.may("ROLE_BINDING_READ", Place::Resource(space)))
}

fn resource_kind(resource_type: &str) -> Option<Kind> {
    match resource_type {
        "SPACE" => Some(Kind::Space),
        "PROJECT" => Some(Kind::Model),
        _ => None,
    }
}

fn wire(binding: &RoleBinding) -> Value {
    let resource_type = if binding.resource_id.kind == Kind::Space { "SPACE" } else { "PROJECT" };
    json!({
        "id": binding.id,
        "role_id": binding.role_id,
        "user_id": binding.user_id,
        "resource_type": resource_type,
        "resource_id": binding.resource_id,
        "created_at": binding.created_at,
        "updated_at": binding.updated_at,
    })
}
