//! Team sync: the external groups whose members become members of a team (contract 2.6). Needs a licence.

use serde_json::json;

use super::{
    call::{Scene, message},
    problem::Problem,
    teams,
};
use crate::{grafana::rows::teams::TeamGroup, kit::answer::Answer};

/// GET `/teams/{id}/groups`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let team = teams::authorize(scene, "teams.permissions:read")?;
    let rows = scene.tenant.team_groups.iter().filter(|row| row.team_id == team.id);
    let to_json = |row: &TeamGroup| json!({ "orgId": team.org_id, "teamId": team.id, "groupId": row.group_id, "uid": team.uid });
    Ok(Answer::ok(rows.map(to_json).collect()))
}

/// POST `/teams/{id}/groups`
pub fn add(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let team = teams::authorize(scene, "teams.permissions:write")?;
    let row = TeamGroup { team_id: team.id, group_id: scene.fields()?.required_text("groupId")? };
    if scene.tenant.team_groups.contains(&row) {
        return Err(Problem::bad_request("Group is already added to this team"));
    }
    scene.tenant.team_groups.push(row);
    Ok(message("Group added to Team"))
}

/// DELETE `/teams/{id}/groups?groupId=`
pub fn remove(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let team = teams::authorize(scene, "teams.permissions:write")?;
    let group_id = scene.call.parameter("groupId").unwrap_or_default().to_owned();
    let row = TeamGroup { team_id: team.id, group_id };
    if !scene.tenant.team_groups.contains(&row) {
        return Err(Problem::not_found("Group not found in team"));
    }
    scene.tenant.team_groups.retain(|known| *known != row);
    Ok(message("Team Group removed"))
}
