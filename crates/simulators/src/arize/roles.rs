//! `/v2/roles` (contract 2.1).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    auth::Place,
    body,
    call::{Answer, Scene},
    ids::{Id, Kind},
    paging::Window,
    problem::Problem,
    state::{Tenant, now},
    switches::{DuplicatePermissions, PermissionOrder, RoleDeletion, Switches},
};
use crate::kit::table::identified;

/// What a role's name may have beside letters and digits.
const NAME_SIGNS: &str = " -_.,()[]'\"/:\\&@#$%!?+=";

/// A role.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Its identifier.
    pub id: Id,
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// What it permits, as sent.
    pub permissions: Vec<String>,
    /// Whether the vendor made it.
    #[serde(default)]
    pub is_predefined: bool,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
    /// When it was deleted; a deleted role is kept and not shown.
    #[serde(default)]
    pub deleted_at: Option<Timestamp>,
}

identified!(Role, Id);

/// The role of this identifier, unless it was deleted.
pub fn live(tenant: &Tenant, id: Id) -> Option<&Role> {
    tenant.roles.get(id).filter(|role| role.deleted_at.is_none())
}

/// GET `/v2/roles`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    require(scene, "ROLE_READ")?;
    let tenant = &*scene.tenant;
    let window = Window::of("roles", scene.call, &tenant.switches)?;
    let predefined = match scene.call.parameter("is_predefined") {
        None => None,
        Some("true") => Some(true),
        Some("false") => Some(false),
        Some(_) => return Err(Problem::invalid("is_predefined must be true or false")),
    };
    let rows = tenant.roles.after(window.after);
    let rows = rows
        .filter(|role| role.deleted_at.is_none())
        .filter(|role| predefined.is_none_or(|wanted| role.is_predefined == wanted));
    Ok(window.page(rows.map(|role| (role.id, Some(wire(role, &tenant.switches))))))
}

/// GET `/v2/roles/{role_id}`
pub fn get(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = scene.path_id(0, Kind::Role)?;
    require(scene, "ROLE_READ")?;
    let role = live(scene.tenant, id).ok_or_else(|| Problem::not_found("role"))?;
    Ok(Answer::ok(wire(role, &scene.tenant.switches)))
}

/// POST `/v2/roles`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    require(scene, "ROLE_CREATE")?;
    let mut fields = scene.fields()?;
    let switches = &scene.tenant.switches;
    let name = fields.required_text("name")?;
    let permissions = fields.texts("permissions")?;
    let permissions = fields.required("permissions", permissions)?;
    let description = fields.text("description")?;
    fields.end()?;
    let name = valid_name(name)?;
    let permissions = valid_permissions(permissions, switches)?;
    let description = valid_description(description, switches)?;
    name_is_free(scene.tenant, &name, None)?;

    let created_at = now();
    let role = Role {
        id: scene.tenant.issue(Kind::Role),
        name,
        description,
        permissions,
        is_predefined: false,
        created_at,
        updated_at: created_at,
        deleted_at: None,
    };
    let answer = wire(&role, &scene.tenant.switches);
    scene.tenant.roles.insert(role);
    Ok(Answer::created(answer))
}

/// PATCH `/v2/roles/{role_id}`
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = scene.path_id(0, Kind::Role)?;
    require(scene, "ROLE_UPDATE")?;
    let mut fields = scene.updated_fields()?;
    let switches = &scene.tenant.switches;
    let name = fields.text("name")?;
    let description = fields.clearable_text("description")?;
    let permissions = fields.texts("permissions")?;
    fields.end()?;
    let name = name.map(valid_name).transpose()?;
    let permissions = permissions.map(|sent| valid_permissions(sent, switches)).transpose()?;
    let description = description.map(|sent| valid_description(sent, switches)).transpose()?;
    custom(scene.tenant, id)?;
    if let Some(name) = &name {
        name_is_free(scene.tenant, name, Some(id))?;
    }

    let switches = scene.tenant.switches.clone();
    let role = scene.tenant.roles.get_mut(id).ok_or_else(|| Problem::not_found("role"))?;
    if let Some(name) = name {
        role.name = name;
    }
    if let Some(description) = description {
        role.description = description;
    }
    if let Some(permissions) = permissions {
        role.permissions = permissions;
    }
    role.updated_at = now();
    Ok(Answer::ok(wire(role, &switches)))
}

