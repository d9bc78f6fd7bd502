//! Users of the server, for server admins (contract 2.6).

use serde_json::{Value, json};

use super::{
    call::{Scene, message},
    paging::Page,
    problem::Problem,
};
use crate::{
    grafana::{
        access::Grant,
        rows::{basic_role::BasicRole, users::User},
        state::now,
    },
    kit::answer::Answer,
};

/// GET `/user`: the sender of the call.
pub fn caller(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let not_found = || Problem::not_found("user not found");
    let id = scene.caller.principal.ok_or_else(not_found)?;
    if let Some(user) = scene.tenant.users.get(id) {
        return Ok(Answer::ok(profile(user)));
    }
    let account = scene.tenant.service_accounts.get(id).ok_or_else(not_found)?;
    Ok(Answer::ok(json!({
        "id": 0,
        "uid": format!("service-account:{id}"),
        "email": "",
        "name": account.name,
        "login": account.login,
        "orgId": account.org_id,
        "isGrafanaAdmin": false,
    })))
}

/// GET `/users/lookup?loginOrEmail=`
pub fn look_up(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("users:read", "global.users:*")?;
    let requested = scene.call.parameter("loginOrEmail").unwrap_or_default();
    let found = scene.tenant.users.iter().find(|user| {
        user.login.eq_ignore_ascii_case(requested) || user.email.eq_ignore_ascii_case(requested)
    });
    found.map(profile).map(Answer::ok).ok_or_else(|| Problem::not_found("user not found"))
}

/// GET `/users`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let found = matching(scene)?;
    Ok(Answer::ok(Page::of(scene).cut(found.into_iter()).into()))
}

/// GET `/users/search`
pub fn search(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let found = matching(scene)?;
    Ok(Answer::ok(Page::of(scene).envelope("users", found)))
}

/// GET `/users/{id}`
pub fn read(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = scene.path_number(0)?;
    scene.require("users:read", &format!("global.users:id:{id}"))?;
    let user = scene.tenant.users.get(id).ok_or_else(|| Problem::not_found("user not found"))?;
    Ok(Answer::ok(profile(user)))
}

/// POST `/admin/users`: the user can log in with the password.
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("users:create", "")?;
    let mut fields = scene.fields()?;
    let email = fields.text("email")?.unwrap_or_default();
    let login = fields.text("login")?.filter(|login| !login.is_empty()).unwrap_or_else(|| email.clone());
    let name = fields.text("name")?.unwrap_or_default();
    let password = fields.required_text("password")?;
    let org_id = fields.number("orgId")?.filter(|org| *org != 0).unwrap_or(scene.caller.org);
    if login.is_empty() {
        return Err(Problem::bad_request("login or email is required"));
    }
    let tenant = &mut *scene.tenant;
    if !tenant.orgs.contains(org_id) {
        return Err(Problem::bad_request("organization not found"));
    }
    let is_taken = |user: &&User| {
        user.login.eq_ignore_ascii_case(&login)
            || (!email.is_empty() && user.email.eq_ignore_ascii_case(&email))
    };
    if tenant.users.iter().find(is_taken).is_some() {
        let message = format!("User with email '{email}' or username '{login}' already exists");
        return Err(Problem::switched(412, message));
    }
    let id = tenant.add_user(&login, &email, &name, org_id, BasicRole::Viewer, now());
    let added =
        scene.credentials.add(&format!("user-{id}"), &format!("{login}:{password}"), Grant::of_user(id));
    added.map_err(|error| Problem::switched(500, error.to_string()))?;
    let uid = scene.tenant.users.get(id).map(|user| user.uid.clone());
    Ok(Answer::ok(json!({ "id": id, "uid": uid, "message": "User created" })))
}

/// DELETE `/admin/users/{id}`
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = scene.path_number(0)?;
    scene.require("users:delete", &format!("global.users:id:{id}"))?;
    let tenant = &mut *scene.tenant;
    tenant.users.remove(id).ok_or_else(|| Problem::not_found("user not found"))?;
    tenant.forget_principal(id);
    Ok(message("User deleted"))
}

/// The users that the query matches, for an answer.
fn matching(scene: &Scene<'_>) -> Result<Vec<Value>, Problem> {
    scene.require("users:read", "global.users:*")?;
    let query = scene.call.parameter("query").unwrap_or_default();
    Ok(scene.tenant.users.iter().filter(|user| user.matches(query)).map(listed).collect())
}

fn listed(user: &User) -> Value {
    json!({
        "id": user.id,
        "uid": user.uid,
        "name": user.name,
        "login": user.login,
        "email": user.email,
        "avatarUrl": format!("/avatar/{}", user.id),
        "isAdmin": user.is_grafana_admin,
        "isDisabled": user.is_disabled,
        "authLabels": [],
    })
}

/// A user in an answer of its own.
fn profile(user: &User) -> Value {
    json!({
        "id": user.id,
        "uid": user.uid,
        "email": user.email,
        "name": user.name,
        "login": user.login,
        "theme": "",
        "orgId": user.org_id,
        "isGrafanaAdmin": user.is_grafana_admin,
        "isDisabled": user.is_disabled,
        "isExternal": false,
        "authLabels": [],
        "updatedAt": user.created,
        "createdAt": user.created,
        "avatarUrl": format!("/avatar/{}", user.id),
    })
}
