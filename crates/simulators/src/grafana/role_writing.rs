//! Making, changing and deleting roles (contract 2.2, 3.1 to 3.8).

use std::collections::BTreeSet;

use axum::http::StatusCode;
use serde_json::json;

use super::{
    body::Fields,
    builtin,
    call::{Answer, Scene, message},
    permissions::Permission,
    problem::Problem,
    registry,
    roles::{self, Role, RoleKind},
    state::{Kind, Tenant, now},
    switches::{DuplicatePermissions, Generation, Switches},
};

/// Characters of a name, a display name and a group (contract 3.2).
const LONGEST_NAME: usize = 190;

/// Characters of a uid (contract 3.2).
const LONGEST_UID: usize = 40;

/// POST `/access-control/roles`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("roles:write", "permissions:type:delegate")?;
    let mut fields = scene.fields()?;
    let uid = fields.text("uid")?.filter(|uid| !uid.is_empty());
    let version = fields.number("version")?;
    let org_id = if fields.flag("global")?.unwrap_or_default() { 0 } else { scene.caller.org };
    let hidden = fields.flag("hidden")?.unwrap_or_default();
    let sent = Sent::read(&mut fields, scene.tenant)?;

    let switches = &scene.tenant.switches;
    if RoleKind::of_name(&sent.name) != RoleKind::Custom {
        return Err(roles::protected(switches, "a role with a reserved name"));
    }
    if let Some(uid) = &uid {
        well_formed(uid)?;
        if RoleKind::reserves_uid(uid) {
            return Err(roles::protected(switches, "a role with a reserved uid"));
        }
    }
    sent.check(scene.tenant, org_id == 0)?;
    if !scene.caller.may_delegate(&sent.permissions) {
        return Err(Problem::delegation());
    }
    is_free(scene.tenant, org_id, &sent.name, uid.as_deref(), None)?;

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
        name: sent.name,
        display_name: sent.display_name.unwrap_or_default(),
        description: sent.description.unwrap_or_default(),
        group: sent.group.unwrap_or_default(),
        hidden,
        permissions: sent.permissions,
        created,
        updated: created,
    };
    let answer = scene.whole(&role);
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
    let sent = Sent::read(&mut fields, scene.tenant)?;

    let switches = scene.tenant.switches.clone();
    let is_basic = role.kind() == RoleKind::Basic;
    let can_change = matches!(role.kind(), RoleKind::Basic | RoleKind::Custom) && role.uid != "basic_none";
    if !can_change {
        return Err(roles::protected(&switches, "this role"));
    }
    if switches.update_checks_global && global != role.is_global() {
        return Err(Problem::switched(switches.global_mismatch_status, "role not found"));
    }
    let keeps_its_kind =
        RoleKind::of_name(&sent.name) == role.kind() && (!is_basic || sent.name == role.name);
    if !keeps_its_kind {
        return Err(roles::protected(&switches, "a role with a reserved name"));
    }
    sent.check(scene.tenant, role.is_global())?;
    if !scene.caller.may_delegate(role.permissions.iter().chain(&sent.permissions)) {
        return Err(Problem::delegation());
    }
    is_free(scene.tenant, role.org_id, &sent.name, None, Some(role.id))?;
    role.version = next_version(&role, version, &switches)?;

    let kept = |sent: Option<String>, stored: String| match sent {
        Some(text) => text,
        None if switches.absent_texts_clear => String::new(),
        None => stored,
    };
    role.name = sent.name;
    role.display_name = kept(sent.display_name, role.display_name);
    role.description = kept(sent.description, role.description);
    role.group = kept(sent.group, role.group);
    // The vendor ignores it on basic roles (contract 3.3).
    if !is_basic {
        role.hidden = hidden.unwrap_or(switches.absent_hidden_keeps && role.hidden);
    }
    role.permissions = sent.permissions;
    role.updated = now();
    let answer = scene.whole(&role);
    scene.tenant.roles.insert(role);
    Ok(Answer::ok(answer))
}

