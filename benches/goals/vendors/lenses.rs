//! Lenses HQ: its lists show neither policies nor members, and each binding to users has its own group.

use rolewright_simulators::lenses::ADMIN_ACCOUNT;
use serde_json::{Value, json};

use super::{PAIRS, Vendor};

/// Every managed role and group is read once within this number of sweeps.
const SWEEPS: usize = 6;
/// Requests for lists, and for the rights of the service account.
const LISTS: usize = 10;

pub fn vendor() -> Vendor {
    Vendor {
        name: "lenses",
        namespace: "lenses",
        title: "Lenses HQ",
        tenant: None,
        roles: PAIRS,
        bindings: PAIRS,
        block: json!({ "serviceAccount": ADMIN_ACCOUNT }),
        credential: "tokenSecretRef",
        role: |_| json!({ "rules": [{ "actions": ["kafka:ListTopics"], "resources": ["kafka:topic:development/*"] }] }),
        binding,
        sweep_seconds: 2,
        max_requests: 2 * PAIRS.div_ceil(SWEEPS) + LISTS,
        reason: "each sweep reads a sixth of the managed roles and groups in turn, because lists show neither policies nor members",
        is_read: |_| false,
    }
}

fn binding(number: usize) -> Value {
    let (kind, name) = if number.is_multiple_of(2) {
        ("User", "alice@example.com")
    } else {
        ("ServiceAccount", "nightly-reports")
    };
    json!({ "subjects": [{ "kind": kind, "name": name }] })
}
