//! Protects what the vendor owns. The planner leaves such things alone; this keeps a mistake there from reaching them, because not every
//! vendor is known to refuse every write to them.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::{
    backend::{Backend, Identity, Needs, Vocabulary},
    error::{Class, Error},
};
use rolewright_core::model::{Body, Change, Dialect, Entry, Id, Kind, Level, Observed, Snapshot};

/// A back end that refuses to change what the vendor owns, as far as an id or a name shows it, or as it was last observed.
pub struct ReadOnlyGuard {
    inner: Arc<dyn Backend>,
    vendor: &'static str,
    /// The things that belong to the vendor as last observed, and why.
    observed: Mutex<HashMap<(Kind, Id), String>>,
}

impl ReadOnlyGuard {
    /// Protects what `vendor` owns in a back end.
    pub fn new(inner: Arc<dyn Backend>, vendor: &'static str) -> Self {
        Self { inner, vendor, observed: Mutex::default() }
    }

    fn note<'a>(&self, observed: impl IntoIterator<Item = &'a Observed>) {
        let mut owned = self.observed.lock();
        for Observed { id, body, read_only, .. } in observed {
            let thing = (body.kind(), id.clone());
            match read_only {
                Some(why) => drop(owned.insert(thing, why.clone())),
                None => drop(owned.remove(&thing)),
            }
        }
    }

    /// Lets a change pass unless it is one of a thing that the vendor owns.
    fn check(&self, change: &Change) -> Result<(), Error> {
        let body = change.body();
        let id = match change {
            Change::Create { id, .. } => id.as_ref(),
            _ => change.id(),
        };
        let rule = |body: &Body| self.dialect().vendor_owned(id, body).map(str::to_owned);
        let observed = || self.observed.lock().get(&(body.kind(), id?.clone())).cloned();
        let why = rule(body).or_else(|| rule(change.before()?)).or_else(observed);
        why.map_or(Ok(()), |why| {
            let message = format!("{} is {why}, which belongs to {}", body.title(), self.vendor);
            Err(Error::new(Class::Invalid, message))
        })
    }
}

/// `read`, `find` and `write` go to the protected back end as they are, so the small methods are never called here.
#[async_trait]
impl Backend for ReadOnlyGuard {
    fn dialect(&self) -> &'static dyn Dialect {
        self.inner.dialect()
    }

    async fn probe(&self) -> Result<Identity, Error> {
        self.inner.probe().await
    }

    async fn vocabulary(&self) -> Vocabulary {
        self.inner.vocabulary().await
    }

    async fn snapshot(&self, needs: &Needs) -> Result<Snapshot, Error> {
        let snapshot = self.inner.snapshot(needs).await?;
        self.dialect().capabilities().kinds().for_each(|kind| self.note(snapshot.all(kind)));
        Ok(snapshot)
    }

    async fn look_up(&self, level: Level, name: &str, parent: Option<&Id>) -> Result<Vec<Entry>, Error> {
        self.inner.look_up(level, name, parent).await
    }

    async fn read(&self, kind: Kind, id: &Id) -> Result<Option<Observed>, Error> {
        let observed = self.inner.read(kind, id).await?;
        self.note(&observed);
        Ok(observed)
    }

    async fn find(&self, body: &Body) -> Result<Option<Observed>, Error> {
        let observed = self.inner.find(body).await?;
        self.note(&observed);
        Ok(observed)
    }

    async fn write(&self, change: &Change) -> Result<Option<Observed>, Error> {
        self.check(change)?;
        self.inner.write(change).await
    }
}

#[cfg(test)]
mod tests;
