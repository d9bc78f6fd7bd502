//! What the reading of any back end comes to: found or not, shown or withheld, to its end or not.

use std::{future::Future, pin::pin};

use futures::{StreamExt, TryStreamExt, stream};

use super::{Class, Error};
use rolewright_core::model::{Directory, Entry};

/// How many calls of one task are under way at one time. The tenant's budget may allow fewer.
pub const AT_ONCE: usize = 4;
/// A list that goes on for longer is a server that lost its way.
pub const MOST_PAGES: usize = 10_000;

/// A list, as far as it could be read.
pub enum Part<T> {
    /// To its end.
    Read(T),
    /// Not at all, for this reason.
    Withheld(String),
    /// Nobody needs it.
    Unwanted,
}

impl<T> Part<T> {
    /// Reads a list if it is wanted. That the credential may not read it, or that the server does not have it, is no reason to stop
    /// reading the rest.
    ///
    /// # Errors
    /// Whatever else kept it from being read to its end.
    pub async fn of(wanted: bool, list: impl Future<Output = Result<T, Error>>) -> Result<Self, Error> {
        if !wanted {
            return Ok(Part::Unwanted);
        }
        match list.await {
            Ok(list) => Ok(Part::Read(list)),
            Err(error) if error.class.is_withheld() => Ok(Part::Withheld(error.message)),
            Err(error) => Err(error),
        }
    }

    /// The list, where it was read.
    pub fn read(&self) -> Option<&T> {
        match self {
            Part::Read(list) => Some(list),
            Part::Withheld(_) | Part::Unwanted => None,
        }
    }

    /// The list, where it was read; that it was withheld is noted as the level's.
    pub fn noted(self, directory: &mut Directory, level: &str) -> Option<T> {
        match self {
            Part::Read(list) => Some(list),
            Part::Withheld(reason) => {
                directory.refuse(level, reason);
                None
            }
            Part::Unwanted => None,
        }
    }
}

impl<T> Part<Vec<T>> {
    /// What was read; nothing otherwise.
    pub fn items(&self) -> &[T] {
        self.read().map_or(&[], Vec::as_slice)
    }

    /// What was read; nothing otherwise.
    pub fn into_items(self) -> Vec<T> {
        match self {
            Part::Read(items) => items,
            Part::Withheld(_) | Part::Unwanted => Vec::new(),
        }
    }

    /// Puts the names of a level into the directory.
    pub fn enter(self, directory: &mut Directory, level: &str, entry: impl FnMut(T) -> Option<Entry>) {
        let items = self.noted(directory, level).unwrap_or_default();
        items.into_iter().filter_map(entry).for_each(|entry| directory.insert(entry));
    }
}

/// What was found; None where the answer is that there is no such thing, which may mean gone or hidden.
///
/// # Errors
/// Every other failure.
pub fn found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Err(error) if error.class == Class::Missing => Ok(None),
        answer => answer.map(Some),
    }
}

/// Asks about each, a few at one time. The answers come as they come.
///
/// # Errors
/// The first failure of any; the rest is not asked.
pub async fn each<I, T, F: Future<Output = Result<T, Error>>>(
    about: impl IntoIterator<Item = I>,
    ask: impl FnMut(I) -> F,
) -> Result<Vec<T>, Error> {
    pin!(stream::iter(about).map(ask).buffer_unordered(AT_ONCE)).try_collect().await
}

/// A failure to read one page of a list. A refusal of any but the first is passing: the list was allowed when it began.
pub fn of_page(error: Error, begun: bool) -> Error {
    if begun && error.class.is_refusal() {
        return Error::new(Class::Transient, format!("in the middle of the list, {}", error.message));
    }
    error
}

/// The failure of a list that does not end.
pub fn without_end(path: &[&str]) -> Error {
    Error::new(Class::Transient, format!("GET /{} is a list without end", path.join("/")))
}

/// A text that says something: many servers write an empty one for none.
pub fn present(text: Option<String>) -> Option<String> {
    text.filter(|text| !text.is_empty())
}
