//! Reads lists to their ends. Pages are bare arrays by offset and limit, without a total and without a documented order. A page that is
//! shorter than the limit is the last one, because servers refuse a limit that is too high for them (contract 1.4, 6).
//!
//! Each page begins with the last item of the page before it. If it begins with another item, the list changed in between and an item can be
//! missed: the list is unread.

use super::{
    connection::{Call, Connection},
    wire::Listed,
};
use crate::{
    Class, Error,
    reading::{MAX_PAGES, endless_list, page_error},
};

/// The maximum of a page (contract 1.4).
const LIMIT: usize = 100;

/// Reads a list.
///
/// # Errors
/// Any failure to read a page, and a list that changes. A refusal after the first page is temporary.
pub async fn all<T: Listed>(
    connection: &Connection,
    path: &[&str],
    filters: &[(&str, &str)],
) -> Result<Vec<T>, Error> {
    let mut items: Vec<T> = Vec::new();
    let limit = LIMIT.to_string();
    for _ in 0..MAX_PAGES {
        let offset = items.len().saturating_sub(1).to_string();
        let mut call = Call::get(path);
        call.query.extend([("offset", offset.as_str()), ("limit", &limit)].iter().chain(filters));
        let answer = connection.call(call).await.map_err(|error| page_error(error, !items.is_empty()))?;
        let mut page: Vec<T> = answer.decode()?;
        let length = page.len();
        if let (Some(first), Some(last)) = (items.first(), items.last()) {
            match page.first().map(Listed::id) {
                Some(edge) if edge == last.id() => drop(page.remove(0)),
                // A list without pages that has as many items as a page.
                Some(edge) if edge == first.id() && length == items.len() => return Ok(items),
                _ => return Err(changed(path)),
            }
        }
        items.extend(page);
        // A longer page is a list without pages.
        if length != LIMIT {
            return Ok(items);
        }
    }
    Err(endless_list(path))
}

fn changed(path: &[&str]) -> Error {
    let message = format!("GET /{} is a list that changed while Rolewright read it", path.join("/"));
    Error::new(Class::Transient, message)
}
