//! Teams and their members (contract 2.6).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    call::{Answer, Scene, message},
    managed::{ResourceKind, Subject},
    paging::Page,
    problem::Problem,
    state::{Kind, Tenant},
    switches::Generation,
};
use crate::kit::table::identified;

/// A team.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// Its number.
    pub id: i64,
    /// Its uid.
    pub uid: String,
    /// The organization.
    pub org_id: i64,
    /// Its name, unique in the organization.
    pub name: String,
    /// Its address.
    #[serde(default)]
    pub email: String,
    /// Whether another system made it.
    #[serde(default)]
    pub is_provisioned: bool,
}

identified!(Team, i64);

/// A member of a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamMember {
    /// The team.
    pub team_id: i64,
    /// The user.
    pub user_id: i64,
}

/// GET `/teams/search`: `name` is exact, `query` a part of it.
pub fn search(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require_somewhere("teams:read")?;
    let name = scene.call.parameter("name").filter(|name| !name.is_empty());
    let query = scene.call.parameter("query").unwrap_or_default().to_lowercase();
    let tenant = &*scene.tenant;
    let mut found: Vec<&Team> = tenant
        .teams
        .iter()
        .filter(|team| team.org_id == scene.caller.org)
        .filter(|team| scene.caller.may("teams:read", &format!("teams:id:{}", team.id)))
        .filter(|team| name.is_none_or(|name| team.name == name))
        .filter(|team| team.name.to_lowercase().contains(&query))
        .collect();
    found.sort_by_key(|team| team.name.to_lowercase());
    let entries = found.into_iter().map(|team| wire(tenant, team)).collect();
    Ok(Answer::ok(Page::of(scene).envelope("teams", entries)))
}

/// GET `/teams/{idOrUid}`
pub fn read(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let team = reach(scene, "teams:read")?;
    Ok(Answer::ok(wire(scene.tenant, &team)))
}

/// GET `/teams/{idOrUid}/members`
pub fn members(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let team = reach(scene, "teams.permissions:read")?;
    let tenant = &*scene.tenant;
    let rows = tenant.team_members.iter().filter(|row| row.team_id == team.id);
    let users = rows.filter_map(|row| tenant.users.get(row.user_id));
    let wire = |user: &super::users::User| {
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
    Ok(Answer::ok(users.map(wire).collect()))
}

/// GET `/teams/{idOrUid}/preferences`: none is ever set here.
pub fn preferences(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    reach(scene, "teams:read")?;
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
    let mut team = reach(scene, "teams:write")?;
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

/// DELETE `/teams/{idOrUid}`: with its roles and permissions.
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let team = reach(scene, "teams:delete")?;
    let tenant = &mut *scene.tenant;
    tenant.teams.remove(team.id);
    tenant.team_members.retain(|row| row.team_id != team.id);
    tenant.team_roles.retain(|row| row.team_id != team.id);
    tenant.forget_subject(Subject::Team(team.id));
    tenant.forget_resource(team.org_id, ResourceKind::Teams, &team.id.to_string());
    Ok(message("Team deleted"))
}

/// POST `/teams/{idOrUid}/members`
pub fn add_member(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let team = reach(scene, "teams.permissions:write")?;
    let user_id = scene.fields()?.number("userId")?.unwrap_or_default();
    let tenant = &mut *scene.tenant;
    if !tenant.org_users.iter().any(|row| row.org_id == team.org_id && row.user_id == user_id) {
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
    let team = reach(scene, "teams.permissions:write")?;
    let member = TeamMember { team_id: team.id, user_id: scene.path_number(1)? };
    if !scene.tenant.team_members.contains(&member) {
        return Err(Problem::not_found("Team member not found"));
    }
    let (resource, subject) = (team.id.to_string(), Subject::User(member.user_id));
    scene.tenant.set_permission(team.org_id, (ResourceKind::Teams, &resource), subject, "");
    Ok(message("Team Member removed"))
}

impl Tenant {
    /// Adds a team, and returns its number.
    pub fn add_team(&mut self, org_id: i64, name: &str, email: &str) -> i64 {
        let (id, uid) = (self.issue(Kind::Team), self.issue_uid());
        let (name, email) = (name.to_owned(), email.to_owned());
        self.teams.insert(Team { id, uid, org_id, name, email, is_provisioned: false });
        id
    }
}

/// The team of the path, if the caller may do this with it. Uids are taken since 12 (contract 2.6).
fn reach(scene: &Scene<'_>, action: &str) -> Result<Team, Problem> {
    let (tenant, wanted) = (&*scene.tenant, scene.call.param(0));
    let by_uid = tenant.switches.generation > Generation::V11;
    let number: Option<i64> = wanted.parse().ok();
    let mut teams = tenant.teams.iter().filter(|team| team.org_id == scene.caller.org);
    let team = teams.find(|team| Some(team.id) == number || (by_uid && team.uid == wanted));
    let scope = team.map_or_else(|| format!("teams:id:{wanted}"), |team| format!("teams:id:{}", team.id));
    scene.require(action, &scope)?;
    team.cloned().ok_or_else(|| Problem::not_found("Team not found"))
}

fn wire(tenant: &Tenant, team: &Team) -> Value {
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
