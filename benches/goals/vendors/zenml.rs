//! ZenML Pro: assignments are read for each role and scope, because no list shows them all.

use rolewright_simulators::zenml::ORGANIZATION;
use serde_json::{Value, json};

use super::{PAIRS, Vendor};

/// Requests for the eleven pages of roles, and for some short lists.
const LISTS: usize = 20;

pub fn vendor() -> Vendor {
    Vendor {
        name: "zenml",
        namespace: "zenml",
        title: "ZenML Pro",
        tenant: None,
        roles: PAIRS,
        bindings: PAIRS,
        block: json!({ "organization": ORGANIZATION }),
        credential: "apiKeySecretRef",
        role: |_| {
            json!({
                "rules": [{ "actions": ["read"], "resources": ["pipeline", "pipeline_run"] }],
                "zenml": { "level": "Workspace" },
            })
        },
        binding,
        sweep_seconds: 2,
        max_requests: PAIRS + LISTS,
        reason: "each sweep sends one request for each role and scope with a managed grant, because no list shows all assignments",
        is_read: |path| path == "/auth/login",
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
