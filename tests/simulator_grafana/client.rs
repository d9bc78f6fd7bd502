//! A plain HTTP client and a started simulator: what every test here needs.

use std::ops::Deref;

use reqwest::{Method, header::HeaderMap};
use rolewright::simulators::grafana::{Options, Simulator, Switches, Tenant};
use serde_json::{Value, json};

pub const TOKEN: &str = "admin-token";

/// A simulator, and a client with the organization admin's token.
pub struct Grafana {
    pub simulator: Simulator,
    client: Client,
}

impl Deref for Grafana {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// The seeded tenant.
pub async fn grafana() -> Grafana {
    grafana_with(|_| {}).await
}

/// The seeded tenant, on a server with these switches.
pub async fn grafana_with(set: impl FnOnce(&mut Switches)) -> Grafana {
    grafana_of(|tenant| set(&mut tenant.switches)).await
}

/// The seeded tenant, changed.
pub async fn grafana_of(change: impl FnOnce(&mut Tenant)) -> Grafana {
    let mut options = Options::new(TOKEN);
    change(&mut options.tenant);
    let simulator = Simulator::start(options).await.unwrap();
    let client = Client {
        http: reqwest::Client::new(),
        url: simulator.url(),
        login: Login::Token(TOKEN.to_owned()),
        org: None,
    };
    Grafana { simulator, client }
}

impl Grafana {
    /// Changes how the server behaves while it runs.
    pub fn switch(&self, set: impl FnOnce(&mut Switches)) {
        self.simulator.edit(|tenant| set(&mut tenant.switches));
    }

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

    /// A client with a token of its own, which may do what `grant` says.
    pub async fn caller(&self, name: &str, grant: Value) -> Client {
        let token = format!("{name}-token");
        self.credential(name, &token, grant).await;
        Client { login: Login::Token(token), ..self.client.clone() }
    }

    /// A token of organization 1 with these permissions alone, written as `action@scope`.
    pub async fn holder(&self, name: &str, permissions: &[&str]) -> Client {
        self.caller(name, json!({"permissions": held(permissions)})).await
    }

    /// A user with name and password.
    pub async fn login(&self, login: &str) -> Client {
        self.credential(
            &format!("login-{login}"),
            &format!("{login}:secret"),
            json!({"user_id": self.user(login)}),
        )
        .await;
        Client { login: Login::Basic(login.to_owned(), "secret".to_owned()), ..self.client.clone() }
    }

    async fn credential(&self, name: &str, token: &str, grant: Value) {
        let add = json!({"action": "Add", "name": name, "token": token, "grant": grant});
        let added = self.post("/_sim/credentials", add).await;
        assert_eq!(added.status, 200, "{}", added.body);
    }

    /// A custom role with these permissions, written as `action@scope`; its uid is its name.
    pub async fn new_role(&self, name: &str, permissions: &[&str]) -> String {
        let role = json!({"uid": name, "name": name, "permissions": list(permissions)});
        let role = self.post("/access-control/roles", role).await;
        assert_eq!(role.status, 201, "{}", role.body);
        role.text("uid")
    }

    /// Who has a role: users, teams, service accounts.
    pub async fn holders(&self, role: &str) -> [Vec<i64>; 3] {
        let answer = self.get(&format!("/access-control/roles/{role}/assignments")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.body["role_uid"], role);
        ["users", "teams", "service_accounts"]
            .map(|key| answer.body[key].as_array().unwrap().iter().map(|id| id.as_i64().unwrap()).collect())
    }
}

/// Permissions as requests write them.
pub fn list(permissions: &[&str]) -> Value {
    let one = |text: &&str| {
        let (action, scope) = text.split_once('@').unwrap_or((text, ""));
        json!({"action": action, "scope": scope})
    };
    permissions.iter().map(one).collect()
}

/// Permissions as grants write them.
pub fn held(permissions: &[&str]) -> Value {
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

#[derive(Clone)]
pub enum Login {
    Token(String),
    Basic(String, String),
    None,
}

#[derive(Clone)]
pub struct Client {
    pub http: reqwest::Client,
    pub url: String,
    pub login: Login,
    pub org: Option<i64>,
}

impl Client {
    /// The same, in another organization.
    pub fn in_org(&self, org: i64) -> Self {
        Self { org: Some(org), ..self.clone() }
    }

    /// The same, with another credential.
    pub fn with(&self, login: Login) -> Self {
        Self { login, ..self.clone() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await.unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await.unwrap()
    }

    pub async fn put(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PUT, path, Some(body)).await.unwrap()
    }

    pub async fn patch(&self, path: &str, body: Value) -> Answer {
        self.send(Method::PATCH, path, Some(body)).await.unwrap()
    }

    pub async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, None).await.unwrap()
    }

    /// Sends to a path below `/api`, or to one of `/_sim`.
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<Answer> {
        let is_control = path.starts_with("/_sim");
        let root = if is_control { "" } else { "/api" };
        let mut request = self.http.request(method, format!("{}{root}{path}", self.url));
        if !is_control {
            request = match &self.login {
                Login::Token(token) => request.bearer_auth(token),
                Login::Basic(user, password) => request.basic_auth(user, Some(password)),
                Login::None => request,
            };
            if let Some(org) = self.org {
                request = request.header("X-Grafana-Org-Id", org);
            }
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let bytes = response.bytes().await?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Answer { status, headers, body })
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
}

impl Answer {
    pub fn text(&self, field: &str) -> String {
        self.body[field].as_str().unwrap_or_else(|| panic!("no {field} in {}", self.body)).to_owned()
    }

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

    /// The same, in the order answered.
    pub fn shown_permissions(&self) -> Vec<String> {
        let entries = self.body["permissions"].as_array().map(Vec::as_slice).unwrap_or_default();
        let text = |entry: &Value| {
            let (action, scope) = (entry["action"].as_str().unwrap(), entry["scope"].as_str().unwrap());
            if scope.is_empty() { action.to_owned() } else { format!("{action}@{scope}") }
        };
        entries.iter().map(text).collect()
    }
}

fn texts(list: &Value, field: &str) -> Vec<String> {
    let entries = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    entries.iter().map(|entry| entry[field].as_str().unwrap().to_owned()).collect()
}
