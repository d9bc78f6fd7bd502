//! Pages: part of a list by number, and what cuts one short.

use serde_json::{Value, json};

use super::call::Scene;

/// Entries of a page where the request does not say (contract 2.6).
const DEFAULT_SIZE: usize = 1_000;

/// What the length of a whole list is called in envelopes.
const TOTALS: [&str; 2] = ["totalCount", "total"];

/// Which part of a list is asked for.
pub struct Page {
    /// Its number, from 1.
    number: usize,
    /// Entries at most.
    size: usize,
}

impl Page {
    /// Reads `page` and `perpage`; 0 is as good as absent.
    pub fn of(scene: &Scene<'_>) -> Self {
        Self::sized(scene, "perpage")
    }

    /// Reads `page` and `limit`, as folders and searches call it.
    pub fn limited(scene: &Scene<'_>) -> Self {
        Self::sized(scene, "limit")
    }

    fn sized(scene: &Scene<'_>, size: &str) -> Self {
        let size = match scene.number(size, DEFAULT_SIZE) {
            0 => DEFAULT_SIZE,
            size => size,
        };
        Self { number: scene.number("page", 1).max(1), size }
    }

    /// The entries of this page.
    pub fn cut(&self, entries: impl Iterator<Item = Value>) -> Vec<Value> {
        entries.skip((self.number - 1).saturating_mul(self.size)).take(self.size).collect()
    }

    /// The page in its envelope, under the list's key.
    pub fn envelope(&self, key: &str, entries: Vec<Value>) -> Value {
        json!({
            "totalCount": entries.len(),
            key: self.cut(entries.into_iter()),
            "page": self.number,
            "perPage": self.size,
        })
    }
}

/// Shortens any list of this vendor; see [`crate::kit::Vendor::cut_page`]. Lists are plain, in an
/// envelope with their length, or maps by number.
pub fn cut(page: &mut Value, keep: usize, last: bool) {
    match page {
        Value::Array(entries) => entries.truncate(keep),
        Value::Object(envelope) if TOTALS.iter().any(|total| envelope.contains_key(*total)) => {
            for entries in envelope.values_mut().filter_map(Value::as_array_mut) {
                entries.truncate(keep);
            }
            for total in TOTALS.into_iter().filter(|_| last) {
                envelope.entry(total).and_modify(|count| *count = keep.into());
            }
        }
        Value::Object(map) if map.keys().all(|key| key.parse::<i64>().is_ok()) => {
            let dropped: Vec<String> = map.keys().skip(keep).cloned().collect();
            for key in dropped {
                map.remove(&key);
            }
        }
        _ => {}
    }
}
