//! Pages of lists: `limit`, `cursor` and the envelope (contract 1.8).

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::problem::Problem;
use crate::{
    arize::rows::{ids::Id, switches::Switches},
    kit::{answer::Answer, call::Call},
};

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 100;

/// The requested part of a list.
pub struct Window {
    list: &'static str,
    /// Of the list and the other parameters: the cursor is valid only for these.
    fingerprint: u64,
    limit: usize,
    /// The entry after which the page starts.
    pub after: Option<Id>,
}

impl Window {
    /// Reads `limit` and `cursor`. `list` is the key of the list in the response.
    ///
    /// # Errors
    /// 400 for a limit outside of 1 to 100, and for a cursor that this list did not issue.
    pub fn of(list: &'static str, call: &Call, switches: &Switches) -> Result<Self, Problem> {
        let limit = match call.parameter("limit") {
            None => DEFAULT_LIMIT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|limit| (1..=MAX_LIMIT).contains(limit))
                .ok_or_else(|| Problem::invalid(format!("limit must be from 1 to {MAX_LIMIT}")))?,
        };
        let limit = switches.longest_page.map_or(limit, |longest| limit.min(longest.max(1)));
        let fingerprint = if switches.cursor_bound_to_filters { fingerprint(list, call) } else { 0 };
        let after = call
            .parameter("cursor")
            .map(|cursor| {
                open(cursor, list, fingerprint)
                    .ok_or_else(|| Problem::invalid("cursor is not valid for this list and these filters"))
            })
            .transpose()?;
        Ok(Self { list, fingerprint, limit, after })
    }

    /// The page of these entries, which start after [`Window::after`]. An entry without a value takes a slot
    /// of the page and is not shown: this is how a filter after the cut makes short and empty pages
    /// (contract 6.7).
    pub fn page(self, entries: impl Iterator<Item = (Id, Option<Value>)>) -> Answer {
        let mut entries = entries.peekable();
        let mut last = None;
        let mut shown = Vec::new();
        for (id, value) in entries.by_ref().take(self.limit) {
            last = Some(id);
            shown.extend(value);
        }
        let mut pagination = json!({ "has_more": entries.peek().is_some() });
        if let (Some(_), Some(last)) = (entries.peek(), last) {
            let cursor = format!("{}|{:x}|{last}", self.list, self.fingerprint);
            pagination["next_cursor"] = BASE64_STANDARD.encode(cursor).into();
        }
        Answer::ok(json!({ self.list: shown, "pagination": pagination }))
    }
}

/// The identifier in a cursor; none if the cursor is of another list or of other parameters.
fn open(cursor: &str, list: &str, fingerprint: u64) -> Option<Id> {
    let text = String::from_utf8(BASE64_STANDARD.decode(cursor).ok()?).ok()?;
    let rest = text.strip_prefix(list)?.strip_prefix('|')?;
    let (found, id) = rest.split_once('|')?;
    (u64::from_str_radix(found, 16).ok()? == fingerprint).then(|| id.parse().ok())?
}

/// FNV-1a of the list and its filters.
fn fingerprint(list: &str, call: &Call) -> u64 {
    let filters = call.query.iter().filter(|(name, _)| name != "limit" && name != "cursor");
    filters
        .flat_map(|(name, value)| [name.as_str(), "=", value.as_str(), "&"])
        .chain([list])
        .flat_map(str::bytes)
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Shortens a page of any list of this vendor; see [`crate::kit::Vendor::cut_page`].
pub fn cut(page: &mut Value, keep: usize, last: bool) {
    let Some(envelope) = page.as_object_mut() else { return };
    if !envelope.contains_key("pagination") {
        return;
    }
    for entries in envelope.values_mut().filter_map(Value::as_array_mut) {
        entries.truncate(keep);
    }
    if last {
        envelope.insert("pagination".into(), json!({ "has_more": false }));
    }
}
