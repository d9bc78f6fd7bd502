//! A plain HTTP client and a started simulator: what every test here needs.

use std::ops::Deref;

use reqwest::{Method, header::HeaderMap};
use rolewright::simulators::lenses::{Options, Simulator, Switches};
use serde_json::{Value, json};

pub const TOKEN: &str = "admin-token";

/// A simulator, and a client with the administrator's token.
pub struct Lenses {
    pub simulator: Simulator,
    client: Client,
}

impl Deref for Lenses {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// The seeded tenant.
pub async fn lenses() -> Lenses {
    lenses_with(|_| {}).await
}

/// The seeded tenant, on a server with these switches.
pub async fn lenses_with(set: impl FnOnce(&mut Switches)) -> Lenses {
    let mut options = Options::new(TOKEN);
    set(&mut options.tenant.switches);
    let simulator = Simulator::start(options).await.unwrap();
    let client = Client {
        http: reqwest::Client::new(),
        url: simulator.url(),
        prefix: String::new(),
        login: Login::Token(TOKEN.to_owned()),
    };
    Lenses { simulator, client }
}

impl Lenses {
    /// Changes how the server behaves while it runs.
    pub fn switch(&self, set: impl FnOnce(&mut Switches)) {
        self.simulator.edit(|tenant| set(&mut tenant.switches));
    }

    /// A client with a token of its own, which may do what `grant` says.
    pub async fn caller(&self, name: &str, grant: Value) -> Client {
        let token = format!("{name}-token");
        self.credential(name, &token, grant).await;
        self.with(Login::Token(token))
    }

    /// A token that may do these actions on these resources.
    pub async fn holder(&self, name: &str, actions: &[&str], resources: &[&str]) -> Client {
        let statement = json!({"effect": "allow", "action": actions, "resource": resources});
        self.caller(name, json!({"policy": [statement]})).await
    }

    /// A user with a session.
    pub async fn session(&self, user: &str) -> Client {
        let session = format!("session-of-{user}");
        self.credential(&session, &format!("session_id={session}"), json!({"user": user})).await;
        self.with(Login::Session(session))
    }

    async fn credential(&self, name: &str, token: &str, grant: Value) {
        let add = json!({"action": "Add", "name": name, "token": token, "grant": grant});
        let added = self.post("/_sim/credentials", add).await;
        assert_eq!(added.status, 200, "{}", added.body);
    }

    /// A role that allows this action on that resource.
    pub async fn new_role(&self, name: &str, action: &str, resource: &str) {
        let policy = json!([{"effect": "allow", "action": action, "resource": resource}]);
        let role = self.post("/roles", json!({"name": name, "policy": policy})).await;
        assert_eq!(role.status, 201, "{}", role.body);
    }

    /// Whether somebody may do something.
    pub async fn permits(&self, principal: &str, action: &str, resource: &str) -> bool {
        self.verdict(principal, action, resource).await["permitted"].as_bool().unwrap()
    }

    /// Whether somebody may do something, and why.
    pub async fn verdict(&self, principal: &str, action: &str, resource: &str) -> Value {
        let query = format!("principal={principal}&action={action}&resource={resource}");
        let answer = self.get(&format!("/_sim/permits?{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    /// The names of the groups of a user or service account, as it shows them.
    pub async fn groups_of(&self, path: &str) -> Vec<String> {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        names(&answer.body["groups"])
    }
}

#[derive(Clone)]
pub enum Login {
    Token(String),
    Session(String),
    None,
}

#[derive(Clone)]
pub struct Client {
    pub http: reqwest::Client,
    pub url: String,
    pub prefix: String,
    pub login: Login,
}

impl Client {
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

    /// Sends to a path below `/api/v1`, or to one of `/_sim`.
    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<Answer> {
        let is_control = path.starts_with("/_sim");
        let root = if is_control { String::new() } else { format!("{}/api/v1", self.prefix) };
        let mut request = self.http.request(method, format!("{}{root}{path}", self.url));
        if !is_control {
            request = match &self.login {
                Login::Token(token) => request.bearer_auth(token),
                Login::Session(session) => request.header("Cookie", format!("a=b; session_id={session}")),
                Login::None => request,
            };
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let bytes = response.bytes().await?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Answer { status, headers, body, length: bytes.len() })
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    /// Bytes of the body.
    pub length: usize,
}

impl Answer {
    pub fn text(&self, field: &str) -> String {
        self.body[field].as_str().unwrap_or_else(|| panic!("no {field} in {}", self.body)).to_owned()
    }

    /// The names in a list that was answered.
    pub fn names(&self) -> Vec<String> {
        names(&self.body["items"])
    }

    /// The entry of this name in a list that was answered.
    pub fn item(&self, name: &str) -> &Value {
        let items = self.body["items"].as_array().unwrap_or_else(|| panic!("no list: {}", self.body));
        items.iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("no {name} in {items:?}"))
    }

    pub fn content_type(&self) -> &str {
        self.headers["content-type"].to_str().unwrap()
    }
}

/// The names in a list.
pub fn names(list: &Value) -> Vec<String> {
    let entries = list.as_array().unwrap_or_else(|| panic!("no list: {list}"));
    entries.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
}
