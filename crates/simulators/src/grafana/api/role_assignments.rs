//! The assignments of one role: users, teams and service accounts (contract 2.2, 3.9).

use std::collections::BTreeSet;

use serde_json::json;

use super::{call::Scene, delegation, problem::Problem, roles};
use crate::{
    grafana::{
        rows::{
            role_assignments::{TeamRole, UserRole},
            roles::Role,
        },
        state::Tenant,
    },
    kit::answer::Answer,
};

/// GET `/access-control/roles/{uid}/assignments`
pub fn read(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("teams.roles:read", "teams:id:*")?;
    scene.require("users.roles:read", "users:id:*")?;
    let role = roles::get(scene.tenant, scene.caller.org, scene.call.param(0))?.clone();
    Ok(answer(scene.tenant, scene.caller.org, &role))
}

/// PUT `/access-control/roles/{uid}/assignments`: replaces all assignments in the caller's organization.
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
    delegation::require(scene, &role)?;

    let tenant = &mut *scene.tenant;
    let anywhere = role.is_global() && tenant.switches.assignments_take_other_orgs;
    let user = |id: &i64| tenant.users.contains(*id) && (anywhere || tenant.is_org_user(*id, org));
    let account =
        |id: &i64| tenant.service_accounts.get(*id).is_some_and(|row| anywhere || row.org_id == org);
    let team = |id: &i64| tenant.teams.get(*id).is_some_and(|row| anywhere || row.org_id == org);
    if !users.iter().all(user) || !accounts.iter().all(account) || !teams.iter().all(team) {
        return Err(Problem::bad_request("could not verify that the given users exist"));
    }
    let requested: BTreeSet<i64> = users.iter().chain(&accounts).copied().collect();
    let requested_teams: BTreeSet<i64> = teams.iter().copied().collect();
    if requested.len() < users.len() + accounts.len() || requested_teams.len() < teams.len() {
        return Err(Problem::bad_request("an assignment occurs twice"));
    }

    let of_role = |uid: &str, row_org: i64, mapped: bool| uid == role.uid && row_org == org && !mapped;
    tenant
        .user_roles
        .retain(|row| !of_role(&row.role_uid, row.org_id, row.mapped) || requested.contains(&row.user_id));
    tenant.team_roles.retain(|row| {
        !of_role(&row.role_uid, row.org_id, row.mapped) || requested_teams.contains(&row.team_id)
    });
    for id in requested {
        tenant.assign_to_user(UserRole {
            org_id: org,
            user_id: id,
            role_uid: role.uid.clone(),
            mapped: false,
        });
    }
    for id in requested_teams {
        tenant.assign_to_team(TeamRole {
            org_id: org,
            team_id: id,
            role_uid: role.uid.clone(),
            mapped: false,
        });
    }
    Ok(answer(tenant, org, &role))
}

fn answer(tenant: &Tenant, org: i64, role: &Role) -> Answer {
    let applies =
        |row: &&UserRole| row.role_uid == role.uid && !row.mapped && (row.org_id == org || row.org_id == 0);
    let principals: BTreeSet<i64> = tenant.user_roles.iter().filter(applies).map(|row| row.user_id).collect();
    let (accounts, users): (Vec<i64>, Vec<i64>) =
        principals.into_iter().partition(|id| tenant.service_accounts.contains(*id));
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
