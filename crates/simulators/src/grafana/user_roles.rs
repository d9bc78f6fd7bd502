//! Roles of one user or service account (contract 2.3, 3.9).

use super::{
    call::{Answer, Scene, message},
    group_sync::HeldRole,
    holdings,
    problem::Problem,
    role_assignments::{self, UserRole},
    roles::{self, Role, RoleKind},
    state::Tenant,
};

/// GET `/access-control/users/{id}/roles`: direct ones only.
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let user = scene.path_number(0)?;
    let org = scene.target_org()?;
    scene.require("users.roles:read", &format!("users:id:{user}"))?;
    let (with_hidden, with_mapped) = (scene.is_asked("includeHidden"), scene.is_asked("includeMapped"));
    let tenant = &*scene.tenant;
    let counts = |row: &HeldRole<'_>| row.user_id == user && (row.org_id == org || row.org_id == 0);
    let rows = tenant.held_roles().filter(counts).filter(|row| with_mapped || !row.mapped);
    let shown = rows
        .filter_map(|row| Some((roles::find(tenant, org, row.role_uid)?, row.mapped)))
        .filter(|(role, _)| with_hidden || !role.hidden);
    Ok(Answer::ok(shown.map(|(role, mapped)| roles::assigned(role, mapped, &tenant.switches)).collect()))
}

/// POST `/access-control/users/{id}/roles`
pub fn add(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let user = scene.path_number(0)?;
    scene.require("users.roles:add", "permissions:type:delegate")?;
    let mut fields = scene.fields()?;
    let uid = fields.required_text("roleUid")?;
    let global = fields.flag("global")?.unwrap_or_default();
    let org = scene.caller.org;
    known(scene.tenant, org, user)?;
    let role = roles::get(scene.tenant, org, &uid)?.clone();
    let done = message("Role added to the user.");
    if role.kind() == RoleKind::Basic {
        // The vendor says yes and does nothing (contract 3.9).
        return Ok(done);
    }
    role_assignments::may_hand_over(scene, &role)?;
    let row = UserRole { org_id: reach(&role, org, global)?, user_id: user, role_uid: uid, mapped: false };
    let status = scene.tenant.switches.repeated_user_assignment_status;
    if !role_assignments::add_to_user(scene.tenant, row) && status >= 300 {
        return Err(Problem::switched(status, "the user has this role already"));
    }
    Ok(done)
}

/// PUT `/access-control/users/{id}/roles`: the whole set, without hidden and mapped ones.
pub fn set(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let user = scene.path_number(0)?;
    let org = scene.target_org()?;
    scene.require("users.roles:add", "permissions:type:delegate")?;
    scene.require("users.roles:remove", "permissions:type:delegate")?;
    let mut fields = scene.fields()?;
    let uids = fields.texts("roleUids")?;
    let global = fields.flag("global")?.unwrap_or_default();
    let with_hidden = fields.flag("includeHidden")?.unwrap_or_default();
    known(scene.tenant, org, user)?;
    let mut wanted = Vec::new();
    for uid in &uids {
        let role = roles::get(scene.tenant, org, uid)?.clone();
        if role.kind() != RoleKind::Basic {
            wanted.push(UserRole {
                org_id: reach(&role, org, global)?,
                user_id: user,
                role_uid: uid.clone(),
                mapped: false,
            });
        }
    }
    let row_org = if global { 0 } else { org };
    let tenant = &*scene.tenant;
    let hidden = |uid: &str| roles::find(tenant, org, uid).is_some_and(|role| role.hidden);
    let (removed, kept): (Vec<UserRole>, Vec<UserRole>) =
        tenant.user_roles.iter().cloned().partition(|row| {
            row.user_id == user
                && row.org_id == row_org
                && !row.mapped
                && (with_hidden || !hidden(&row.role_uid))
                && !wanted.contains(row)
        });
    let added = wanted.iter().filter(|row| !tenant.user_roles.contains(row));
    for row in added.chain(&removed) {
        if let Some(role) = roles::find(tenant, org, &row.role_uid) {
            role_assignments::may_hand_over(scene, role)?;
        }
    }
    scene.tenant.user_roles = kept;
    for row in wanted {
        role_assignments::add_to_user(scene.tenant, row);
    }
    Ok(message("User roles have been updated."))
}

/// DELETE `/access-control/users/{id}/roles/{roleUID}`
pub fn remove(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let user = scene.path_number(0)?;
    let uid = scene.call.param(1).to_owned();
    scene.require("users.roles:remove", "permissions:type:delegate")?;
    let org = scene.caller.org;
    known(scene.tenant, org, user)?;
    let role = roles::get(scene.tenant, org, &uid)?.clone();
    let row_org = if scene.is_asked("global") { 0 } else { org };
    let row = UserRole { org_id: row_org, user_id: user, role_uid: uid, mapped: false };
    if !scene.tenant.user_roles.contains(&row) {
        return match scene.tenant.switches.missing_user_assignment_status {
            200 => Ok(message("Role removed from user.")),
            status => Err(Problem::switched(status, "User role not found")),
        };
    }
    role_assignments::may_hand_over(scene, &role)?;
    scene.tenant.user_roles.retain(|known| *known != row);
    Ok(message("Role removed from user."))
}

/// The organization of an assignment: none for a global one, which only global roles can have.
fn reach(role: &Role, org: i64, global: bool) -> Result<i64, Problem> {
    match (global, role.is_global()) {
        (false, _) => Ok(org),
        (true, true) => Ok(0),
        (true, false) => Err(Problem::bad_request("the role is not global")),
    }
}

fn known(tenant: &Tenant, org: i64, id: i64) -> Result<(), Problem> {
    match holdings::basic_role(tenant, id, org) {
        Some(_) => Ok(()),
        None => Err(Problem::not_found("user not found")),
    }
}
