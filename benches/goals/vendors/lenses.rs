//! Lenses HQ: its lists show neither policies nor members, and each binding to people has a group of its own.

use rolewright_simulators::lenses::ADMIN_ACCOUNT;
use serde_json::{Value, json};

use super::{PAIRS, Scene};

/// What is held is read whole in turn, all of it within so many sweeps.
const SWEEPS: usize = 6;
/// Roles, groups, users, service accounts; what the account may do.
const LISTS: usize = 10;

pub fn scene() -> Scene {
    Scene {
        vendor: "lenses",
        title: "Lenses HQ",
        tenant: None,
        block: json!({ "serviceAccount": ADMIN_ACCOUNT }),
        credential: "tokenSecretRef",
        role: |_| json!({ "rules": [{ "actions": ["kafka:ListTopics"], "resources": ["kafka:topic:development/*"] }] }),
        binding,
        every: 2,
        calls: (
            2 * PAIRS.div_ceil(SWEEPS) + LISTS,
            "a sixth of the held roles and a sixth of the groups are read whole in turn each sweep, because no list shows what is in them",
        ),
        asks: |_| false,
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
