//! What every back end needs to read: found or not, readable or refused, complete or not; and what one snapshot could not read.

use std::{
    future::Future,
    pin::pin,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
};

use futures::{StreamExt, TryStreamExt, stream};
use parking_lot::Mutex;

use super::{Class, Error};
use rolewright_core::model::{Builder, Directory, Entry, Level, Part, ReadFailure, Snapshot};

/// The calls of one task that run at the same time. The account's budget can allow fewer.
pub const MAX_CONCURRENT: usize = 4;
/// A list with more pages is a server error.
pub const MAX_PAGES: usize = 10_000;
/// When so many single reads have failed and none has succeeded, the others are not made: the back end can be down.
const MAX_FAILED: usize = 16;

/// The result of reading one list.
pub enum List<T> {
    /// The whole list.
    Read(T),
    /// The back end refused to show it, for this reason.
    Withheld(String),
    /// A call failed. [`Reading`] has recorded it.
    Failed,
    /// Nothing needs it.
    NotNeeded,
}

impl<T> List<T> {
    /// Reads a list if it is needed. A credential that may not read it, or a server that does not have it, does not stop the other reads.
    ///
    /// # Errors
    /// Any other failure to read it to its end.
    pub async fn read_if(needed: bool, list: impl Future<Output = Result<T, Error>>) -> Result<Self, Error> {
        if !needed {
            return Ok(List::NotNeeded);
        }
        match list.await {
            Ok(list) => Ok(List::Read(list)),
            Err(error) if error.class.is_withheld() => Ok(List::Withheld(error.message)),
            Err(error) => Err(error),
        }
    }

    /// The list, if it was read.
    pub fn list(&self) -> Option<&T> {
        match self {
            List::Read(list) => Some(list),
            List::Withheld(_) | List::Failed | List::NotNeeded => None,
        }
    }

    /// The list, if it was read. If it was refused, the directory records why for this level.
    pub fn or_refuse(self, directory: &mut Directory, level: Level) -> Option<T> {
        match self {
            List::Read(list) => Some(list),
            List::Withheld(reason) => {
                directory.refuse(level, reason);
                None
            }
            List::Failed | List::NotNeeded => None,
        }
    }
}

impl<T> List<Vec<T>> {
    /// The items that were read.
    pub fn items(&self) -> &[T] {
        self.list().map_or(&[], Vec::as_slice)
    }

    /// The items that were read.
    pub fn into_items(self) -> Vec<T> {
        match self {
            List::Read(items) => items,
            List::Withheld(_) | List::Failed | List::NotNeeded => Vec::new(),
        }
    }

    /// Adds the names of a level to the directory.
    pub fn enter(self, directory: &mut Directory, level: Level, entry: impl FnMut(T) -> Option<Entry>) {
        let Some(items) = self.or_refuse(directory, level) else { return };
        directory.mark_listed(level);
        items.into_iter().filter_map(entry).for_each(|entry| directory.insert(entry));
    }
}

/// The reads of one snapshot. A part that fails is recorded, and the others are read. A snapshot fails as a whole if the credential is
/// not accepted, if the account is throttled, and if nothing could be read.
#[derive(Default)]
pub struct Reading {
    failures: Mutex<Vec<(Part, ReadFailure)>>,
    first: Mutex<Option<Error>>,
    /// The back end answered a read with a list, a thing or a refusal.
    answered: AtomicBool,
}

impl Reading {
    /// The result of reading these parts. None: it failed.
    ///
    /// # Errors
    /// A failure that every other read has too.
    pub fn take<T>(&self, parts: &[Part], result: Result<T, Error>) -> Result<Option<T>, Error> {
        match result {
            Ok(read) => {
                self.answered.store(true, Ordering::Relaxed);
                Ok(Some(read))
            }
            Err(error) => self.fail(parts, error).map(|()| None),
        }
    }

    /// Records that these parts could not be read.
    ///
    /// # Errors
    /// The failure, if every other read has it too.
    pub fn fail(&self, parts: &[Part], error: Error) -> Result<(), Error> {
        if matches!(error.class, Class::Unauthenticated | Class::Throttled(_)) {
            return Err(error);
        }
        let failure = ReadFailure::failed(&error.message);
        self.failures.lock().extend(parts.iter().map(|part| (part.clone(), failure.clone())));
        self.first.lock().get_or_insert(error);
        Ok(())
    }

    /// Reads a list if it is needed. A refusal is no failure: see [`List::Withheld`].
    ///
    /// # Errors
    /// A failure that every other read has too.
    pub async fn list<T>(
        &self,
        needed: bool,
        parts: impl AsRef<[Part]>,
        list: impl Future<Output = Result<T, Error>>,
    ) -> Result<List<T>, Error> {
        let read = List::read_if(needed, list).await;
        if let Ok(List::NotNeeded) = read {
            return Ok(List::NotNeeded);
        }
        Ok(self.take(parts.as_ref(), read)?.unwrap_or(List::Failed))
    }

    /// What the credential can read. None if the back end does not show it, or if the call failed: then nothing is proven.
    ///
    /// # Errors
    /// A failure that every other read has too.
    pub fn rights<T>(&self, result: Result<T, Error>) -> Result<Option<T>, Error> {
        match result {
            Ok(rights) => Ok(Some(rights)),
            Err(error) if error.class.is_withheld() => Ok(None),
            Err(error) => self.fail(&[Part::Rights], error).map(|()| None),
        }
    }

