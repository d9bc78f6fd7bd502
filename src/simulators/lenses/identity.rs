//! What tells a role or a group from another that has had its name (contract 2.1): made by the server, opaque.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::switches::{Ids, Switches};

/// Adds to a body what this server shows of it.
pub fn show(body: &mut Value, id: &str, created_at: Timestamp, switches: &Switches) {
    match switches.ids {
        Ids::Text => body["id"] = json!(id),
        Ids::Number => body["id"] = json!(number(id)),
        Ids::TimesOnly | Ids::Absent => {}
    }
    if switches.ids != Ids::Absent {
        body["created_at"] = json!(created_at);
    }
}

/// The first 32 bits of a UUID.
fn number(id: &str) -> u64 {
    id.get(..8).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default()
}
