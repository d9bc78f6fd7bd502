//! What a server admin changes about a user, and where a user belongs (contract 2.6): the account, its
//! organizations and its teams.

use serde_json::{Value, json};

use super::{
    body,
    call::{Scene, message},
    org_users, orgs,
    paging::Page,
    problem::Problem,
};
use crate::{
    grafana::{
        access::Grant,
        rows::users::{OrgUser, User},
        state::{Kind, Tenant},
    },
    kit::answer::Answer,
};

/// PUT `/users/{id}`
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut user = authorize(scene, "users:write")?;
    let mut fields = scene.fields()?;
    let present =
        |text: Option<String>, before: String| text.filter(|text| !text.is_empty()).unwrap_or(before);
    user.login = present(fields.text("login")?, user.login);
    user.email = present(fields.text("email")?, user.email);
    user.name = present(fields.text("name")?, user.name);
    let is_taken = |other: &&User| {
        other.id != user.id
            && (other.login.eq_ignore_ascii_case(&user.login)
                || other.email.eq_ignore_ascii_case(&user.email))
    };
    if scene.tenant.users.iter().find(is_taken).is_some() {
        return Err(Problem::switched(409, "User with the given login or email already exists"));
    }
    scene.tenant.users.insert(user);
    Ok(message("User updated"))
}

/// PUT `/admin/users/{id}/password`: the old password is refused from then on.
pub fn set_password(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let user = authorize(scene, "users.password:write")?;
    let password = scene.fields()?.required_text("password")?;
    let of_user = scene.credentials.list().into_iter().filter(|view| view.grant.user_id == Some(user.id));
    for view in of_user {
        let _ = scene.credentials.expire(&view.name);
    }
    let name = format!("user-{}-{}", user.id, scene.tenant.issue(Kind::Uid));
    let secret = format!("{}:{password}", user.login);
    let added = scene.credentials.add(&name, &secret, Grant::of_user(user.id));
    added.map_err(|error| Problem::switched(500, error.to_string()))?;
    Ok(message("User password updated"))
}

/// PUT `/admin/users/{id}/permissions`: whether the user is an admin of the server.
pub fn set_permissions(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut user = authorize(scene, "users.permissions:write")?;
    user.is_grafana_admin = scene.fields()?.flag("isGrafanaAdmin")?.unwrap_or_default();
    scene.tenant.users.insert(user);
    Ok(message("User permissions updated"))
}

/// POST `/admin/users/{id}/disable`
pub fn disable(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    set_disabled(scene, "users:disable", true)
}

/// POST `/admin/users/{id}/enable`
pub fn enable(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    set_disabled(scene, "users:enable", false)
}

fn set_disabled(scene: &mut Scene<'_>, action: &str, is_disabled: bool) -> Result<Answer, Problem> {
    let mut user = authorize(scene, action)?;
    user.is_disabled = is_disabled;
    scene.tenant.users.insert(user);
    Ok(message(if is_disabled { "User disabled" } else { "User enabled" }))
}

/// GET `/users/{id}/orgs`
pub fn orgs_of(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let user = authorize(scene, "users:read")?;
    Ok(Answer::ok(organizations(scene.tenant, user.id)))
}

/// GET `/users/{id}/teams`
pub fn teams_of(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let user = authorize(scene, "users:read")?;
    Ok(Answer::ok(teams(scene, user.id)))
}

/// GET `/user/orgs`
pub fn own_orgs(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = scene.caller.principal.unwrap_or_default();
    Ok(Answer::ok(organizations(scene.tenant, id)))
}

/// GET `/user/teams`
pub fn own_teams(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = scene.caller.principal.unwrap_or_default();
    Ok(Answer::ok(teams(scene, id)))
}

/// GET `/orgs/{id}/users/search`
pub fn search_org(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let org = other_org(scene)?;
    let tenant = &*scene.tenant;
    let rows = tenant.org_users.iter().filter(|row| row.org_id == org);
    let users = rows.filter_map(|row| Some(org_users::to_json(row, tenant.users.get(row.user_id)?)));
    let users = users.collect();
    Ok(Answer::ok(Page::of(scene).envelope("orgUsers", users)))
}

/// POST `/orgs/{id}/users`
pub fn add_to_org(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let org_id = other_org(scene)?;
    let mut fields = scene.fields()?;
    let requested = fields.required_text("loginOrEmail")?;
    let role = body::basic_role(&fields.required_text("role")?)?;
    let tenant = &mut *scene.tenant;
    let mut users = tenant.users.iter();
    let user = users.find(|user| user.login == requested || user.email == requested);
    let user_id = user.map(|user| user.id).ok_or_else(|| Problem::not_found("user not found"))?;
    if tenant.is_org_user(user_id, org_id) {
        return Err(Problem::switched(409, "User is already member of this organization"));
    }
    tenant.org_users.push(OrgUser { org_id, user_id, role });
    Ok(Answer::ok(json!({ "message": "User added to organization", "userId": user_id })))
}

/// PATCH `/orgs/{id}/users/{user}`
pub fn update_in_org(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let (org, user) = (other_org(scene)?, scene.path_number(1)?);
    let role = body::basic_role(&scene.fields()?.required_text("role")?)?;
    let mut rows = scene.tenant.org_users.iter_mut();
    let row = rows.find(|row| row.org_id == org && row.user_id == user);
    row.ok_or_else(|| Problem::not_found("user not found"))?.role = role;
    Ok(message("Organization user updated"))
}

/// DELETE `/orgs/{id}/users/{user}`
pub fn remove_from_org(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let (org, user) = (other_org(scene)?, scene.path_number(1)?);
    match scene.tenant.remove_org_user(user, org) {
        true => Ok(message("User removed from organization")),
        false => Err(Problem::not_found("user not found")),
    }
}

/// The organization in the path, for a server admin.
fn other_org(scene: &Scene<'_>) -> Result<i64, Problem> {
    orgs::require_server_admin(scene)?;
    Ok(orgs::get(scene.tenant, scene.path_number(0)?)?.id)
}

/// The user in the path, if the caller has the action on it.
fn authorize(scene: &Scene<'_>, action: &str) -> Result<User, Problem> {
    let id = scene.path_number(0)?;
    scene.require(action, &format!("global.users:id:{id}"))?;
    scene.tenant.users.get(id).cloned().ok_or_else(|| Problem::not_found("user not found"))
}

fn organizations(tenant: &Tenant, user: i64) -> Value {
    let rows = tenant.org_users.iter().filter(|row| row.user_id == user);
    let named = |row: &OrgUser| {
        let org = tenant.orgs.get(row.org_id)?;
        Some(json!({ "orgId": org.id, "name": org.name, "role": row.role.name() }))
    };
    rows.filter_map(named).collect()
}

fn teams(scene: &Scene<'_>, user: i64) -> Value {
    let (tenant, org) = (&*scene.tenant, scene.caller.org);
    let teams = tenant.teams_of(user, org).into_iter().filter_map(|id| tenant.teams.get(id));
    teams.map(|team| super::teams::to_json(tenant, team)).collect()
}