/// DELETE `/v2/roles/{role_id}`
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = scene.path_id(0, Kind::Role)?;
    require(scene, "ROLE_DELETE")?;
    custom(scene.tenant, id)?;
    let tenant = &mut *scene.tenant;
    if tenant.role_bindings.iter().any(|binding| binding.role_id == id) {
        match tenant.switches.role_deletion() {
            RoleDeletion::Refuse => {
                return Err(Problem::conflict("role bindings still reference the role"));
            }
            RoleDeletion::Cascade => tenant.role_bindings.retain(|binding| binding.role_id != id),
            RoleDeletion::LeaveBindings => {}
        }
    }
    if let Some(role) = tenant.roles.get_mut(id) {
        role.deleted_at = Some(now());
    }
    Ok(Answer::none())
}

/// Servers before 11.40 know no `ROLE_*` permissions and check none.
fn require(scene: &Scene<'_>, permission: &str) -> Result<(), Problem> {
    if scene.tenant.switches.before_1140() { Ok(()) } else { scene.require(permission, Place::Account) }
}

fn custom(tenant: &Tenant, id: Id) -> Result<(), Problem> {
    let role = live(tenant, id).ok_or_else(|| Problem::not_found("role"))?;
    if role.is_predefined {
        let status = tenant.switches.predefined_mutation_status;
        return Err(Problem::switched(status, "predefined roles cannot be changed or deleted"));
    }
    Ok(())
}

fn valid_name(name: String) -> Result<String, Problem> {
    let name = body::name(name, 255)?;
    let fits = |sign: char| sign.is_ascii_alphanumeric() || NAME_SIGNS.contains(sign);
    if name.chars().all(fits) {
        Ok(name)
    } else {
        Err(Problem::unprocessable("name has a character that role names may not have"))
    }
}

fn valid_permissions(sent: Vec<String>, switches: &Switches) -> Result<Vec<String>, Problem> {
    if sent.is_empty() {
        return Err(Problem::unprocessable("at least one permission is required"));
    }
    let mut kept: Vec<String> = Vec::with_capacity(sent.len());
    for permission in sent {
        if !switches.knows_permission(&permission) {
            return Err(Problem::unprocessable(format!("unknown permission {permission:?}")));
        }
        if kept.contains(&permission) {
            match switches.duplicate_permissions {
                DuplicatePermissions::Merge => continue,
                DuplicatePermissions::Keep => {}
                DuplicatePermissions::Refuse => {
                    return Err(Problem::unprocessable(format!("{permission} is named twice")));
                }
            }
        }
        kept.push(permission);
    }
    Ok(kept)
}

fn valid_description(sent: Option<String>, switches: &Switches) -> Result<Option<String>, Problem> {
    match sent {
        Some(text) if text.is_empty() && switches.empty_role_description_refused => {
            Err(Problem::unprocessable("description must not be empty"))
        }
        Some(text) => Ok(Some(body::description(text)?).filter(|text| !text.is_empty())),
        None => Ok(None),
    }
}

fn name_is_free(tenant: &Tenant, name: &str, but: Option<Id>) -> Result<(), Problem> {
    let switches = &tenant.switches;
    let same = |role: &Role| {
        if switches.role_names_case_sensitive {
            role.name == name
        } else {
            role.name.eq_ignore_ascii_case(name)
        }
    };
    let counts = |role: &&Role| {
        (switches.predefined_names_collide || !role.is_predefined)
            && (switches.deleted_role_names_stay_taken || role.deleted_at.is_none())
    };
    match tenant.roles.iter().filter(counts).find(|role| Some(role.id) != but && same(role)) {
        Some(_) => Err(Problem::conflict("a role of this name exists")),
        None => Ok(()),
    }
}

fn wire(role: &Role, switches: &Switches) -> Value {
    let mut permissions = role.permissions.clone();
    if role.is_predefined {
        permissions.retain(|permission| switches.knows_permission(permission));
        permissions.extend(switches.extra_permissions.iter().cloned());
    }
    match switches.permission_order {
        PermissionOrder::AsSent => {}
        PermissionOrder::Sorted => permissions.sort_unstable(),
        PermissionOrder::Reversed => permissions.sort_unstable_by(|a, b| b.cmp(a)),
    }
    let mut wire = json!({
        "id": role.id,
        "name": role.name,
        "permissions": permissions,
        "is_predefined": role.is_predefined,
        "created_at": role.created_at,
        "updated_at": role.updated_at,
    });
    if let Some(description) = &role.description {
        wire["description"] = description.as_str().into();
    }
    wire
}