    /// Makes one call for each item, a few at the same time. An item whose call fails is recorded under its parts. The results have no
    /// order.
    ///
    /// # Errors
    /// A failure that every other read has too.
    pub async fn each<I, T, F: Future<Output = Result<T, Error>>>(
        &self,
        items: impl IntoIterator<Item = I>,
        parts: impl Fn(&I) -> Vec<Part>,
        mut call: impl FnMut(I) -> F,
    ) -> Result<Vec<T>, Error> {
        let mut items: Vec<I> = items.into_iter().collect();
        if items.len() > MAX_FAILED {
            // So that the same items do not come last in every sweep.
            fastrand::shuffle(&mut items);
        }
        let (succeeded, failed) = (AtomicBool::new(false), AtomicUsize::new(0));
        let (succeeded, failed) = (&succeeded, &failed);
        let read = |item: I| {
            let parts = parts(&item);
            let call = call(item);
            async move {
                if failed.load(Ordering::Relaxed) >= MAX_FAILED && !succeeded.load(Ordering::Relaxed) {
                    let message = format!("not read, because {MAX_FAILED} other reads of this kind failed");
                    return self.fail(&parts, Error::new(Class::Transient, message)).map(|()| None);
                }
                let read = self.take(&parts, call.await)?;
                match read {
                    Some(_) => succeeded.store(true, Ordering::Relaxed),
                    None => drop(failed.fetch_add(1, Ordering::Relaxed)),
                }
                Ok(read)
            }
        };
        let read = pin!(stream::iter(items).map(read).buffer_unordered(MAX_CONCURRENT));
        let read: Vec<Option<T>> = read.try_collect().await?;
        Ok(read.into_iter().flatten().collect())
    }

    /// Finishes the snapshot.
    ///
    /// # Errors
    /// The first failure, if nothing could be read.
    pub fn finish(self, mut builder: Builder) -> Result<Snapshot, Error> {
        if let Some(error) = self.first.into_inner()
            && !self.answered.into_inner()
        {
            return Err(error);
        }
        self.failures.into_inner().into_iter().for_each(|(part, failure)| builder.fail(part, failure));
        Ok(builder.complete())
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::sync::Barrier;

    use super::*;
    use rolewright_core::model::{Id, Kind};

    fn failed(class: Class) -> Error {
        Error::new(class, "GET /x failed")
    }

    fn part(item: &usize) -> Vec<Part> {
        vec![Part::Thing(Kind::Role, Id::new(item.to_string()))]
    }

    #[tokio::test]
    async fn a_failed_part_is_recorded_and_the_others_are_read() {
        let reading = Reading::default();
        let list = |result: Result<usize, Error>| async { result };
        let failed = list(Err(failed(Class::Transient)));
        assert!(matches!(reading.list(true, [Part::Kind(Kind::Role)], failed).await, Ok(List::Failed)));
        let read = reading.list(true, [Part::Kind(Kind::Grant)], list(Ok(1))).await;
        assert!(matches!(read, Ok(List::Read(1))));
        let snapshot = reading.finish(Builder::new()).expect("a snapshot");
        let failures: Vec<String> = snapshot.failures().iter().map(|(part, _)| part.to_string()).collect();
        assert_eq!(failures, ["all roles"]);
    }

    #[test]
    fn nothing_read_makes_no_snapshot() {
        let reading = Reading::default();
        let read = reading.take::<()>(&[Part::Kind(Kind::Role)], Err(failed(Class::Transient)));
        assert!(read.expect("recorded").is_none());
        // What the credential can read is not a part of the account.
        assert!(reading.rights(Ok(())).is_ok());
        assert_eq!(reading.finish(Builder::new()).expect_err("a failure").class, Class::Transient);
        assert!(Reading::default().finish(Builder::new()).is_ok());
    }

    #[test]
    fn a_failure_of_every_call_is_not_recorded() {
        for class in [Class::Unauthenticated, Class::Throttled(Duration::ZERO)] {
            let reading = Reading::default();
            let read = reading.take::<()>(&[Part::Kind(Kind::Role)], Err(failed(class)));
            assert_eq!(read.expect_err("a failure").class, class);
            assert!(reading.rights::<()>(Err(failed(class))).is_err());
        }
    }

    #[tokio::test]
    async fn an_item_that_hangs_does_not_stop_the_others() {
        let reading = Reading::default();
        // The first item ends after the last one has started.
        let barrier = Barrier::new(2);
        let call = |item: usize| {
            let barrier = &barrier;
            async move {
                if item == 0 || item == 14 {
                    barrier.wait().await;
                }
                if item == 0 { Err(failed(Class::Transient)) } else { Ok(item) }
            }
        };
        assert_eq!(reading.each(0..15, part, call).await.expect("items").len(), 14);
        let snapshot = reading.finish(Builder::new()).expect("a snapshot");
        assert!(snapshot.unread_thing(Kind::Role, &Id::new("0")).is_some());
    }

    #[tokio::test]
    async fn items_are_given_up_when_all_of_them_fail() {
        let (reading, made) = (Reading::default(), &AtomicUsize::new(0));
        let call = |_: usize| async move {
            made.fetch_add(1, Ordering::Relaxed);
            Err::<(), Error>(failed(Class::Transient))
        };
        assert!(reading.each(0..100, part, call).await.expect("no failure of all").is_empty());
        assert!(made.load(Ordering::Relaxed) < MAX_FAILED + MAX_CONCURRENT);
        assert_eq!(reading.failures.lock().len(), 100, "each of them is unread");
        // One success shows that the back end is up.
        let reading = Reading::default();
        let one = |item: usize| async move { if item == 7 { Ok(()) } else { Err(failed(Class::Transient)) } };
        assert_eq!(reading.each(0..10, part, one).await.expect("items").len(), 1);
    }
}
