//! Roles of one team (contract 2.4, 3.9).

use super::{
    call::{Scene, message},
    delegation,
    problem::Problem,
    role_json, roles,
};
use crate::{
    grafana::{rows::role_assignments::TeamRole, state::Tenant},
    kit::answer::Answer,
};

/// GET `/access-control/teams/{id}/roles`. An unknown team has none (contract 2.4).
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let team = scene.path_number(0)?;
    let org = scene.target_org()?;
    scene.require("teams.roles:read", &format!("teams:id:{team}"))?;
    let (with_hidden, with_mapped) = (scene.is_set("includeHidden"), scene.is_set("includeMapped"));
    let tenant = &*scene.tenant;
    let rows = tenant.team_roles.iter().filter(|row| row.team_id == team && row.org_id == org);
    let rows = rows.filter(|row| with_mapped || !row.mapped);
    let shown = rows
        .filter_map(|row| Some((tenant.role(org, &row.role_uid)?, row.mapped)))
        .filter(|(role, _)| with_hidden || !role.hidden);
    Ok(Answer::ok(shown.map(|(role, mapped)| role_json::assigned(role, mapped, &tenant.switches)).collect()))
}

/// POST `/access-control/teams/{id}/roles`. Idempotent.
pub fn add(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let team = scene.path_number(0)?;
    scene.require("teams.roles:add", "permissions:type:delegate")?;
    let uid = scene.fields()?.required_text("roleUid")?;
    let org = scene.caller.org;
    require_team(scene.tenant, org, team)?;
    let role = roles::get(scene.tenant, org, &uid)?.clone();
    delegation::require(scene, &role)?;
    let row = TeamRole { org_id: org, team_id: team, role_uid: uid, mapped: false };
    scene.tenant.assign_to_team(row);
    Ok(message("Role added to the team."))
}

/// PUT `/access-control/teams/{id}/roles`: replaces the roles, except hidden and mapped ones (contract 3.5).
pub fn set(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let team = scene.path_number(0)?;
    let org = scene.target_org()?;
    scene.require("teams.roles:add", "permissions:type:delegate")?;
    scene.require("teams.roles:remove", "permissions:type:delegate")?;
    let mut fields = scene.fields()?;
    let uids = fields.texts("roleUids")?;
    let with_hidden = fields.flag("includeHidden")?.unwrap_or_default();
    require_team(scene.tenant, org, team)?;
    let tenant = &*scene.tenant;
    let row = |uid: &String| TeamRole { org_id: org, team_id: team, role_uid: uid.clone(), mapped: false };
    let requested: Vec<TeamRole> = uids.iter().map(row).collect();
    let hidden = |uid: &str| tenant.role(org, uid).is_some_and(|role| role.hidden);
    let (removed, kept): (Vec<TeamRole>, Vec<TeamRole>) =
        tenant.team_roles.iter().cloned().partition(|row| {
            row.team_id == team
                && row.org_id == org
                && !row.mapped
                && (with_hidden || !hidden(&row.role_uid))
                && !requested.contains(row)
        });
    for row in requested.iter().filter(|row| !tenant.team_roles.contains(row)) {
        delegation::require(scene, roles::get(tenant, org, &row.role_uid)?)?;
    }
    for role in removed.iter().filter_map(|row| tenant.role(org, &row.role_uid)) {
        delegation::require(scene, role)?;
    }
    scene.tenant.team_roles = kept;
    for row in requested {
        scene.tenant.assign_to_team(row);
    }
    Ok(message("Team roles have been updated."))
}

/// DELETE `/access-control/teams/{id}/roles/{roleUID}`
pub fn remove(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let team = scene.path_number(0)?;
    let uid = scene.call.param(1).to_owned();
    scene.require("teams.roles:remove", "permissions:type:delegate")?;
    let org = scene.caller.org;
    require_team(scene.tenant, org, team)?;
    let row = TeamRole { org_id: org, team_id: team, role_uid: uid, mapped: false };
    if !scene.tenant.team_roles.contains(&row) {
        return Err(Problem::not_found("Team role not found"));
    }
    if let Some(role) = scene.tenant.role(org, &row.role_uid).cloned() {
        delegation::require(scene, &role)?;
    }
    scene.tenant.team_roles.retain(|known| *known != row);
    Ok(message("Role removed from team."))
}

fn require_team(tenant: &Tenant, org: i64, id: i64) -> Result<(), Problem> {
    match tenant.team_in(org, id) {
        Some(_) => Ok(()),
        None => Err(Problem::not_found("Team not found")),
    }
}
