//! What every back end needs to read: found or not, readable or refused, complete or not.

use std::{future::Future, pin::pin};

use futures::{StreamExt, TryStreamExt, stream};

use super::{Class, Error};
use rolewright_core::model::{Directory, Entry, Level};

/// The calls of one task that run at the same time. The account's budget can allow fewer.
pub const MAX_CONCURRENT: usize = 4;
/// A list with more pages is a server error.
pub const MAX_PAGES: usize = 10_000;

/// The result of reading one list.
pub enum Part<T> {
    /// The whole list.
    Read(T),
    /// The back end refused to show it, for this reason.
    Withheld(String),
    /// Nothing needs it.
    NotNeeded,
}

impl<T> Part<T> {
    /// Reads a list if it is needed. A credential that may not read it, or a server that does not have it, does not stop the other reads.
    ///
    /// # Errors
    /// Any other failure to read it to its end.
    pub async fn read_if(needed: bool, list: impl Future<Output = Result<T, Error>>) -> Result<Self, Error> {
        if !needed {
            return Ok(Part::NotNeeded);
        }
        match list.await {
            Ok(list) => Ok(Part::Read(list)),
            Err(error) if error.class.is_withheld() => Ok(Part::Withheld(error.message)),
            Err(error) => Err(error),
        }
    }

    /// The list, if it was read.
    pub fn list(&self) -> Option<&T> {
        match self {
            Part::Read(list) => Some(list),
            Part::Withheld(_) | Part::NotNeeded => None,
        }
    }

    /// The list, if it was read. If it was refused, the directory records why for this level.
    pub fn or_refuse(self, directory: &mut Directory, level: Level) -> Option<T> {
        match self {
            Part::Read(list) => Some(list),
            Part::Withheld(reason) => {
                directory.refuse(level, reason);
                None
            }
            Part::NotNeeded => None,
        }
    }
}

impl<T> Part<Vec<T>> {
    /// The items that were read.
    pub fn items(&self) -> &[T] {
        self.list().map_or(&[], Vec::as_slice)
    }

    /// The items that were read.
    pub fn into_items(self) -> Vec<T> {
        match self {
            Part::Read(items) => items,
            Part::Withheld(_) | Part::NotNeeded => Vec::new(),
        }
    }

    /// Adds the names of a level to the directory.
    pub fn enter(self, directory: &mut Directory, level: Level, entry: impl FnMut(T) -> Option<Entry>) {
        let items = self.or_refuse(directory, level).unwrap_or_default();
        items.into_iter().filter_map(entry).for_each(|entry| directory.insert(entry));
    }
}

/// The thing, if it was found. None for a 404, which means deleted or hidden.
///
/// # Errors
/// Every other failure.
pub fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Err(error) if error.class == Class::Missing => Ok(None),
        answer => answer.map(Some),
    }
}

/// Makes one call for each item, a few at the same time. The results have no order.
///
/// # Errors
/// The first failure; the remaining calls are not made.
pub async fn for_each<I, T, F: Future<Output = Result<T, Error>>>(
    items: impl IntoIterator<Item = I>,
    call: impl FnMut(I) -> F,
) -> Result<Vec<T>, Error> {
    pin!(stream::iter(items).map(call).buffer_unordered(MAX_CONCURRENT)).try_collect().await
}

/// A failure to read one page of a list. A refusal after the first page is temporary, because the first page was allowed.
pub fn page_error(error: Error, after_first: bool) -> Error {
    if after_first && error.class.is_refusal() {
        return Error::new(Class::Transient, format!("in the middle of the list, {}", error.message));
    }
    error
}

/// The failure of a list that never ends.
pub fn endless_list(path: &[&str]) -> Error {
    Error::new(Class::Transient, format!("GET /{} is a list without end", path.join("/")))
}

/// The failure of a look-up at a level that the vendor does not have.
pub fn no_look_up(vendor: &str, level: Level) -> Error {
    Error::new(Class::Invalid, format!("{vendor} cannot look up a {level} by name"))
}

/// A text that is not empty: many servers send an empty one for none.
pub fn present(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
