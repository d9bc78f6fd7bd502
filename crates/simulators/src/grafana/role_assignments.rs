//! Who has a role: both directions of assignments, and the whole set of one role (contract 2.2, 3.9).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    call::{Answer, Scene},
    problem::Problem,
    registry,
    roles::{self, Role},
    state::Tenant,
};

/// A role of a user or a service account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserRole {
    /// The organization in which it counts; 0 for all.
    pub org_id: i64,
    /// The user or service account.
    pub user_id: i64,
    /// The role.
    pub role_uid: String,
    /// Whether group attribute sync made it: immune to these paths, shown on request only (contract 3.5). What
    /// the group mappings of the state bring is not stored here but worked out.
    #[serde(default)]
    pub mapped: bool,
}

/// A role of a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamRole {
    /// The organization.
    pub org_id: i64,
    /// The team.
    pub team_id: i64,
    /// The role.
    pub role_uid: String,
    /// As for users.
    #[serde(default)]
    pub mapped: bool,
}

/// GET `/access-control/roles/{uid}/assignments`
pub fn read(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("teams.roles:read", "teams:id:*")?;
    scene.require("users.roles:read", "users:id:*")?;
    let role = roles::get(scene.tenant, scene.caller.org, scene.call.param(0))?.clone();
    Ok(wire(scene.tenant, scene.caller.org, &role))
}

/// PUT `/access-control/roles/{uid}/assignments`: the whole set, in the caller's organization.
pub fn write(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    for action in ["users.roles:add", "users.roles:remove", "teams.roles:add", "teams.roles:remove"] {
        scene.require(action, "permissions:type:delegate")?;
    }
    let org = scene.caller.org;
    let role = roles::get(scene.tenant, org, scene.call.param(0))?.clone();
    let mut fields = scene.fields()?;
    let users = fields.numbers("users")?;
    let teams = fields.numbers("teams")?;
    let accounts = fields.numbers("service_accounts")?;
    may_hand_over(scene, &role)?;

    let tenant = &mut *scene.tenant;
    let anywhere = role.is_global() && tenant.switches.assignments_take_other_orgs;
    let user = |id: &i64| {
        tenant.users.contains(*id)
            && (anywhere || tenant.org_users.iter().any(|row| row.user_id == *id && row.org_id == org))
    };
    let account =
        |id: &i64| tenant.service_accounts.get(*id).is_some_and(|row| anywhere || row.org_id == org);
    let team = |id: &i64| tenant.teams.get(*id).is_some_and(|row| anywhere || row.org_id == org);
    if !users.iter().all(user) || !accounts.iter().all(account) || !teams.iter().all(team) {
        return Err(Problem::bad_request("could not verify that the given users exist"));
    }
    let wanted: BTreeSet<i64> = users.iter().chain(&accounts).copied().collect();
    let wanted_teams: BTreeSet<i64> = teams.iter().copied().collect();
    if wanted.len() < users.len() + accounts.len() || wanted_teams.len() < teams.len() {
        return Err(Problem::bad_request("an assignment occurs twice"));
    }

    let of_role = |uid: &str, row_org: i64, mapped: bool| uid == role.uid && row_org == org && !mapped;
    tenant
        .user_roles
        .retain(|row| !of_role(&row.role_uid, row.org_id, row.mapped) || wanted.contains(&row.user_id));
    tenant
        .team_roles
        .retain(|row| !of_role(&row.role_uid, row.org_id, row.mapped) || wanted_teams.contains(&row.team_id));
    for id in wanted {
        add_to_user(tenant, UserRole { org_id: org, user_id: id, role_uid: role.uid.clone(), mapped: false });
    }
    for id in wanted_teams {
        add_to_team(tenant, TeamRole { org_id: org, team_id: id, role_uid: role.uid.clone(), mapped: false });
    }
    Ok(wire(tenant, org, &role))
}

/// Whether the caller may assign this role, or take it from somebody (contract 3.6).
///
/// # Errors
/// 400 if the role cannot be assigned, 403 if it has a permission that the caller lacks.
pub fn may_hand_over(scene: &Scene<'_>, role: &Role) -> Result<(), Problem> {
    roles::assignable(role)?;
    for permission in
        role.permissions.iter().filter(|_| role.is_global() && role.kind() == roles::RoleKind::Custom)
    {
        registry::check_global(&scene.tenant.switches, permission)?;
    }
    if scene.caller.may_delegate(&role.permissions) { Ok(()) } else { Err(Problem::delegation()) }
}

/// Adds an assignment, unless there is one already.
pub fn add_to_user(tenant: &mut Tenant, row: UserRole) -> bool {
    let is_new = !tenant.user_roles.contains(&row);
    if is_new {
        tenant.user_roles.push(row);
    }
    is_new
}

/// Adds an assignment, unless there is one already.
pub fn add_to_team(tenant: &mut Tenant, row: TeamRole) {
    if !tenant.team_roles.contains(&row) {
        tenant.team_roles.push(row);
    }
}

fn wire(tenant: &Tenant, org: i64, role: &Role) -> Answer {
    let counts =
        |row: &&UserRole| row.role_uid == role.uid && !row.mapped && (row.org_id == org || row.org_id == 0);
    let held: BTreeSet<i64> = tenant.user_roles.iter().filter(counts).map(|row| row.user_id).collect();
    let (accounts, users): (Vec<i64>, Vec<i64>) =
        held.into_iter().partition(|id| tenant.service_accounts.contains(*id));
    let teams = tenant
        .team_roles
        .iter()
        .filter(|row| row.role_uid == role.uid && !row.mapped && row.org_id == org)
        .map(|row| row.team_id);
    let teams: BTreeSet<i64> = teams.collect();
    Answer::ok(json!({
        "role_uid": role.uid,
        "users": users,
        "teams": teams,
        "service_accounts": accounts,
    }))
}