/// DELETE `/access-control/roles/{uid}`
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("roles:delete", "permissions:type:delegate")?;
    let role = roles::get(scene.tenant, scene.caller.org, scene.call.param(0))?.clone();
    let switches = &scene.tenant.switches;
    if role.kind() != RoleKind::Custom {
        return Err(roles::protected(switches, "this role"));
    }
    if scene.is_asked("global") != role.is_global() {
        return Err(Problem::switched(switches.global_mismatch_status, "role not found"));
    }
    if !scene.caller.may_delegate(&role.permissions) {
        return Err(Problem::delegation());
    }
    for permission in role.permissions.iter().filter(|_| role.is_global()) {
        registry::check_global(switches, permission)?;
    }
    let users = scene.tenant.user_roles.iter().map(|row| &row.role_uid);
    let teams = scene.tenant.team_roles.iter().map(|row| &row.role_uid);
    let groups = scene.tenant.group_mappings.iter().flat_map(|row| &row.role_uids);
    if users.chain(teams).chain(groups).any(|uid| *uid == role.uid) && !scene.is_asked("force") {
        let status = switches.assigned_role_status;
        return Err(Problem::switched(status, "the role is assigned, and force is not set"));
    }
    let tenant = &mut *scene.tenant;
    tenant.user_roles.retain(|row| row.role_uid != role.uid);
    tenant.team_roles.retain(|row| row.role_uid != role.uid);
    tenant.group_mappings.iter_mut().for_each(|row| row.role_uids.retain(|uid| *uid != role.uid));
    tenant.roles.remove(role.id);
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

/// POST `/admin/provisioning/access-control/reload`: there are no files to read here.
pub fn reload(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("provisioning:reload", "provisioners:accesscontrol")?;
    Ok(Answer::new(StatusCode::ACCEPTED, json!({ "message": "Accesscontrol config reloaded" })))
}

/// What a request says about a role.
struct Sent {
    name: String,
    display_name: Option<String>,
    description: Option<String>,
    group: Option<String>,
    permissions: Vec<Permission>,
}

impl Sent {
    fn read(fields: &mut Fields, tenant: &Tenant) -> Result<Self, Problem> {
        let name = fields.required_text("name")?;
        let display_name = fields.text("displayName")?;
        let group = fields.text("group")?;
        for text in [Some(&name), display_name.as_ref(), group.as_ref()].into_iter().flatten() {
            if text.chars().count() > LONGEST_NAME {
                return Err(Problem::bad_request(format!("names have at most {LONGEST_NAME} characters")));
            }
        }
        let mut permissions = Vec::new();
        let mut seen = BTreeSet::new();
        for item in fields.list("permissions")? {
            let mut item = Fields::of_value(item)?;
            let permission = Permission {
                action: item.text("action")?.unwrap_or_default(),
                scope: item.text("scope")?.unwrap_or_default(),
            };
            if seen.insert(permission.clone()) {
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

    fn check(&self, tenant: &Tenant, is_global: bool) -> Result<(), Problem> {
        for permission in &self.permissions {
            registry::check(tenant, permission)?;
            if is_global {
                registry::check_global(&tenant.switches, permission)?;
            }
        }
        Ok(())
    }
}

fn well_formed(uid: &str) -> Result<(), Problem> {
    let fits = |sign: char| sign.is_ascii_alphanumeric() || matches!(sign, '_' | '-');
    if uid.len() <= LONGEST_UID && uid.chars().all(fits) {
        Ok(())
    } else {
        Err(Problem::bad_request(format!(
            "a uid has at most {LONGEST_UID} characters: letters, digits, _ and -"
        )))
    }
}

fn is_free(
    tenant: &Tenant,
    org: i64,
    name: &str,
    uid: Option<&str>,
    but: Option<i64>,
) -> Result<(), Problem> {
    let mut others = tenant.roles.iter().filter(|role| Some(role.id) != but);
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

/// The version after an update (contract 3.1).
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
