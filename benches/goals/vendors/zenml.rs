//! ZenML Pro: who holds a role in a scope is asked for role by role and scope by scope.

use rolewright_simulators::zenml::ORGANIZATION;
use serde_json::{Value, json};

use super::{PAIRS, Scene};

/// Pages of roles, read until two readings agree, and a few short lists.
const LISTS: usize = 40;

pub fn scene() -> Scene {
    Scene {
        vendor: "zenml",
        title: "ZenML Pro",
        tenant: None,
        block: json!({ "organization": ORGANIZATION }),
        credential: "apiKeySecretRef",
        role: |_| {
            json!({
                "rules": [{ "actions": ["read"], "resources": ["pipeline", "pipeline_run"] }],
                "zenml": { "level": "Workspace" },
            })
        },
        binding,
        every: 2,
        calls: (
            PAIRS + LISTS,
            "one call for each role and scope in which something is held, as there is no list of all assignments",
        ),
        asks: |path| path == "/auth/login",
    }
}

fn binding(number: usize) -> Value {
    let (kind, name) = match number % 3 {
        0 => ("User", "alice@example.com"),
        1 => ("ServiceAccount", "nightly-training"),
        _ => ("Team", "sre"),
    };
    let workspace = if number.is_multiple_of(2) { "production" } else { "staging" };
    json!({ "subjects": [{ "kind": kind, "name": name }], "scope": { "workspace": workspace } })
}
