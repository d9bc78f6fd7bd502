//! Roles of one user or service account (contract 2.3, 3.9).

use super::{
    call::{Scene, message},
    delegation,
    problem::Problem,
    role_json, roles,
};
use crate::{
    grafana::{
        rows::{
            role_assignments::UserRole,
            roles::{Role, RoleKind},
        },
        state::{Tenant, role_assignments::DirectRole},
    },
    kit::answer::Answer,
};

/// GET `/access-control/users/{id}/roles`: without basic roles and roles of teams.
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let user = scene.path_number(0)?;
    let org = scene.target_org()?;
    scene.require("users.roles:read", &format!("users:id:{user}"))?;
    let (with_hidden, with_mapped) = (scene.is_set("includeHidden"), scene.is_set("includeMapped"));
    let tenant = &*scene.tenant;
    let applies = |row: &DirectRole<'_>| row.user_id == user && (row.org_id == org || row.org_id == 0);
    let rows = tenant.direct_roles().filter(applies).filter(|row| with_mapped || !row.mapped);
    let shown = rows
        .filter_map(|row| Some((tenant.role(org, row.role_uid)?, row.mapped)))
        .filter(|(role, _)| with_hidden || !role.hidden);
    Ok(Answer::ok(shown.map(|(role, mapped)| role_json::assigned(role, mapped, &tenant.switches)).collect()))
}

/// POST `/access-control/users/{id}/roles`
pub fn add(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let user = scene.path_number(0)?;
    scene.require("users.roles:add", "permissions:type:delegate")?;
    let mut fields = scene.fields()?;
    let uid = fields.required_text("roleUid")?;
    let global = fields.flag("global")?.unwrap_or_default();
    let org = scene.caller.org;
    require_user(scene.tenant, org, user)?;
    let role = roles::get(scene.tenant, org, &uid)?.clone();
    let done = message("Role added to the user.");
    if role.kind() == RoleKind::Basic {
        // The server returns 200 and does nothing (contract 3.9).
        return Ok(done);
    }
    delegation::require(scene, &role)?;
    let row =
        UserRole { org_id: assignment_org(&role, org, global)?, user_id: user, role_uid: uid, mapped: false };
    let status = scene.tenant.switches.repeated_user_assignment_status;
    if !scene.tenant.assign_to_user(row) && status >= 300 {
        return Err(Problem::switched(status, "the user already has this role"));
    }
    Ok(done)
}

/// PUT `/access-control/users/{id}/roles`: replaces the roles, except hidden and mapped ones (contract 3.5).
pub fn set(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let user = scene.path_number(0)?;
    let org = scene.target_org()?;
    scene.require("users.roles:add", "permissions:type:delegate")?;
    scene.require("users.roles:remove", "permissions:type:delegate")?;
    let mut fields = scene.fields()?;
    let uids = fields.texts("roleUids")?;
    let global = fields.flag("global")?.unwrap_or_default();
    let with_hidden = fields.flag("includeHidden")?.unwrap_or_default();
    require_user(scene.tenant, org, user)?;
    let mut requested = Vec::new();
    for uid in &uids {
        let role = roles::get(scene.tenant, org, uid)?.clone();
        if role.kind() != RoleKind::Basic {
            requested.push(UserRole {
                org_id: assignment_org(&role, org, global)?,
                user_id: user,
                role_uid: uid.clone(),
                mapped: false,
            });
        }
    }
    let row_org = if global { 0 } else { org };
    let tenant = &*scene.tenant;
    let hidden = |uid: &str| tenant.role(org, uid).is_some_and(|role| role.hidden);
    let (removed, kept): (Vec<UserRole>, Vec<UserRole>) =
        tenant.user_roles.iter().cloned().partition(|row| {
            row.user_id == user
                && row.org_id == row_org
                && !row.mapped
                && (with_hidden || !hidden(&row.role_uid))
                && !requested.contains(row)
        });
    let added = requested.iter().filter(|row| !tenant.user_roles.contains(row));
    for row in added.chain(&removed) {
        if let Some(role) = tenant.role(org, &row.role_uid) {
            delegation::require(scene, role)?;
        }
    }
    scene.tenant.user_roles = kept;
    for row in requested {
        scene.tenant.assign_to_user(row);
    }
    Ok(message("User roles have been updated."))
}

/// DELETE `/access-control/users/{id}/roles/{roleUID}`
pub fn remove(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let user = scene.path_number(0)?;
    let uid = scene.call.param(1).to_owned();
    scene.require("users.roles:remove", "permissions:type:delegate")?;
    let org = scene.caller.org;
    require_user(scene.tenant, org, user)?;
    let role = roles::get(scene.tenant, org, &uid)?.clone();
    let row_org = if scene.is_set("global") { 0 } else { org };
    let row = UserRole { org_id: row_org, user_id: user, role_uid: uid, mapped: false };
    if !scene.tenant.user_roles.contains(&row) {
        return match scene.tenant.switches.missing_user_assignment_status {
            200 => Ok(message("Role removed from user.")),
            status => Err(Problem::switched(status, "User role not found")),
        };
    }
    delegation::require(scene, &role)?;
    scene.tenant.user_roles.retain(|known| *known != row);
    Ok(message("Role removed from user."))
}

/// The organization of an assignment; 0 for a global one, which only global roles can have (contract 3.4).
fn assignment_org(role: &Role, org: i64, global: bool) -> Result<i64, Problem> {
    match (global, role.is_global()) {
        (false, _) => Ok(org),
        (true, true) => Ok(0),
        (true, false) => Err(Problem::bad_request("the role is not global")),
    }
}

fn require_user(tenant: &Tenant, org: i64, id: i64) -> Result<(), Problem> {
    match tenant.basic_role(id, org) {
        Some(_) => Ok(()),
        None => Err(Problem::not_found("user not found")),
    }
}
