//! What tells a role or a group from another that has had its name (contract 2.1): made by the server, opaque.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::lenses::rows::switches::{Ids, Switches};

/// Where it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a list, or inside something else.
    Row,
    /// Where the thing is answered by itself.
    Itself,
}

/// Adds to a body what this server shows of it.
pub fn show(body: &mut Value, id: &str, created_at: Timestamp, place: Place, switches: &Switches) {
    let ids = match place {
        Place::Row => switches.ids_in_lists.unwrap_or(switches.ids),
        Place::Itself => switches.ids,
    };
    let ids = match ids {
        Ids::Alternating if switches.nameless => Ids::Absent,
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
