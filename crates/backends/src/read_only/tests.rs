use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::{VENDORS, testing};
use rolewright_core::model::Role;

/// A back end with one role, which may belong to the vendor.
struct OneRole {
    read_only: Mutex<Option<String>>,
}

fn dialect() -> &'static dyn Dialect {
    VENDORS.iter().find(|vendor| vendor.name == "grafana").expect("a vendor").dialect
}

fn role(name: &str) -> Body {
    Body::Role(Role {
        name: name.to_owned(),
        display_name: None,
        description: None,
        rules: BTreeSet::new(),
        settings: BTreeMap::new(),
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
        let body = role("reader");
        let read_only = self.read_only.lock().clone();
        Ok(Some(Observed { read_only, ..Observed::new(id.clone(), dialect().key(&body), body) }))
    }

    async fn delete_role(&self, _id: &Id, _before: &Role) -> Result<(), Error> {
        Ok(())
    }
}

#[tokio::test]
async fn the_last_observation_decides() {
    let one = Arc::new(OneRole { read_only: Mutex::new(Some("a fixed role".to_owned())) });
    let guard = ReadOnlyGuard::new(one.clone(), "Grafana");
    let id = Id::new("r");
    let deletion = testing::delete(id.clone(), role("reader"));
    assert_eq!(guard.write(&deletion).await, Ok(None), "not observed yet");
    guard.read(Kind::Role, &id).await.expect("the role");
    let error = guard.write(&deletion).await.expect_err("a refusal");
    assert_eq!(error.class, Class::Invalid);
    assert!(error.message.ends_with("is a fixed role, which belongs to Grafana"), "{error}");
    assert_eq!(guard.write(&testing::delete(Id::new("s"), role("reader"))).await, Ok(None));
    *one.read_only.lock() = None;
    guard.read(Kind::Role, &id).await.expect("the role");
    assert_eq!(guard.write(&deletion).await, Ok(None));
}

#[tokio::test]
async fn a_rule_of_the_vendor_decides_without_an_observation() {
    let guard = ReadOnlyGuard::new(Arc::new(OneRole { read_only: Mutex::default() }), "Grafana");
    let id = Id::new("r");
    for change in [
        testing::create(None, role("fixed:roles:reader")),
        testing::update(id.clone(), role("fixed:roles:reader"), role("reader")),
        testing::delete(id, role("fixed:roles:reader")),
    ] {
        let error = guard.write(&change).await.expect_err("a refusal");
        assert!(error.message.contains("belongs to Grafana"), "{error}");
    }
}
