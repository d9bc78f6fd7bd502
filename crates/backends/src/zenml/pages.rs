//! Lists that come in pages by offset and limit, as bare arrays without a total and without an order (contract 1), read to their ends.
//!
//! A page below the limit is not the end by itself: a server may give fewer than it is asked for, and how many is not published. The end is a
//! page that brings nothing new: an empty one, or, of a server that knows no pages, the same once more. While pages are read somebody may
//! remove a thing, and the one at the edge moves to a page that was read already. So the second page is asked for from the last item of the
//! first one on: shows it that item and no other, nothing has moved and nothing follows, whatever number the server gives on a page. A list
//! of which that is not seen is read until two readings show the same things.

use std::collections::BTreeMap;

use super::{
    connection::{Call, Connection},
    wire::Listed,
};
use crate::{
    Error,
    reading::{MOST_PAGES, of_page, without_end},
};

/// The most that is given on a page (contract 1).
const LIMIT: usize = 100;
/// So often a list is read that does not hold still.
const MOST_READINGS: usize = 3;

/// A list, as it was read.
pub struct Listing<T> {
    /// Its items, each once.
    pub items: Vec<T>,
    /// It held still: what is not in it was not there.
    pub whole: bool,
}

/// Reads a list.
///
/// # Errors
/// Whatever kept a page from being read. A refusal of any page but the first is passing: the list was allowed when it began.
pub async fn all<T: Listed>(
    connection: &Connection,
    path: &[&str],
    filters: &[(&str, &str)],
) -> Result<Listing<T>, Error> {
    // What was there a moment ago is shown rather than missed.
    let (mut all, mut last) = (BTreeMap::new(), BTreeMap::new());
    for readings in 0..MOST_READINGS {
        let (now, settled) = reading(connection, path, filters).await?;
        if settled || readings > 0 && now.keys().eq(last.keys()) {
            return Ok(Listing { items: now.into_values().collect(), whole: true });
        }
        all.extend(std::mem::replace(&mut last, now));
    }
    all.extend(last);
    Ok(Listing { items: all.into_values().collect(), whole: false })
}

/// All items by id, and whether this reading is enough: nothing can have slipped from one page to another.
async fn reading<T: Listed>(
    connection: &Connection,
    path: &[&str],
    filters: &[(&str, &str)],
) -> Result<(BTreeMap<String, T>, bool), Error> {
    let (mut items, mut offset, mut first) = (BTreeMap::new(), 0, (0, None));
    let limit = LIMIT.to_string();
    for pages in 0..MOST_PAGES {
        let from = offset.to_string();
        let mut call = Call::get(path).query("offset", &from).query("limit", &limit);
        call.query.extend(filters);
        let answer = connection.call(call).await.map_err(|error| of_page(error, pages > 0))?;
        let page: Vec<T> = answer.decode()?;
        let (before, shown) = (items.len(), page.len());
        let end = page.last().map(|item| item.id().to_owned());
        offset += shown;
        items.extend(page.into_iter().map(|item| (item.id().to_owned(), item)));
        if items.len() == before {
            // The item at the edge alone; or, of a server that knows no pages, all of it twice.
            let still = (shown == 1 && end == first.1) || (shown > 0 && shown == first.0);
            // A page of one has nothing before its edge. No server that pages gives one item at a time.
            let single = first.0 == 1 && shown == 0;
            return Ok((items, pages == 0 || pages == 1 && (still || single)));
        }
        if pages == 0 {
            first = (shown, end);
            offset -= usize::from(shown > 1);
        }
    }
    Err(without_end(path))
}
