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
