//! Users of the server: what admins of the server see and make (contract 2.6).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    auth::Grant,
    basic_role::BasicRole,
    call::{Answer, Scene, message},
    managed::Subject,
    paging::Page,
    problem::Problem,
    state::{Kind, Tenant, now},
};
use crate::kit::table::identified;

/// A user.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Its number, shared with service accounts.
    pub id: i64,
    /// Its uid.
    pub uid: String,
    /// The name it logs in with, unique.
    pub login: String,
    /// Its address, unique.
    pub email: String,
    /// Its name.
    pub name: String,
    /// The organization that it works in unless a request says otherwise.
    pub org_id: i64,
    /// Whether it is an admin of the server.
    #[serde(default)]
    pub is_grafana_admin: bool,
    /// Whether it is locked out.
    #[serde(default)]
    pub is_disabled: bool,
    /// When it was made.
    pub created: Timestamp,
}

identified!(User, i64);

/// A user's place in an organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrgUser {
    /// The organization.
    pub org_id: i64,
    /// The user.
    pub user_id: i64,
    /// The basic role.
    pub role: BasicRole,
}

impl User {
    /// Whether a text is part of the login, the address or the name, in any case.
    pub fn matches(&self, query: &str) -> bool {
        let query = query.to_lowercase();
        [&self.login, &self.email, &self.name].into_iter().any(|text| text.to_lowercase().contains(&query))
    }
}

/// GET `/users/lookup?loginOrEmail=`
pub fn look_up(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("users:read", "global.users:*")?;
    let wanted = scene.call.parameter("loginOrEmail").unwrap_or_default();
    let found = scene
        .tenant
        .users
        .iter()
        .find(|user| user.login.eq_ignore_ascii_case(wanted) || user.email.eq_ignore_ascii_case(wanted));
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

/// POST `/admin/users`: the new user has a password to log in with.
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

impl Tenant {
    /// Adds a user to the server and to an organization, and returns its number.
    pub fn add_user(
        &mut self,
        login: &str,
        email: &str,
        name: &str,
        org_id: i64,
        role: BasicRole,
        created: Timestamp,
    ) -> i64 {
        let id = self.issue(Kind::Principal);
        let uid = self.issue_uid();
        self.users.insert(User {
            id,
            uid,
            login: login.to_owned(),
            email: email.to_owned(),
            name: name.to_owned(),
            org_id,
            is_grafana_admin: false,
            is_disabled: false,
            created,
        });
        self.org_users.push(OrgUser { org_id, user_id: id, role });
        id
    }

    /// Forgets what a user or service account had that is gone.
    pub fn forget_principal(&mut self, id: i64) {
        self.org_users.retain(|row| row.user_id != id);
        self.team_members.retain(|row| row.user_id != id);
        self.forget_subject(Subject::User(id));
        if !self.switches.deleted_users_stay_assigned {
            self.user_roles.retain(|row| row.user_id != id);
        }
    }
}

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

/// A user as a look-up shows it.
pub fn profile(user: &User) -> Value {
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
