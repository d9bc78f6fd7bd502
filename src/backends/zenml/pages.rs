//! Lists that come in pages by offset and limit, as bare arrays without a total and without an order (contract 1), read to their ends.
//!
//! A page below the limit is not the end by itself: a server may give fewer than it is asked for. The end is a page that brings nothing new:
//! an empty one, or, of a server that knows no pages, the same once more. While pages are read somebody may remove a thing, and the one at
//! the edge moves to a page that was read already: then even a single full page with nothing after it may lack one. So a list is read until
//! two readings show the same things, unless its first page was not full and had all there was.

use std::collections::BTreeMap;

use super::{
    connection::{Call, Connection},
    wire::Listed,
};
use crate::backends::{
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
    let (mut last, settled) = reading(connection, path, filters).await?;
    if settled {
        return Ok(Listing { items: last.into_values().collect(), whole: true });
    }
    // What was there a moment ago is shown rather than missed.
    let mut all = BTreeMap::new();
    for _ in 1..MOST_READINGS {
        let (again, _): (BTreeMap<String, T>, _) = reading(connection, path, filters).await?;
        if again.keys().eq(last.keys()) {
            return Ok(Listing { items: again.into_values().collect(), whole: true });
        }
        all.extend(std::mem::replace(&mut last, again));
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
    let (mut items, mut offset, mut first) = (BTreeMap::new(), 0, 0);
    let limit = LIMIT.to_string();
    for pages in 0..MOST_PAGES {
        let from = offset.to_string();
        let mut call = Call::get(path).query("offset", &from).query("limit", &limit);
        call.query.extend(filters);
        let answer = connection.call(call).await.map_err(|error| of_page(error, pages > 0))?;
        let page: Vec<T> = answer.decode()?;
        let (before, shown) = (items.len(), page.len());
        offset += shown;
        items.extend(page.into_iter().map(|item| (item.id().to_owned(), item)));
        if items.len() == before {
            // A server that knows no pages has shown all of it twice.
            let twice = pages == 1 && shown > 0 && shown == first;
            return Ok((items, pages == 0 || pages == 1 && first < LIMIT || twice));
        }
        if pages == 0 {
            first = shown;
        }
    }
    Err(without_end(path))
}
