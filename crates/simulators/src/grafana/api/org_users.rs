//! Users of the caller's organization: the lookups that work with tokens (contract 2.6).

use serde_json::{Value, json};

use super::{
    body,
    call::{Scene, message},
    orgs,
    paging::Page,
    problem::Problem,
};
use crate::{
    grafana::rows::users::{OrgUser, User},
    kit::answer::Answer,
};

/// GET `/org/users`: not paginated.
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let found = matching(scene)?.into_iter().take(limit(scene)).filter(|it| is_shown(scene, it));
    Ok(Answer::ok(found.map(|(row, user)| to_json(row, user)).collect()))
}

/// GET `/org/users/lookup`
pub fn look_up(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let found = matching(scene)?.into_iter().take(limit(scene)).filter(|it| is_shown(scene, it));
    let found = found.map(|(_, user)| {
        json!({
            "userId": user.id,
            "uid": user.uid,
            "login": user.login,
            "avatarUrl": format!("/avatar/{}", user.id),
        })
    });
    Ok(Answer::ok(found.collect()))
}

/// GET `/org/users/search`: a page can be shorter than requested, because hidden users count.
pub fn search(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let found = matching(scene)?;
    let entry = |(row, user)| if is_shown(scene, &(row, user)) { to_json(row, user) } else { Value::Null };
    let mut page = Page::of(scene).envelope("orgUsers", found.into_iter().map(entry).collect());
    if let Some(users) = page["orgUsers"].as_array_mut() {
        users.retain(|user| !user.is_null());
    }
    Ok(Answer::ok(page))
}

/// GET `/orgs/{id}/users`: users of any organization, for server admins.
pub fn of_org(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    orgs::require_server_admin(scene)?;
    let tenant = &*scene.tenant;
    let org = orgs::get(tenant, scene.path_number(0)?)?.id;
    let rows = tenant.org_users.iter().filter(|row| row.org_id == org);
    let users = rows.filter_map(|row| Some(to_json(row, tenant.users.get(row.user_id)?)));
    Ok(Answer::ok(users.collect()))
}

/// POST `/org/users`: adds an existing user to the organization.
pub fn add(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("org.users:add", "users:*")?;
    let mut fields = scene.fields()?;
    let requested = fields.required_text("loginOrEmail")?;
    let role = body::basic_role(&fields.required_text("role")?)?;
    let org_id = scene.caller.org;
    let tenant = &mut *scene.tenant;
    let user = tenant.users.iter().find(|user| user.login == requested || user.email == requested);
    let user_id = user.map(|user| user.id).ok_or_else(|| Problem::not_found("user not found"))?;
    if tenant.is_org_user(user_id, org_id) {
        return Err(Problem::switched(409, "User is already member of this organization"));
    }
    tenant.org_users.push(OrgUser { org_id, user_id, role });
    Ok(Answer::ok(json!({ "message": "User added to organization", "userId": user_id })))
}

/// PATCH `/org/users/{id}`: changes the basic role.
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = scene.path_number(0)?;
    scene.require("org.users:write", &format!("users:id:{id}"))?;
    let role = body::basic_role(&scene.fields()?.required_text("role")?)?;
    let org = scene.caller.org;
    let mut rows = scene.tenant.org_users.iter_mut();
    let row = rows.find(|row| row.org_id == org && row.user_id == id);
    row.ok_or_else(|| Problem::not_found("user not found"))?.role = role;
    Ok(message("Organization user updated"))
}

/// DELETE `/org/users/{id}`
pub fn remove(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = scene.path_number(0)?;
    scene.require("org.users:remove", &format!("users:id:{id}"))?;
    if scene.tenant.remove_org_user(id, scene.caller.org) {
        Ok(message("User removed from organization"))
    } else {
        Err(Problem::not_found("user not found"))
    }
}

/// The visible users that the query matches, ordered by address.
fn matching<'a>(scene: &'a Scene<'_>) -> Result<Vec<(&'a OrgUser, &'a User)>, Problem> {
    scene.require_somewhere("org.users:read")?;
    let query = scene.call.parameter("query").unwrap_or_default();
    let tenant = &*scene.tenant;
    let mut found: Vec<_> = tenant
        .org_users
        .iter()
        .filter(|row| row.org_id == scene.caller.org)
        .filter(|row| scene.caller.can("org.users:read", &format!("users:id:{}", row.user_id)))
        .filter_map(|row| Some((row, tenant.users.get(row.user_id)?)))
        .filter(|(_, user)| user.matches(query))
        .collect();
    found.sort_by_key(|(_, user)| user.email.to_lowercase());
    Ok(found)
}

/// Whether lists show a user that they count (contract 2.6).
fn is_shown(scene: &Scene<'_>, (_, user): &(&OrgUser, &User)) -> bool {
    !scene.tenant.switches.hidden_users.contains(&user.id)
}

/// The `limit` of the query; 0 means none.
fn limit(scene: &Scene<'_>) -> usize {
    match scene.number("limit", 0) {
        0 => usize::MAX,
        limit => limit,
    }
}

/// A member of an organization in a list.
pub fn to_json(row: &OrgUser, user: &User) -> Value {
    json!({
        "orgId": row.org_id,
        "userId": user.id,
        "uid": user.uid,
        "email": user.email,
        "name": user.name,
        "avatarUrl": format!("/avatar/{}", user.id),
        "login": user.login,
        "role": row.role.name(),
        "isDisabled": user.is_disabled,
        "lastSeenAt": user.created,
        "lastSeenAtAge": "< 1 minute",
    })
}
