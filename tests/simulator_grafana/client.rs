//! Helpers for the tests of Grafana's simulator.

use rolewright_simulators::grafana::{self, Switches, Tenant};
use serde_json::{Value, json};

pub use crate::support::{Answer, Client, Login};
use crate::support::{Started, Tested, texts};

pub const TOKEN: &str = grafana::Grafana::TOKEN;

impl Tested for grafana::Grafana {
    const ROOT: &'static str = "/api";
}

/// A simulator, and a client with the organization admin's token.
pub type Grafana = Started<grafana::Grafana>;

/// A simulator of the seeded tenant.
pub async fn grafana() -> Grafana {
    Grafana::seeded().await
}

/// A simulator of the seeded tenant with other switches.
pub async fn grafana_with(set: impl FnOnce(&mut Switches)) -> Grafana {
    Grafana::switched(set).await
}

/// A simulator of a changed seed.
pub async fn grafana_of(change: impl FnOnce(&mut Tenant)) -> Grafana {
    Grafana::of(change).await
}

impl Grafana {
    pub fn user(&self, login: &str) -> i64 {
        self.simulator.edit(|tenant| tenant.user_by_login(login)).unwrap()
    }

    pub fn team(&self, name: &str) -> i64 {
        self.simulator.edit(|tenant| tenant.team_by_name(name)).unwrap()
    }

    pub fn account(&self, name: &str) -> i64 {
        self.simulator.edit(|tenant| tenant.service_account_by_name(name)).unwrap()
    }

    pub fn role(&self, name: &str) -> String {
        self.simulator.edit(|tenant| tenant.role_by_name(name)).unwrap()
    }

    /// A client with a token of organization 1 that has exactly these permissions, written as `action@scope`.
    pub async fn caller_with(&self, name: &str, permissions: &[&str]) -> Client {
        self.caller(name, json!({"permissions": scopes_by_action(permissions)})).await
    }

    /// A client of a user with a password.
    pub async fn login(&self, login: &str) -> Client {
        let grant = json!({"user_id": self.user(login)});
        self.credential(&format!("login-{login}"), &format!("{login}:secret"), grant).await;
        self.with(Login::Basic(login.to_owned(), "secret".to_owned()))
    }

    /// A custom role with these permissions, written as `action@scope`; its uid is its name.
    pub async fn new_role(&self, name: &str, permissions: &[&str]) -> String {
        let role = json!({"uid": name, "name": name, "permissions": list(permissions)});
        let role = self.post("/access-control/roles", role).await;
        assert_eq!(role.status, 201, "{}", role.body);
        role.text("uid")
    }

    /// The users, teams and service accounts that have a role.
    pub async fn assigned(&self, role: &str) -> [Vec<i64>; 3] {
        let answer = self.get(&format!("/access-control/roles/{role}/assignments")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.body["role_uid"], role);
        ["users", "teams", "service_accounts"]
            .map(|key| answer.body[key].as_array().unwrap().iter().map(|id| id.as_i64().unwrap()).collect())
    }
}

/// Permissions in the form of a request.
pub fn list(permissions: &[&str]) -> Value {
    let one = |text: &&str| {
        let (action, scope) = text.split_once('@').unwrap_or((text, ""));
        json!({"action": action, "scope": scope})
    };
    permissions.iter().map(one).collect()
}

/// Permissions in the form of a grant.
pub fn scopes_by_action(permissions: &[&str]) -> Value {
    let mut map = json!({});
    for text in permissions {
        let (action, scope) = text.split_once('@').unwrap_or((text, ""));
        match &mut map[action] {
            Value::Array(scopes) => scopes.push(scope.into()),
            empty => *empty = json!([scope]),
        }
    }
    map
}

impl Client {
    /// The same client in another organization.
    pub fn in_org(&self, org: i64) -> Self {
        self.with_header("x-grafana-org-id", org)
    }
}

impl Answer {
    /// One field of each entry of a plain list.
    pub fn each(&self, field: &str) -> Vec<String> {
        texts(&self.body, field)
    }

    /// One field of each entry of the list under a key.
    pub fn each_of(&self, key: &str, field: &str) -> Vec<String> {
        texts(&self.body[key], field)
    }

    /// The permissions of a role, written as `action@scope`, sorted.
    pub fn permissions(&self) -> Vec<String> {
        let mut permissions = self.shown_permissions();
        permissions.sort();
        permissions
    }

    /// The same in the order of the answer.
    pub fn shown_permissions(&self) -> Vec<String> {
        let entries = self.body["permissions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let text = |entry: &Value| {
            let (action, scope) = (entry["action"].as_str().unwrap(), entry["scope"].as_str().unwrap());
            if scope.is_empty() { action.to_owned() } else { format!("{action}@{scope}") }
        };
        entries.iter().map(text).collect()
    }
}
