//! `/v2/roles` (contract 2.1).

use serde_json::{Value, json};

use super::{body, call::Scene, paging::Window, problem::Problem};
use crate::{
    arize::{
        access::Target,
        rows::{
            ids::{Id, Kind},
            roles::Role,
            switches::{DuplicatePermissions, PermissionOrder, RoleDeletion, Switches},
        },
        state::{Tenant, now},
    },
    kit::answer::Answer,
};

/// Characters that role names can have besides ASCII letters and digits.
const NAME_PUNCTUATION: &str = " -_.,()[]'\"/:\\&@#$%!?+=";

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
        .filter(|role| predefined.is_none_or(|expected| role.is_predefined == expected));
    Ok(window.page(rows.map(|role| (role.id, Some(to_json(role, &tenant.switches))))))
}

/// GET `/v2/roles/{role_id}`
pub fn get(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = scene.path_id(0, Kind::Role)?;
    require(scene, "ROLE_READ")?;
    let role = scene.tenant.live_role(id).ok_or_else(|| Problem::not_found("role"))?;
    Ok(Answer::ok(to_json(role, &scene.tenant.switches)))
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
    let name = valid_name(name, switches)?;
    let permissions = valid_permissions(permissions, switches)?;
    let description = valid_description(description, switches)?;
    require_free_name(scene.tenant, &name, None)?;

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
    let answer = to_json(&role, &scene.tenant.switches);
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
    let name = name.map(|sent| valid_name(sent, switches)).transpose()?;
    let permissions = permissions.map(|sent| valid_permissions(sent, switches)).transpose()?;
    let description = description.map(|sent| valid_description(sent, switches)).transpose()?;
    require_custom(scene.tenant, id)?;
    if let Some(name) = &name {
        require_free_name(scene.tenant, name, Some(id))?;
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
    Ok(Answer::ok(to_json(role, &switches)))
}

/// DELETE `/v2/roles/{role_id}`
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = scene.path_id(0, Kind::Role)?;
    require(scene, "ROLE_DELETE")?;
    require_custom(scene.tenant, id)?;
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

/// Ends the call unless the caller has this permission. Servers before 11.40 do not know the `ROLE_*`
/// permissions, and do not check them.
fn require(scene: &Scene<'_>, permission: &str) -> Result<(), Problem> {
    if scene.tenant.switches.before_1140() { Ok(()) } else { scene.require(permission, Target::Account) }
}

/// Ends the call unless the role exists and is a custom role.
fn require_custom(tenant: &Tenant, id: Id) -> Result<(), Problem> {
    let role = tenant.live_role(id).ok_or_else(|| Problem::not_found("role"))?;
    if role.is_predefined {
        let status = tenant.switches.predefined_mutation_status;
        return Err(Problem::switched(status, "predefined roles cannot be changed or deleted"));
    }
    Ok(())
}

fn valid_name(name: String, switches: &Switches) -> Result<String, Problem> {
    let name = body::name(trimmed(name, switches), 255)?;
    let fits = |sign: char| sign.is_ascii_alphanumeric() || NAME_PUNCTUATION.contains(sign);
    if name.chars().all(fits) {
        Ok(name)
    } else {
        Err(Problem::unprocessable("name has a character that role names cannot have"))
    }
}

fn trimmed(text: String, switches: &Switches) -> String {
    if switches.role_texts_are_trimmed { text.trim().to_owned() } else { text }
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
                    return Err(Problem::unprocessable(format!("{permission} is in the list twice")));
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
        Some(text) => Ok(Some(body::description(trimmed(text, switches))?).filter(|text| !text.is_empty())),
        None => Ok(None),
    }
}

fn require_free_name(tenant: &Tenant, name: &str, except: Option<Id>) -> Result<(), Problem> {
    if tenant.role_name_is_taken(name, except) {
        return Err(Problem::conflict("a role with this name exists"));
    }
    Ok(())
}

fn to_json(role: &Role, switches: &Switches) -> Value {
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
    let mut body = json!({
        "id": role.id,
        "name": role.name,
        "permissions": permissions,
        "is_predefined": role.is_predefined,
        "created_at": role.created_at,
        "updated_at": role.updated_at,
    });
    if let Some(description) = &role.description {
        body["description"] = description.as_str().into();
    }
    body
}
