//! Helpers for the tests of the Lenses simulator.

use rolewright_simulators::lenses::{self, Switches};
use serde_json::{Value, json};

pub use crate::support::{Answer, Client, Login};
use crate::support::{Started, Tested, texts};

impl Tested for lenses::Lenses {
    const ROOT: &'static str = "/api/v1";
}

/// A running simulator, and a client with the administrator's token.
pub type Lenses = Started<lenses::Lenses>;

/// Starts a simulator with the seeded tenant.
pub async fn lenses() -> Lenses {
    Lenses::seeded().await
}

/// Starts a simulator with the seeded tenant and other switches.
pub async fn lenses_with(set: impl FnOnce(&mut Switches)) -> Lenses {
    Lenses::switched(set).await
}

impl Lenses {
    /// A client whose token permits these actions on these resources.
    pub async fn holder(&self, name: &str, actions: &[&str], resources: &[&str]) -> Client {
        let statement = json!({"effect": "allow", "action": actions, "resource": resources});
        self.caller(name, json!({"policy": [statement]})).await
    }

    /// A client with a session of this user.
    pub async fn session(&self, user: &str) -> Client {
        let name = format!("session-of-{user}");
        self.credential(&name, &format!("session_id={name}"), json!({"user": user})).await;
        self.with(session(&name))
    }

    /// Creates a role that allows this action on this resource.
    pub async fn new_role(&self, name: &str, action: &str, resource: &str) {
        let policy = json!([{"effect": "allow", "action": action, "resource": resource}]);
        let role = self.post("/roles", json!({"name": name, "policy": policy})).await;
        assert_eq!(role.status, 201, "{}", role.body);
    }

    /// Whether a principal can do this.
    pub async fn permits(&self, principal: &str, action: &str, resource: &str) -> bool {
        self.decision(principal, action, resource).await["permitted"].as_bool().unwrap()
    }

    /// Whether a principal can do this, and why.
    pub async fn decision(&self, principal: &str, action: &str, resource: &str) -> Value {
        let query = format!("principal={principal}&action={action}&resource={resource}");
        let answer = self.get(&format!("/_sim/permits?{query}")).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body
    }

    /// The names of the groups in the answer for a user or service account.
    pub async fn groups_of(&self, path: &str) -> Vec<String> {
        let answer = self.get(path).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        names(&answer.body["groups"])
    }
}

/// The cookies of a session, with another cookie before it.
pub fn session(name: &str) -> Login {
    Login::Cookies(format!("a=b; session_id={name}"))
}

impl Answer {
    /// The names in the list of this answer.
    pub fn names(&self) -> Vec<String> {
        names(&self.body["items"])
    }

    /// The entry with this name in the list of this answer.
    pub fn item(&self, name: &str) -> &Value {
        let items = self.body["items"].as_array().unwrap_or_else(|| panic!("no list: {}", self.body));
        items.iter().find(|item| item["name"] == name).unwrap_or_else(|| panic!("no {name} in {items:?}"))
    }

    pub fn content_type(&self) -> &str {
        self.header("content-type")
    }
}

/// The names in a list.
pub fn names(list: &Value) -> Vec<String> {
    texts(list, "name")
}
