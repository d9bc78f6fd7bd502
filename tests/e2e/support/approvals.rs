//! Decisions about plans that wait.

use kube::api::DynamicObject;
use serde_json::{Value, json};

use super::{account::Account, manifests::object, status::plan, world::World};

/// An Approval.
pub fn approval(name: &str, kind: &str, target: &str, plan: &str, decision: &str) -> Value {
    let spec = json!({
        "target": { "kind": kind, "name": target },
        "plan": plan,
        "decision": decision,
        "approvedBy": "alice@example.com",
        "reason": "INC-123",
    });
    object("Approval", name, spec)
}

/// The hash of the plan of an object.
pub fn plan_hash(object: &DynamicObject) -> String {
    plan(object)["hash"].as_str().unwrap_or_else(|| panic!("no plan: {object:?}")).to_owned()
}

impl<V: Account> World<V> {
    /// Approves the plan with this hash, with an Approval of this name.
    pub async fn approve(&self, name: &str, kind: &str, target: &str, plan: &str) {
        self.apply(approval(name, kind, target, plan, "Approve")).await;
    }

    /// Waits until an Approval has this state, and returns its message.
    pub async fn decided(&self, name: &str, state: &str) -> String {
        let decided = self
            .until("Approval", name, &format!("decided: {state}"), |approval| {
                approval.data["status"]["state"] == state
            })
            .await;
        decided.data["status"]["message"].as_str().unwrap_or_default().to_owned()
    }

    /// Waits until a Backend shows that the plans of exactly these objects wait, and returns what it shows.
    pub async fn waiting(&self, backend: &str, objects: &[(&str, &str)]) -> Value {
        let mut names: Vec<String> = objects.iter().map(|(kind, name)| format!("{kind} {name}")).collect();
        names.sort();
        let shown = self
            .until("Backend", backend, &format!("the plans of {names:?} wait"), |backend| {
                backend.data["status"]["waiting"]["names"] == json!(names)
            })
            .await;
        shown.data["status"]["waiting"].clone()
    }
}
