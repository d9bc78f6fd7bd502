//! A plain HTTP client and a started simulator: what every test here needs.

use std::ops::Deref;

use reqwest::{Method, header::HeaderMap};
use rolewright::simulators::zenml::{ORGANIZATION, Options, PARTNERS, Simulator, Switches, Tenant, Uuid};
use serde_json::{Value, json};

pub const TOKEN: &str = "ZENPROKEY_admin-key";

/// A simulator, and a client with the organization admin's key.
pub struct ZenMl {
    pub simulator: Simulator,
    client: Client,
}

impl Deref for ZenMl {
    type Target = Client;

    fn deref(&self) -> &Client {
        &self.client
    }
}

/// The seeded tenant.
pub async fn zenml() -> ZenMl {
    zenml_with(|_| {}).await
}

/// The seeded tenant, on a server with these switches.
pub async fn zenml_with(set: impl FnOnce(&mut Switches)) -> ZenMl {
    zenml_of(|tenant| set(&mut tenant.switches)).await
}

/// The seeded tenant, changed.
pub async fn zenml_of(change: impl FnOnce(&mut Tenant)) -> ZenMl {
    let mut options = Options::new(TOKEN);
    change(&mut options.tenant);
    let simulator = Simulator::start(options).await.unwrap();
    let client = Client { http: reqwest::Client::new(), url: simulator.url(), token: Some(TOKEN.to_owned()) };
    ZenMl { simulator, client }
}

impl ZenMl {
    /// Changes how the server behaves while it runs.
    pub fn switch(&self, set: impl FnOnce(&mut Switches)) {
        self.simulator.edit(|tenant| set(&mut tenant.switches));
    }

    fn find(&self, find: impl FnOnce(&Tenant, Uuid) -> Option<Uuid>) -> String {
        let id =
            self.simulator.edit(|tenant| find(tenant, tenant.organization_by_name(ORGANIZATION).unwrap()));
        id.unwrap().to_string()
    }

    pub fn organization(&self) -> String {
        self.find(|_, acme| Some(acme))
    }

    pub fn partners(&self) -> String {
        self.find(|tenant, _| tenant.organization_by_name(PARTNERS))
    }

    pub fn user(&self, login: &str) -> String {
        self.find(|tenant, _| tenant.user_by_email(&format!("{login}@example.com")))
    }

    pub fn team(&self, name: &str) -> String {
        self.find(|tenant, acme| tenant.team_by_name(acme, name))
    }

    pub fn account(&self, name: &str) -> String {
        self.find(|tenant, acme| tenant.service_account_by_name(acme, name))
    }

    pub fn role(&self, name: &str) -> String {
        self.find(|tenant, acme| tenant.role_by_name(acme, name))
    }

    pub fn workspace(&self, name: &str) -> String {
        self.find(|tenant, acme| tenant.workspace_by_name(acme, name))
    }

    pub fn project(&self, workspace: &str, name: &str) -> String {
        self.find(|tenant, acme| {
            let workspace = tenant.workspace_by_name(acme, workspace)?;
            tenant.project_by_name(workspace, name)
        })
    }

    pub fn partners_role(&self, name: &str) -> String {
        self.find(|tenant, _| tenant.role_by_name(tenant.organization_by_name(PARTNERS)?, name))
    }

    /// A client with a key of its own, which may do what `grant` says.
    pub async fn caller(&self, name: &str, grant: Value) -> Client {
        let token = format!("ZENPROKEY_{name}");
        let add = json!({"action": "Add", "name": name, "token": token, "grant": grant});
        let added = self.post("/_sim/credentials", add).await;
        assert_eq!(added.status, 200, "{}", added.body);
        self.with(Some(&token))
    }

    /// A personal access token of somebody.
    pub async fn person(&self, login: &str) -> Client {
        self.caller(&format!("pat-{login}"), json!({"user_id": self.user(login)})).await
    }

    /// A custom role that may read pipelines.
    pub async fn new_role(&self, level: &str, name: &str) -> String {
        let created = self.post("/roles", self.role_body(level, name)).await;
        assert_eq!(created.status, 200, "{}", created.body);
        created.text("id")
    }

    pub fn role_body(&self, level: &str, name: &str) -> Value {
        json!({
            "name": name,
            "organization_id": self.organization(),
            "level": level,
            "system_managed": false,
            "permissions": [{"resource": "pipeline", "actions": ["read"]}],
        })
    }

    /// The roles that a list of the first organization shows.
    pub async fn roles(&self, query: &str) -> Vec<String> {
        let answer = self.get(&format!("/organizations/acme/roles{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.each("name")
    }
}

#[derive(Clone)]
pub struct Client {
    pub http: reqwest::Client,
    pub url: String,
    pub token: Option<String>,
}

impl Client {
    /// The same, with another token.
    pub fn with(&self, token: Option<&str>) -> Self {
        Self { token: token.map(str::to_owned), ..self.clone() }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None).await.unwrap()
    }

    pub async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, Some(body)).await.unwrap()
    }

    /// POST without a body or content type.
    pub async fn post_nothing(&self, path: &str) -> Answer {
        self.send(Method::POST, path, None).await.unwrap()
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

    /// Logs in with these fields of a form.
    pub async fn login(&self, form: &str) -> Answer {
        let request = self.http.post(format!("{}/auth/login", self.url));
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        Answer::of(request.body(form.to_owned()).send().await.unwrap()).await.unwrap()
    }

    /// A client with a session instead of the key.
    pub async fn session(&self) -> Self {
        let key = self.token.clone().unwrap();
        let answer = self.login(&format!("password={key}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.with(Some(&answer.text("access_token")))
    }

    pub async fn send(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<Answer> {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if let Some(token) = self.token.as_ref().filter(|_| !path.starts_with("/_sim")) {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        Answer::of(request.send().await?).await
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Value,
    /// What came if it is no JSON.
    pub raw: String,
}

impl Answer {
    async fn of(response: reqwest::Response) -> reqwest::Result<Self> {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let raw = response.text().await?;
        let body = serde_json::from_str(&raw).unwrap_or(Value::Null);
        Ok(Self { status, headers, body, raw })
    }

    pub fn text(&self, field: &str) -> String {
        self.body[field].as_str().unwrap_or_else(|| panic!("no {field} in {}", self.body)).to_owned()
    }

    /// One field of each entry of a list; null is an empty text.
    pub fn each(&self, field: &str) -> Vec<String> {
        let entries = self.body.as_array().unwrap_or_else(|| panic!("no list: {}", self.body));
        entries.iter().map(|entry| entry[field].as_str().unwrap_or_default().to_owned()).collect()
    }

    /// Status, and the exception's class.
    pub fn exception(&self) -> (u16, String) {
        (self.status, self.body["detail"][0].as_str().unwrap_or_default().to_owned())
    }

    /// Which value a 422 complains about.
    pub fn invalid(&self) -> Value {
        assert_eq!(self.status, 422, "{}", self.body);
        let entry = &self.body["detail"][0];
        assert!(entry["msg"].is_string() && entry["type"].is_string(), "{}", self.body);
        entry["loc"].clone()
    }
}

/// A refusal for want of permission, or for good.
pub fn illegal() -> (u16, String) {
    (403, "IllegalOperationError".to_owned())
}

/// What is not there.
pub fn missing() -> (u16, String) {
    (404, "KeyError".to_owned())
}

/// What is there already.
pub fn exists() -> (u16, String) {
    (409, "EntityExistsError".to_owned())
}
