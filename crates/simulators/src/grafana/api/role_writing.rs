//! Creating, changing and deleting roles (contract 2.2, 3.1 to 3.8).

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::json;

use super::{
    body::Fields,
    call::{Scene, message},
    permission_checks,
    problem::Problem,
    role_json, roles,
};
use crate::{
    grafana::{
        rows::{
            permissions::Permission,
            roles::{Role, RoleKind},
            switches::{DuplicatePermissions, Generation, Switches},
        },
        state::{Kind, Tenant, builtin, now},
    },
    kit::answer::Answer,
};

/// The maximum number of characters of a name, a display name and a group (contract 3.2).
const MAX_NAME_LENGTH: usize = 190;

/// The maximum number of characters of a uid (contract 3.2).
const MAX_UID_LENGTH: usize = 40;

/// POST `/access-control/roles`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("roles:write", "permissions:type:delegate")?;
    let mut fields = scene.fields()?;
    let uid = fields.text("uid")?.filter(|uid| !uid.is_empty());
    let version = fields.number("version")?;
    let org_id = if fields.flag("global")?.unwrap_or_default() { 0 } else { scene.caller.org };
    let hidden = fields.flag("hidden")?.unwrap_or_default();
    let form = RoleForm::read(&mut fields, scene.tenant)?;

    let switches = &scene.tenant.switches;
    if RoleKind::of_name(&form.name) != RoleKind::Custom {
        return Err(protected(switches, "a role with a reserved name"));
    }
    if let Some(uid) = &uid {
        require_well_formed(uid)?;
        if switches.reserved_uids_are_refused && RoleKind::reserves_uid(uid) {
            return Err(protected(switches, "a role with a reserved uid"));
        }
    }
    form.require_valid_permissions(scene.tenant, org_id == 0)?;
    if !scene.caller.can_delegate(&form.permissions) {
        return Err(Problem::delegation());
    }
    require_free(scene.tenant, org_id, &form.name, uid.as_deref(), None)?;

    let version = match scene.tenant.switches.generation {
        Generation::V11 | Generation::V12 => version.unwrap_or_default(),
        Generation::V13 => 1,
    };
    let uid = uid.unwrap_or_else(|| scene.tenant.issue_uid());
    let created = now();
    let role = Role {
        id: scene.tenant.issue(Kind::Role),
        uid,
        org_id,
        version,
        name: form.name,
        display_name: form.display_name.unwrap_or_default(),
        description: form.description.unwrap_or_default(),
        group: form.group.unwrap_or_default(),
        hidden,
        permissions: form.permissions,
        created,
        updated: created,
    };
    let answer = role_json::full(scene, &role);
    scene.tenant.roles.insert(role);
    Ok(Answer::switched(scene.tenant.switches.create_status, answer))
}

/// PUT `/access-control/roles/{uid}`
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("roles:write", "permissions:type:delegate")?;
    let mut role = roles::get(scene.tenant, scene.caller.org, scene.call.param(0))?.clone();
    let mut fields = scene.fields()?;
    let version = fields.number("version")?.filter(|version| *version != 0);
    let global = fields.flag("global")?.unwrap_or_default();
    let hidden = fields.flag("hidden")?;
    let form = RoleForm::read(&mut fields, scene.tenant)?;

    let switches = scene.tenant.switches.clone();
    let is_basic = role.kind() == RoleKind::Basic;
    let is_changeable = matches!(role.kind(), RoleKind::Basic | RoleKind::Custom) && role.uid != "basic_none";
    if !is_changeable {
        return Err(protected(&switches, "this role"));
    }
    if switches.update_checks_global && global != role.is_global() {
        return Err(Problem::switched(switches.global_mismatch_status, "role not found"));
    }
    let kind_stays = RoleKind::of_name(&form.name) == role.kind() && (!is_basic || form.name == role.name);
    if !kind_stays {
        return Err(protected(&switches, "a role with a reserved name"));
    }
    form.require_valid_permissions(scene.tenant, role.is_global())?;
    if !scene.caller.can_delegate(role.permissions.iter().chain(&form.permissions)) {
        return Err(Problem::delegation());
    }
    require_free(scene.tenant, role.org_id, &form.name, None, Some(role.id))?;
    role.version = next_version(&role, version, &switches)?;

    let kept = |text: Option<String>, stored: String| match text {
        Some(text) => text,
        None if switches.absent_texts_clear => String::new(),
        None => stored,
    };
    role.name = form.name;
    role.display_name = kept(form.display_name, role.display_name);
    role.description = kept(form.description, role.description);
    role.group = kept(form.group, role.group);
    // The server ignores `hidden` on basic roles (contract 3.3).
    if !is_basic {
        role.hidden = hidden.unwrap_or(switches.absent_hidden_keeps && role.hidden);
    }
    role.permissions = form.permissions;
    role.updated = now();
    let answer = role_json::full(scene, &role);
    scene.tenant.roles.insert(role);
    Ok(Answer::ok(answer))
}

/// DELETE `/access-control/roles/{uid}`
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("roles:delete", "permissions:type:delegate")?;
    let role = roles::get(scene.tenant, scene.caller.org, scene.call.param(0))?.clone();
    let switches = &scene.tenant.switches;
    if role.kind() != RoleKind::Custom {
        return Err(protected(switches, "this role"));
    }
    if scene.is_set("global") != role.is_global() {
        return Err(Problem::switched(switches.global_mismatch_status, "role not found"));
    }
    if !scene.caller.can_delegate(&role.permissions) {
        return Err(Problem::delegation());
    }
    for permission in role.permissions.iter().filter(|_| role.is_global()) {
        permission_checks::require_allowed_globally(switches, permission)?;
    }
    if scene.tenant.is_assigned(&role.uid) && !scene.is_set("force") {
        let status = switches.assigned_role_status;
        return Err(Problem::switched(status, "the role is assigned, and force is not set"));
    }
    scene.tenant.drop_role(&role);
    Ok(message("Role deleted"))
}

