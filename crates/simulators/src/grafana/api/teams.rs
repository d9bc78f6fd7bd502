//! Teams and their members (contract 2.6).

use serde_json::{Value, json};

use super::{
    call::{Scene, message},
    paging::Page,
    problem::Problem,
};
use crate::{
    grafana::{
        rows::{
            managed::{ResourceKind, Subject},
            switches::Generation,
            teams::{Team, TeamMember},
            users::User,
        },
        state::Tenant,
    },
    kit::answer::Answer,
};

/// GET `/teams/search`: `name` is the whole name, `query` a part of it.
pub fn search(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require_somewhere("teams:read")?;
    let name = scene.call.parameter("name").filter(|name| !name.is_empty());
    let query = scene.call.parameter("query").unwrap_or_default().to_lowercase();
    let tenant = &*scene.tenant;
    let mut found: Vec<&Team> = tenant
        .teams
        .iter()
        .filter(|team| team.org_id == scene.caller.org)
        .filter(|team| scene.caller.can("teams:read", &format!("teams:id:{}", team.id)))
        .filter(|team| name.is_none_or(|name| team.name == name))
        .filter(|team| team.name.to_lowercase().contains(&query))
        .collect();
    found.sort_by_key(|team| team.name.to_lowercase());
    let entries = found.into_iter().map(|team| to_json(tenant, team)).collect();
    Ok(Answer::ok(Page::of(scene).envelope("teams", entries)))
}

/// GET `/teams/{idOrUid}`
pub fn read(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let team = authorize(scene, "teams:read")?;
    Ok(Answer::ok(to_json(scene.tenant, &team)))
}

/// GET `/teams/{idOrUid}/members`
pub fn members(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let team = authorize(scene, "teams.permissions:read")?;
    let tenant = &*scene.tenant;
    let rows = tenant.team_members.iter().filter(|row| row.team_id == team.id);
    let users = rows.filter_map(|row| tenant.users.get(row.user_id));
    let to_json = |user: &User| {
        json!({
            "orgId": team.org_id,
            "teamId": team.id,
            "teamUID": team.uid,
            "userId": user.id,
            "userUID": user.uid,
            "auth_module": "",
            "email": user.email,
            "name": user.name,
            "login": user.login,
            "avatarUrl": format!("/avatar/{}", user.id),
            "labels": [],
            "permission": 0,
        })
    };
    Ok(Answer::ok(users.map(to_json).collect()))
}

/// GET `/teams/{idOrUid}/preferences`: always empty here.
pub fn preferences(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    authorize(scene, "teams:read")?;
    Ok(Answer::ok(json!({})))
}

/// POST `/teams`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("teams:create", "")?;
    let mut fields = scene.fields()?;
    let name = fields.required_text("name")?;
    let email = fields.text("email")?.unwrap_or_default();
    let org_id = scene.caller.org;
    let tenant = &mut *scene.tenant;
    if tenant.teams.iter().any(|team| team.org_id == org_id && team.name == name) {
        return Err(Problem::switched(409, "Team name taken"));
    }
    let id = tenant.add_team(org_id, &name, &email);
    let uid = tenant.teams.get(id).map(|team| team.uid.clone());
    Ok(Answer::ok(json!({ "message": "Team created", "teamId": id, "uid": uid })))
}

/// PUT `/teams/{idOrUid}`
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut team = authorize(scene, "teams:write")?;
    let mut fields = scene.fields()?;
    team.name = fields.text("name")?.filter(|name| !name.is_empty()).unwrap_or(team.name);
    team.email = fields.text("email")?.unwrap_or(team.email);
    let is_other = |other: &Team| other.id != team.id && other.org_id == team.org_id;
    if scene.tenant.teams.iter().any(|other| is_other(other) && other.name == team.name) {
        return Err(Problem::switched(400, "Team name taken"));
    }
    scene.tenant.teams.insert(team);
    Ok(message("Team updated"))
}

/// DELETE `/teams/{idOrUid}`: deletes its roles and permissions too.
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let team = authorize(scene, "teams:delete")?;
    scene.tenant.drop_team(&team);
    Ok(message("Team deleted"))
}

/// POST `/teams/{idOrUid}/members`
pub fn add_member(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let team = authorize(scene, "teams.permissions:write")?;
    let user_id = scene.fields()?.number("userId")?.unwrap_or_default();
    let tenant = &mut *scene.tenant;
    if !tenant.is_org_user(user_id, team.org_id) {
        return Err(Problem::not_found("user not found"));
    }
    let member = TeamMember { team_id: team.id, user_id };
    if tenant.team_members.contains(&member) {
        return Err(Problem::bad_request("User is already added to this team"));
    }
    let (resource, subject) = (team.id.to_string(), Subject::User(user_id));
    tenant.set_permission(team.org_id, (ResourceKind::Teams, &resource), subject, "Member");
    Ok(message("Member added to Team"))
}

/// DELETE `/teams/{idOrUid}/members/{userId}`
pub fn remove_member(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let team = authorize(scene, "teams.permissions:write")?;
    let member = TeamMember { team_id: team.id, user_id: scene.path_number(1)? };
    if !scene.tenant.team_members.contains(&member) {
        return Err(Problem::not_found("Team member not found"));
    }
    let (resource, subject) = (team.id.to_string(), Subject::User(member.user_id));
    scene.tenant.set_permission(team.org_id, (ResourceKind::Teams, &resource), subject, "");
    Ok(message("Team Member removed"))
}

/// The team in the path, if the caller has the action on it. Servers since 12 accept uids too (contract 2.6).
///
/// # Errors
/// 403 and 404.
pub fn authorize(scene: &Scene<'_>, action: &str) -> Result<Team, Problem> {
    let (tenant, requested) = (&*scene.tenant, scene.call.param(0));
    let by_uid = tenant.switches.generation > Generation::V11;
    let number: Option<i64> = requested.parse().ok();
    let mut teams = tenant.teams.iter().filter(|team| team.org_id == scene.caller.org);
    let team = teams.find(|team| Some(team.id) == number || (by_uid && team.uid == requested));
    let scope = team.map_or_else(|| format!("teams:id:{requested}"), |team| format!("teams:id:{}", team.id));
    scene.require(action, &scope)?;
    team.cloned().ok_or_else(|| Problem::not_found("Team not found"))
}

/// A team in an answer.
pub fn to_json(tenant: &Tenant, team: &Team) -> Value {
    json!({
        "id": team.id,
        "uid": team.uid,
        "orgId": team.org_id,
        "name": team.name,
        "email": team.email,
        "externalUID": "",
        "isProvisioned": team.is_provisioned,
        "avatarUrl": format!("/avatar/team-{}", team.id),
        "memberCount": tenant.team_members.iter().filter(|row| row.team_id == team.id).count(),
        "permission": 0,
    })
}
