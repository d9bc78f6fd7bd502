//! `/v2/role-bindings` (contract 2.2).

use serde_json::{Value, json};

use super::{call::Scene, paging::Window, problem::Problem};
use crate::{
    arize::{
        access::Target,
        rows::{ids::Kind, role_bindings::RoleBinding},
        state::{memberships, now, role_bindings},
    },
    kit::answer::Answer,
};

/// GET `/v2/role-bindings`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let tenant = &*scene.tenant;
    let window = Window::of("role_bindings", scene.call, &tenant.switches)?;
    let kind = match scene.call.parameter("resource_type") {
        Some(text) => resource_kind(text).ok_or_else(|| Problem::invalid("unknown resource_type"))?,
        None => return Err(Problem::invalid("resource_type is required")),
    };
    let user = scene.query_id("user_id", Kind::User)?;
    if user.is_some_and(|id| tenant.live_user(id).is_none()) {
        return Err(Problem::not_found("user"));
    }
    let is_unfiltered = tenant.switches.before_1140();
    let rows = tenant.role_bindings.after(window.after);
    let rows = rows
        .filter(|binding| binding.resource_id.kind == kind)
        .filter(|binding| user.is_none_or(|user| binding.user_id == user))
        .filter(|binding| is_unfiltered || readable(scene, binding));
    Ok(window.page(rows.map(|binding| (binding.id, Some(to_json(binding))))))
}

/// GET `/v2/role-bindings/{binding_id}`
pub fn get(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let binding = found(scene, &["ROLE_BINDING_READ"])?;
    Ok(Answer::ok(to_json(&binding)))
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

    // Also 403 for a resource that does not exist or that the caller cannot see (contract 6.5).
    scene.require("ROLE_BINDING_CREATE", Target::Resource(resource))?;
    if scene.tenant.live_user(user).is_none() {
        return Err(Problem::not_found("user"));
    }
    if scene.tenant.live_role(role).is_none() {
        return Err(Problem::not_found("role"));
    }
    if role_bindings::held(scene.tenant, user, resource).is_some() {
        return Err(Problem::conflict("the user already has a role binding on this resource"));
    }
    Ok(Answer::created(to_json(&role_bindings::add(scene.tenant, user, resource, role))))
}

/// PATCH `/v2/role-bindings/{binding_id}`
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut fields = scene.fields()?;
    let role = fields.required_text("role_id")?;
    fields.end()?;
    let role = scene.id(&role, Kind::Role)?;
    let id = found(scene, &["ROLE_BINDING_CREATE", "ROLE_BINDING_DELETE"])?.id;
    if scene.tenant.live_role(role).is_none() {
        return Err(Problem::not_found("role"));
    }
    let moves = scene.tenant.switches.binding_update_moves_updated_at;
    let binding = scene.tenant.role_bindings.get_mut(id).ok_or_else(|| Problem::not_found("role binding"))?;
    binding.role_id = role;
    if moves {
        binding.updated_at = now();
    }
    let (user, resource, answer) = (binding.user_id, binding.resource_id, to_json(binding));
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

/// The binding in the path. 404 also if the caller lacks one of the permissions.
fn found(scene: &Scene<'_>, permissions: &[&str]) -> Result<RoleBinding, Problem> {
    let id = scene.path_id(0, Kind::RoleBinding)?;
    let allowed = |binding: &&RoleBinding| {
        let place = Target::Resource(binding.resource_id);
        permissions.iter().all(|permission| scene.can(permission, place))
    };
    let binding = scene.tenant.role_bindings.get(id).filter(allowed);
    binding.cloned().ok_or_else(|| Problem::not_found("role binding"))
}

/// Whether the caller can read bindings in the space of this one, even if its project is restricted.
fn readable(scene: &Scene<'_>, binding: &RoleBinding) -> bool {
    let space = scene.tenant.space_of(binding.resource_id);
    space.is_some_and(|space| scene.can("ROLE_BINDING_READ", Target::Resource(space)))
}

fn resource_kind(resource_type: &str) -> Option<Kind> {
    match resource_type {
        "SPACE" => Some(Kind::Space),
        "PROJECT" => Some(Kind::Model),
        _ => None,
    }
}

fn to_json(binding: &RoleBinding) -> Value {
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
