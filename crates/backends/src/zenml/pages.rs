//! Reads lists to their ends. Pages are bare arrays by offset and limit, without a total and without an order (contract 1.4).
//!
//! A page that is shorter than the limit is not always the last one: a server can send fewer items than the limit, and its maximum is not
//! published. The last page is one without new items: an empty page, or the same page again from a server without pages. If a thing is
//! deleted while the pages are read, the next one moves to a page that was already read. So the second page starts with the last item of the
//! first one. If it has that item and no other, nothing moved and nothing follows, whatever the page size of the server. Any other list is
//! read until two readings show the same things.

use std::collections::BTreeMap;

use super::{
    connection::{Call, Connection},
    wire::Listed,
};
use crate::{
    Error,
    reading::{MAX_PAGES, endless_list, page_error},
};

/// The maximum of a page (contract 1.4).
const LIMIT: usize = 100;
/// The readings of a list that keeps changing.
const MAX_READINGS: usize = 3;

/// A list that was read.
pub struct Listing<T> {
    /// Its items, each once.
    pub items: Vec<T>,
    /// It did not change meanwhile, so nothing else exists.
    pub complete: bool,
}

/// Reads a list.
///
/// # Errors
/// Any failure to read a page. A refusal after the first page is temporary.
pub async fn all<T: Listed>(
    connection: &Connection,
    path: &[&str],
    filters: &[(&str, &str)],
) -> Result<Listing<T>, Error> {
    // An item of an earlier reading is kept: it is better to show a deleted thing than to miss one.
    let (mut all, mut last) = (BTreeMap::new(), BTreeMap::new());
    for readings in 0..MAX_READINGS {
        let (now, settled) = reading(connection, path, filters).await?;
        if settled || readings > 0 && now.keys().eq(last.keys()) {
            return Ok(Listing { items: now.into_values().collect(), complete: true });
        }
        all.extend(std::mem::replace(&mut last, now));
    }
    all.extend(last);
    Ok(Listing { items: all.into_values().collect(), complete: false })
}

/// All items by id, and whether nothing can have moved from one page to another in this reading.
async fn reading<T: Listed>(
    connection: &Connection,
    path: &[&str],
    filters: &[(&str, &str)],
) -> Result<(BTreeMap<String, T>, bool), Error> {
    let (mut items, mut offset, mut first) = (BTreeMap::new(), 0, (0, None));
    let limit = LIMIT.to_string();
    for pages in 0..MAX_PAGES {
        let from = offset.to_string();
        let mut call = Call::get(path).query("offset", &from).query("limit", &limit);
        call.query.extend(filters);
        let answer = connection.call(call).await.map_err(|error| page_error(error, pages > 0))?;
        let page: Vec<T> = answer.decode()?;
        let (before, shown) = (items.len(), page.len());
        let end = page.last().map(|item| item.id().to_owned());
        offset += shown;
        items.extend(page.into_iter().map(|item| (item.id().to_owned(), item)));
        if items.len() == before {
            // Only the last item of the first page; or the whole list again, from a server without pages.
            let unmoved = (shown == 1 && end == first.1) || (shown > 0 && shown == first.0);
            // A first page with one item has no item to overlap with. No server with pages sends one item at a time.
            let single = first.0 == 1 && shown == 0;
            return Ok((items, pages == 0 || pages == 1 && (unmoved || single)));
        }
        if pages == 0 {
            first = (shown, end);
            offset -= usize::from(shown > 1);
        }
    }
    Err(endless_list(path))
}
