//! Protects what the vendor owns. The planner leaves such things alone; this keeps a mistake there from reaching them, because not every
//! vendor is known to refuse every write to them.

use std::{collections::HashMap, sync::Arc};

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::{
    backend::{Backend, Identity, Needs},
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
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::{VENDORS, testing};
    use rolewright_core::model::Role;

    /// A back end with one role, which may belong to the vendor.
    struct OneRole {
        read_only: Mutex<Option<String>>,
    }

    fn dialect() -> &'static dyn Dialect {
        VENDORS.iter().find(|vendor| vendor.name == "zenml").expect("a vendor").dialect
    }

    fn role(level: &str) -> Body {
        Body::Role(Role {
            name: "reader".to_owned(),
            display_name: None,
            description: None,
            rules: BTreeSet::new(),
            settings: BTreeMap::from([("level".to_owned(), level.to_owned())]),
            unreadable: false,
        })
    }

    #[async_trait]
    impl Backend for OneRole {
        fn dialect(&self) -> &'static dyn Dialect {
            dialect()
        }

        async fn probe(&self) -> Result<Identity, Error> {
            unreachable!("no probe")
        }

        async fn snapshot(&self, _needs: &Needs) -> Result<Snapshot, Error> {
            unreachable!("no snapshot")
        }

        async fn look_up(&self, _: Level, _: &str, _: Option<&Id>) -> Result<Vec<Entry>, Error> {
            unreachable!("no look-up")
        }

        async fn read_role(&self, id: &Id) -> Result<Option<Observed>, Error> {
            let body = role("project");
            let read_only = self.read_only.lock().clone();
            Ok(Some(Observed { read_only, ..Observed::new(id.clone(), dialect().key(&body), body) }))
        }

        async fn delete_role(&self, _id: &Id, _before: &Role) -> Result<(), Error> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn the_last_observation_decides() {
        let one = Arc::new(OneRole { read_only: Mutex::new(Some("a predefined role".to_owned())) });
        let guard = ReadOnlyGuard::new(one.clone(), "ZenML Pro");
        let id = Id::new("r");
        let deletion = testing::delete(id.clone(), role("project"));
        assert_eq!(guard.write(&deletion).await, Ok(None), "not observed yet");
        guard.read(Kind::Role, &id).await.expect("the role");
        let error = guard.write(&deletion).await.expect_err("a refusal");
        assert_eq!(error.class, Class::Invalid);
        assert!(error.message.ends_with("is a predefined role, which belongs to ZenML Pro"), "{error}");
        assert_eq!(guard.write(&testing::delete(Id::new("s"), role("project"))).await, Ok(None));
        *one.read_only.lock() = None;
        guard.read(Kind::Role, &id).await.expect("the role");
        assert_eq!(guard.write(&deletion).await, Ok(None));
    }

    #[tokio::test]
    async fn a_rule_of_the_vendor_decides_without_an_observation() {
        let guard = ReadOnlyGuard::new(Arc::new(OneRole { read_only: Mutex::default() }), "ZenML Pro");
        let id = Id::new("r");
        for change in [
            testing::create(None, role("organization")),
            testing::update(id.clone(), role("organization"), role("project")),
            testing::delete(id, role("organization")),
        ] {
            let error = guard.write(&change).await.expect_err("a refusal");
            assert!(error.message.contains("belongs to ZenML Pro"), "{error}");
        }
    }
}