/// POST `/access-control/roles/hard-reset`
pub fn hard_reset(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("roles:write", "permissions:type:escalate")?;
    if scene.fields()?.flag("basicRoles")?.unwrap_or_default() {
        for role in scene.tenant.roles.iter_mut().filter(|role| role.kind() == RoleKind::Basic) {
            role.permissions = builtin::of_basic_role(&role.uid);
            role.version += 1;
            role.updated = now();
        }
    }
    Ok(message("Reset performed"))
}

/// POST `/admin/provisioning/access-control/reload`. Changes nothing: there are no provisioning files.
pub fn reload(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("provisioning:reload", "provisioners:accesscontrol")?;
    Ok(Answer::new(StatusCode::ACCEPTED, json!({ "message": "Accesscontrol config reloaded" })))
}

/// The fields of a role in a request.
struct RoleForm {
    name: String,
    display_name: Option<String>,
    description: Option<String>,
    group: Option<String>,
    permissions: Vec<Permission>,
}

impl RoleForm {
    fn read(fields: &mut Fields, tenant: &Tenant) -> Result<Self, Problem> {
        let name = fields.required_text("name")?;
        let display_name = fields.text("displayName")?;
        let group = fields.text("group")?;
        for text in [Some(&name), display_name.as_ref(), group.as_ref()].into_iter().flatten() {
            if text.chars().count() > MAX_NAME_LENGTH {
                return Err(Problem::bad_request(format!("names have at most {MAX_NAME_LENGTH} characters")));
            }
        }
        let mut permissions = Vec::new();
        let mut unique = BTreeSet::new();
        for item in fields.list("permissions")? {
            let mut item = Fields::of_value(item)?;
            let permission = Permission {
                action: item.text("action")?.unwrap_or_default(),
                scope: item.text("scope")?.unwrap_or_default(),
            };
            if unique.insert(permission.clone()) {
                permissions.push(permission);
                continue;
            }
            match tenant.switches.duplicate_permissions {
                DuplicatePermissions::Merge => {}
                DuplicatePermissions::Refuse => {
                    return Err(Problem::bad_request("a permission occurs twice"));
                }
                DuplicatePermissions::Fail => {
                    return Err(Problem::legacy(
                        StatusCode::INTERNAL_SERVER_ERROR,
                        "UNIQUE constraint failed",
                    ));
                }
            }
        }
        Ok(Self { name, display_name, description: fields.text("description")?, group, permissions })
    }

    fn require_valid_permissions(&self, tenant: &Tenant, is_global: bool) -> Result<(), Problem> {
        for permission in &self.permissions {
            permission_checks::require_valid(tenant, permission)?;
            if is_global {
                permission_checks::require_allowed_globally(&tenant.switches, permission)?;
            }
        }
        Ok(())
    }
}

/// Ends the call unless the uid has the form of contract 3.2.
fn require_well_formed(uid: &str) -> Result<(), Problem> {
    let fits = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '_' | '-');
    if uid.len() <= MAX_UID_LENGTH && uid.chars().all(fits) {
        Ok(())
    } else {
        Err(Problem::bad_request(format!(
            "a uid has at most {MAX_UID_LENGTH} characters: letters, digits, _ and -"
        )))
    }
}

/// Ends the call if another role has the name in the organization, or the uid on the server (contract 3.2).
/// `except` is the role that is being changed.
fn require_free(
    tenant: &Tenant,
    org: i64,
    name: &str,
    uid: Option<&str>,
    except: Option<i64>,
) -> Result<(), Problem> {
    let mut others = tenant.roles.iter().filter(|role| Some(role.id) != except);
    let status = tenant.switches.duplicate_role_status;
    let taken =
        others.find(|role| (role.org_id == org && role.name == name) || uid == Some(role.uid.as_str()));
    match taken {
        None => Ok(()),
        Some(role) if uid == Some(role.uid.as_str()) => {
            Err(Problem::switched(status, "a role with this uid exists"))
        }
        Some(_) => Err(Problem::switched(status, "a role with this name exists")),
    }
}

/// The version after an update (contract 3.1). `sent` is the version of the request.
fn next_version(role: &Role, sent: Option<i64>, switches: &Switches) -> Result<i64, Problem> {
    let stored = role.version;
    match sent {
        None if switches.version_required => Err(Problem::switched(
            switches.stale_version_status,
            "the version of the role must be incremented",
        )),
        Some(sent) if sent < stored || (sent == stored && !switches.same_version_passes) => {
            Err(Problem::switched(
                switches.stale_version_status,
                format!(
                    "could not update the role {} ({}) from version {stored} to {sent}: \
                 the given version is smaller than or equal to the stored one",
                    role.name, role.uid
                ),
            ))
        }
        Some(sent) if switches.generation < Generation::V13 => Ok(sent.max(stored + 1)),
        _ => Ok(stored + 1),
    }
}

/// The error for changing a role that is not custom, or for using a reserved name or uid.
fn protected(switches: &Switches, what: &str) -> Problem {
    Problem::switched(switches.protected_role_status, format!("{what} cannot be created, changed or deleted"))
}
