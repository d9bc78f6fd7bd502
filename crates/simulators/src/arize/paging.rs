//! Pages of lists: `limit`, `cursor`, and the envelope (contract 1, "Pagination envelope").

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};

use super::{call::Answer, ids::Id, problem::Problem, switches::Switches};
use crate::kit::call::Call;

const DEFAULT_LIMIT: usize = 50;
const MAX_LIMIT: usize = 100;

/// Which part of a list is asked for.
pub struct Window {
    list: &'static str,
    /// What the cursor is bound to: the list and the other parameters.
    seal: u64,
    limit: usize,
    /// The entry after which the page starts.
    pub after: Option<Id>,
}

impl Window {
    /// Reads `limit` and `cursor` of a list whose response key is `list`.
    ///
    /// # Errors
    /// 400 for a limit outside 1 to 100, and for a cursor that this list did not issue.
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
        let seal = if switches.cursor_bound_to_filters { seal(list, call) } else { 0 };
        let after = call
            .parameter("cursor")
            .map(|cursor| {
                open(cursor, list, seal).ok_or_else(|| Problem::invalid("cursor is not valid here"))
            })
            .transpose()?;
        Ok(Self { list, seal, limit, after })
    }

    /// The page made of `slots`, which start behind [`Window::after`]. A slot without a value takes its place
    /// on the page and is not shown: that is how filtering after the cut makes short and empty pages.
    pub fn page(self, slots: impl Iterator<Item = (Id, Option<Value>)>) -> Answer {
        let mut slots = slots.peekable();
        let mut last = None;
        let mut shown = Vec::new();
        for (id, value) in slots.by_ref().take(self.limit) {
            last = Some(id);
            shown.extend(value);
        }
        let mut pagination = json!({ "has_more": slots.peek().is_some() });
        if let (Some(_), Some(last)) = (slots.peek(), last) {
            let cursor = format!("{}|{:x}|{last}", self.list, self.seal);
            pagination["next_cursor"] = BASE64_STANDARD.encode(cursor).into();
        }
        Answer::ok(json!({ self.list: shown, "pagination": pagination }))
    }
}

fn open(cursor: &str, list: &str, seal: u64) -> Option<Id> {
    let text = String::from_utf8(BASE64_STANDARD.decode(cursor).ok()?).ok()?;
    let rest = text.strip_prefix(list)?.strip_prefix('|')?;
    let (sealed, id) = rest.split_once('|')?;
    (u64::from_str_radix(sealed, 16).ok()? == seal).then(|| id.parse().ok())?
}

/// A fingerprint of the list and its filters (FNV-1a).
fn seal(list: &str, call: &Call) -> u64 {
    let filters = call.query.iter().filter(|(name, _)| name != "limit" && name != "cursor");
    filters
        .flat_map(|(name, value)| [name.as_str(), "=", value.as_str(), "&"])
        .chain([list])
        .flat_map(str::bytes)
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// Shortens the page of any list of this vendor; see [`crate::kit::Vendor::cut_page`].
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
