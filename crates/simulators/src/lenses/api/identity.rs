//! The fields that distinguish a role or group from another one with the same name (contract 2.1).

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::lenses::rows::switches::{Ids, Switches};

/// Where an answer shows a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// In a list, or inside another row.
    Compact,
    /// Alone.
    Full,
}

/// Adds the fields that this server shows.
pub fn show(body: &mut Value, id: &str, created_at: Timestamp, detail: Detail, switches: &Switches) {
    let ids = match detail {
        Detail::Compact => switches.ids_in_lists.unwrap_or(switches.ids),
        Detail::Full => switches.ids,
    };
    let ids = match ids {
        Ids::Alternating if switches.replica_without_ids => Ids::Absent,
        Ids::Alternating => Ids::Text,
        ids => ids,
    };
    match ids {
        Ids::Text | Ids::IdsOnly => body["id"] = json!(id),
        Ids::Number => body["id"] = json!(number(id)),
        Ids::TimesOnly | Ids::Absent | Ids::Alternating => {}
    }
    if matches!(ids, Ids::Text | Ids::Number | Ids::TimesOnly) {
        body["created_at"] = json!(created_at);
    }
}

/// The first 32 bits of a UUID.
fn number(id: &str) -> u64 {
    id.get(..8).and_then(|digits| u64::from_str_radix(digits, 16).ok()).unwrap_or_default()
}
