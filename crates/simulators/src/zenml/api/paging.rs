//! Lists: bare arrays, by `offset` and `limit` (contract 1, "Pagination").

use std::cmp::Reverse;

use serde_json::Value;

use super::{call::Scene, problem::Problem};
use crate::zenml::rows::{listed::Listed, switches::ListOrder};

/// Entries of a page, at most and if the request does not say.
const LONGEST: usize = 100;

/// Which part of a list is asked for.
pub struct Page {
    offset: usize,
    limit: usize,
}

impl Page {
    /// Reads `offset` and `limit`.
    ///
    /// # Errors
    /// 422 for what is no number, negative, or more than the longest page.
    pub fn of(scene: &Scene<'_>) -> Result<Self, Problem> {
        let number = |name: &str, least: usize, most: usize, default: usize| {
            let Some(text) = scene.call.parameter(name) else { return Ok(default) };
            let number = text.parse::<i64>().map_err(|_| {
                Problem::invalid("query", name, "Input should be a valid integer", "int_parsing")
            })?;
            usize::try_from(number).ok().filter(|number| (least..=most).contains(number)).ok_or_else(|| {
                let message = format!("Input should be between {least} and {most}");
                Problem::invalid("query", name, &message, "out_of_range")
            })
        };
        Ok(Self { offset: number("offset", 0, usize::MAX, 0)?, limit: number("limit", 1, LONGEST, LONGEST)? })
    }

    /// The same for lists whose documentation knows no pages: whole unless a switch says otherwise.
    ///
    /// # Errors
    /// As [`Page::of`].
    pub fn undocumented(scene: &Scene<'_>) -> Result<Self, Problem> {
        if scene.tenant.switches.more_lists_paged {
            Self::of(scene)
        } else {
            Ok(Self { offset: 0, limit: usize::MAX })
        }
    }

    /// The entries of this page.
    pub fn cut<T>(&self, entries: impl IntoIterator<Item = T>) -> impl Iterator<Item = T> {
        entries.into_iter().skip(self.offset).take(self.limit)
    }
}

/// Rows in the order in which this server lists them.
pub fn arranged<'a, T: Listed>(rows: impl Iterator<Item = &'a T>, scene: &Scene<'_>) -> Vec<&'a T> {
    let mut rows: Vec<&T> = rows.collect();
    let switches = &scene.tenant.switches;
    match switches.list_order {
        ListOrder::OldestFirst => rows.sort_by_key(|row| (row.created(), row.id())),
        ListOrder::NewestFirst => rows.sort_by_key(|row| Reverse((row.created(), row.id()))),
        ListOrder::Shuffled => scene.vendor.dice.next(switches.shuffle_seed).shuffle(&mut rows),
    }
    rows
}

/// Shortens any list of this vendor; see [`crate::kit::Vendor::cut_page`]. No list says whether
/// more follows.
pub fn cut(page: &mut Value, keep: usize) {
    if let Value::Array(entries) = page {
        entries.truncate(keep);
    }
}
