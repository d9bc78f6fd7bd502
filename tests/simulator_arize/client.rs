//! Helpers for the tests of Arize's simulator.

use rolewright_simulators::arize::{self, Id, Kind, Switches, Tenant};
use serde_json::{Value, json};

pub use crate::support::{Answer, Client, Login};
use crate::support::{Started, Tested, texts};

pub const TOKEN: &str = arize::Arize::TOKEN;

impl Tested for arize::Arize {}

/// A simulator, and a client with the account admin's token.
pub type Arize = Started<arize::Arize>;

/// A simulator of the seeded tenant.
pub async fn arize() -> Arize {
    Arize::seeded().await
}

/// A simulator of the seeded tenant with other switches.
pub async fn arize_with(set: impl FnOnce(&mut Switches)) -> Arize {
    Arize::switched(set).await
}

/// A simulator of a changed seed.
pub async fn arize_of(change: impl FnOnce(&mut Tenant)) -> Arize {
    Arize::of(change).await
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

/// A well-formed identifier of no row.
pub fn absent(kind: Kind) -> String {
    Id::issue(kind, 999_999).to_string()
}

impl Client {
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

impl Answer {
    pub fn names(&self, key: &str) -> Vec<String> {
        texts(&self.body[key], "name")
    }
}
