//! Helpers for the tests of the ZenML simulator.

use reqwest::Method;
use rolewright_simulators::zenml::{self, ORGANIZATION, PARTNERS, Switches, Tenant, Uuid};
use serde_json::{Value, json};

pub use crate::support::{Answer, Client, Login};
use crate::support::{Started, Tested, texts};

pub const TOKEN: &str = zenml::ZenMl::TOKEN;

impl Tested for zenml::ZenMl {
    const TOKEN: &'static str = "ZENPROKEY_admin-key";

    fn token(name: &str) -> String {
        format!("ZENPROKEY_{name}")
    }
}

/// A running simulator, and a client with the API key of an organization admin.
pub type ZenMl = Started<zenml::ZenMl>;

/// Starts a simulator with the seeded tenant.
pub async fn zenml() -> ZenMl {
    ZenMl::seeded().await
}

/// Starts a simulator with the seeded tenant and other switches.
pub async fn zenml_with(set: impl FnOnce(&mut Switches)) -> ZenMl {
    ZenMl::switched(set).await
}

/// Starts a simulator with a changed seed.
pub async fn zenml_of(change: impl FnOnce(&mut Tenant)) -> ZenMl {
    ZenMl::of(change).await
}

impl ZenMl {
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

    /// A client with a personal access token of this user.
    pub async fn person(&self, login: &str) -> Client {
        self.caller(&format!("pat-{login}"), json!({"user_id": self.user(login)})).await
    }

    /// Creates a custom role that permits to read pipelines. Returns its identifier.
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

    /// The names in a role list of the first organization.
    pub async fn roles(&self, query: &str) -> Vec<String> {
        let answer = self.get(&format!("/organizations/acme/roles{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.each("name")
    }
}

impl Client {
    /// Logs in with this form.
    pub async fn login(&self, form: &str) -> Answer {
        let request = self.with(Login::None).signed(Method::POST, "/auth/login");
        let request = request.header("Content-Type", "application/x-www-form-urlencoded");
        Answer::of(request.body(form.to_owned()).send().await.unwrap()).await.unwrap()
    }

    /// A client with a session of this client's key.
    pub async fn session(&self) -> Self {
        let answer = self.login(&format!("password={}", self.token())).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        self.with(Login::Token(answer.text("access_token")))
    }
}

impl Answer {
    /// One field of each entry of the list; empty for null.
    pub fn each(&self, field: &str) -> Vec<String> {
        texts(&self.body, field)
    }

    /// The status, and the class of the exception.
    pub fn exception(&self) -> (u16, String) {
        (self.status, self.body["detail"][0].as_str().unwrap_or_default().to_owned())
    }

    /// The place of the invalid value in a 422.
    pub fn invalid(&self) -> Value {
        assert_eq!(self.status, 422, "{}", self.body);
        let entry = &self.body["detail"][0];
        assert!(entry["msg"].is_string() && entry["type"].is_string(), "{}", self.body);
        entry["loc"].clone()
    }
}

/// The refusal of an operation that is not permitted.
pub fn illegal() -> (u16, String) {
    (403, "IllegalOperationError".to_owned())
}

/// The answer for a row that does not exist.
pub fn missing() -> (u16, String) {
    (404, "KeyError".to_owned())
}

/// The answer for a row that exists already.
pub fn exists() -> (u16, String) {
    (409, "EntityExistsError".to_owned())
}
