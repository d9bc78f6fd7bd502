//! A plain HTTP client and a started simulator: what every test here needs.

use std::ops::Deref;

use reqwest::{Method, header::HeaderMap};
use rolewright::simulators::arize::{Id, Kind, Options, Simulator, Switches, Tenant};
use serde_json::{Value, json};

pub const TOKEN: &str = "admin-token";

/// A simulator, and a client with the account admin's token.
pub struct Arize {
    pub simulator: Simulator,
    client: Client,
}

impl Deref for Arize {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// The seeded tenant.
pub async fn arize() -> Arize {
    arize_with(|_| {}).await
}

/// The seeded tenant, on a server with these switches.
pub async fn arize_with(set: impl FnOnce(&mut Switches)) -> Arize {
    arize_of(|tenant| set(&mut tenant.switches)).await
}

/// The seeded tenant, changed.
pub async fn arize_of(change: impl FnOnce(&mut Tenant)) -> Arize {
    let mut options = Options::new(TOKEN);
    change(&mut options.tenant);
    let simulator = Simulator::start(options).await.unwrap();
    let client = Client { http: reqwest::Client::new(), url: simulator.url(), token: TOKEN.to_owned() };
    Arize { simulator, client }
}

impl Arize {
    pub fn user(&self, local_part: &str) -> String {
        let email = format!("{local_part}@example.com");
        self.simulator.edit(|tenant| tenant.user_by_email(&email)).unwrap().to_string()
    }

    pub fn space(&self, name: &str) -> String {
        self.simulator.edit(|tenant| tenant.space_by_name(name)).unwrap().to_string()
    }

    pub fn project(&self, space: &str, name: &str) -> String {
        let find = |tenant: &mut Tenant| tenant.project_by_name(tenant.space_by_name(space)?, name);
        self.simulator.edit(find).unwrap().to_string()
    }

    pub fn role(&self, name: &str) -> String {
        self.simulator.edit(|tenant| tenant.role_by_name(name)).unwrap().to_string()
    }

    /// A client with a token of its own, which may do what `grant` says.
    pub async fn caller(&self, name: &str, grant: Value) -> Client {
        let token = format!("{name}-token");
        let added = self
            .post("/_sim/credentials", json!({"action": "Add", "name": name, "token": token, "grant": grant}))
            .await;
        assert_eq!(added.status, 200, "{}", added.body);
        Client { token, ..self.client.clone() }
    }

    pub async fn new_role(&self, name: &str) -> String {
        let role = self.post("/v2/roles", json!({"name": name, "permissions": ["PROJECT_READ"]})).await;
        assert_eq!(role.status, 201, "{}", role.body);
        role.text("id")
    }

    pub async fn bind(&self, user: &str, role: &str, project: &str) -> Answer {
        let body = json!({
            "user_id": user,
            "role_id": role,
            "resource_type": "PROJECT",
            "resource_id": project,
        });
        self.post("/v2/role-bindings", body).await
    }
}

/// An identifier that is well-formed and names nothing.
pub fn absent(kind: Kind) -> String {
    Id::issue(kind, 999_999).to_string()
}

#[derive(Clone)]
pub struct Client {
    pub http: reqwest::Client,
    pub url: String,
    pub token: String,
}

impl Client {
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

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<Answer> {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if !path.starts_with("/_sim") {
            request = request.bearer_auth(&self.token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await?;
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let bytes = response.bytes().await?;
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Ok(Answer { status, headers, bytes: bytes.to_vec(), body })
    }

    /// All entries of a list, page by page.
    pub async fn all(&self, path: &str, key: &str) -> Vec<Value> {
        let mut entries = Vec::new();
        let mut cursor = String::new();
        loop {
            let joint = if path.contains('?') { '&' } else { '?' };
            let page = self.get(&format!("{path}{joint}limit=100{cursor}")).await;
            assert_eq!(page.status, 200, "{}", page.body);
            entries.extend(page.body[key].as_array().unwrap().iter().cloned());
            if page.body["pagination"]["has_more"] == false {
                return entries;
            }
            let next = page.body["pagination"]["next_cursor"].as_str().unwrap();
            cursor = format!("&cursor={}", next.replace('=', "%3D"));
        }
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub bytes: Vec<u8>,
    pub body: Value,
}

impl Answer {
    pub fn text(&self, field: &str) -> String {
        self.body[field].as_str().unwrap_or_else(|| panic!("no {field} in {}", self.body)).to_owned()
    }

    pub fn names(&self, key: &str) -> Vec<String> {
        let entries = self.body[key].as_array().unwrap_or_else(|| panic!("no {key} in {}", self.body));
        entries.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect()
    }
}
