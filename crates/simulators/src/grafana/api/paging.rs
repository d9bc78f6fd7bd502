//! Pages of lists: by number, and in the envelope of each kind of list.

use serde_json::{Value, json};

use super::call::Scene;

/// The default size of a page (contract 2.6).
const DEFAULT_SIZE: usize = 1_000;

/// The fields of envelopes with the length of the whole list.
const TOTALS: [&str; 2] = ["totalCount", "total"];

/// The requested part of a list.
pub struct Page {
    /// From 1.
    number: usize,
    /// The maximum number of entries.
    size: usize,
}

impl Page {
    /// Reads `page` and `perpage`; 0 counts as absent.
    pub fn of(scene: &Scene<'_>) -> Self {
        Self::sized(scene, "perpage")
    }

    /// Reads `page` and `limit`, which lists of folders and searches have instead of `perpage`.
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

    /// The page in an envelope. `key` is the field of the list.
    pub fn envelope(&self, key: &str, entries: Vec<Value>) -> Value {
        json!({
            "totalCount": entries.len(),
            key: self.cut(entries.into_iter()),
            "page": self.number,
            "perPage": self.size,
        })
    }
}

/// Shortens any list of this vendor; see [`crate::kit::Vendor::cut_page`]. A list is an array, an envelope
/// with the length, or a map by number.
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
