//! Lists: bare arrays with `offset` and `limit` (contract 1.4).

use std::cmp::Reverse;

use serde_json::Value;

use super::{call::Scene, problem::Problem};
use crate::zenml::rows::{listed::Listed, switches::ListOrder};

/// The maximum and the default of `limit`.
const MAX_LIMIT: usize = 100;

/// The requested part of a list.
pub struct Page {
    offset: usize,
    limit: usize,
}

impl Page {
    /// Reads `offset` and `limit`.
    ///
    /// # Errors
    /// 422 for a value that is not a number, is negative or is too large.
    pub fn of(scene: &Scene<'_>) -> Result<Self, Problem> {
        let number = |name: &str, min: usize, max: usize, default: usize| {
            let Some(text) = scene.call.parameter(name) else { return Ok(default) };
            let number = text.parse::<i64>().map_err(|_| {
                Problem::invalid("query", name, "Input should be a valid integer", "int_parsing")
            })?;
            usize::try_from(number).ok().filter(|number| (min..=max).contains(number)).ok_or_else(|| {
                let message = format!("Input should be between {min} and {max}");
                Problem::invalid("query", name, &message, "out_of_range")
            })
        };
        Ok(Self {
            offset: number("offset", 0, usize::MAX, 0)?,
            limit: number("limit", 1, MAX_LIMIT, MAX_LIMIT)?,
        })
    }

    /// The same for lists without pages in the documentation: the whole list, unless a switch adds pages.
    ///
    /// # Errors
    /// As [`Page::of`].
    pub fn if_paged(scene: &Scene<'_>) -> Result<Self, Problem> {
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

/// The rows in the order of this server's lists.
pub fn ordered<'a, T: Listed>(rows: impl Iterator<Item = &'a T>, scene: &Scene<'_>) -> Vec<&'a T> {
    let mut rows: Vec<&T> = rows.collect();
    let switches = &scene.tenant.switches;
    match switches.list_order {
        ListOrder::OldestFirst => rows.sort_by_key(|row| (row.created(), row.id())),
        ListOrder::NewestFirst => rows.sort_by_key(|row| Reverse((row.created(), row.id()))),
        ListOrder::Shuffled => scene.vendor.dice.next(switches.shuffle_seed).shuffle(&mut rows),
    }
    rows
}

/// Shortens a list; see [`crate::kit::Vendor::cut_page`]. Lists have no information about further pages.
pub fn cut(page: &mut Value, keep: usize) {
    if let Value::Array(entries) = page {
        entries.truncate(keep);
    }
}
