//! Shared by the tests of all back ends: a back end over a server that answers as a test says.

pub use rolewright_core::planner::testing::{create, delete, update};

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use super::{
    Backend, Budget, Dialling, Limits, Settings, Vendor,
    http::stub::{Reply, Stub},
};
use rolewright_core::model::{Absence, Kind, Level, Named, Part, Snapshot};

/// A block with the URL of a path on a server, the vendor's own fields, and more fields.
pub fn block(stub: &Stub, path: &str, own: Value, more: Value) -> Value {
    let url = stub.url.join(path).expect("a URL");
    let mut block = json!({"url": url.as_str(), "allowInsecure": true});
    for fields in [own, more] {
        block.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
    }
    block
}

/// A back end that is connected by a block, with a secret that ends in a line break as files do.
pub fn connect(vendor: &Vendor, block: Value, field: &str, secret: &str) -> Arc<dyn Backend> {
    let settings = Settings {
        block,
        secrets: BTreeMap::from([(field.to_owned(), format!("{secret}\n").into())]),
        ca: None,
        budget: Arc::new(Budget::new(Limits::new(1000, 1000, 4))),
        dialling: Dialling { allow_local: true },
        transport: None,
        observer: Arc::new(()),
    };
    vendor.connect(settings).expect("a back end")
}

/// A level by its word.
pub fn level(word: &str) -> Level {
    Level::new(String::leak(word.to_owned()))
}

/// Answers that make a call fail without saying anything about the account.
pub fn failures() -> [fn() -> Reply; 4] {
    [
        || Reply::text(500, "text/html", "<html>Internal"),
        || Reply::text(200, "text/html", "<html>Log in"),
        || Reply::Cut { body: b"[".to_vec() },
        || Reply::HangUp,
    ]
}

/// Asserts that a snapshot lacks exactly these parts because a call failed, that nothing is proven about them, and that everything else is
/// as in the complete snapshot.
pub fn assert_lacks(partial: &Snapshot, whole: &Snapshot, call: &str, parts: &[&str]) {
    let lacking: Vec<String> = partial.failures().iter().map(|(part, _)| part.to_string()).collect();
    assert_eq!(lacking, parts, "{call}");
    let path = call.split_once(' ').expect("a method and a path").1;
    for (part, failure) in partial.failures().iter() {
        assert!(failure.message.contains(path), "{call}, {part}: {}", failure.message);
        assert!(!failure.message.contains("Log in"), "{}", failure.message);
    }
    assert!(whole.failures().is_empty());
    for kind in [Kind::Role, Kind::Grant, Kind::Restriction, Kind::Group] {
        for seen in whole.all(kind) {
            let (id, place) = (&seen.id, seen.key.place());
            let now = partial.by_id(kind, id);
            if now == Some(seen) {
                continue;
            }
            assert!(now.is_none_or(|now| now.outline), "{call}: another {kind} {id}");
            let unread = match now {
                Some(_) => partial.unread_thing(kind, id).is_some(),
                None => partial.unread(kind, Some(id), place.as_ref(), None).is_some(),
            };
            assert!(unread, "{call}: {kind} {id} is lost");
        }
        assert!(partial.all(kind).all(|now| whole.by_id(kind, &now.id).is_some()), "{call}: a new {kind}");
        let whole_proves = whole.absence(kind, None) == Absence::Proven;
        assert!(whole_proves || partial.absence(kind, None) == Absence::Unproven, "{call}: proves a {kind}");
        if partial.failures().of(&Part::Kind(kind)).is_some() {
            assert_eq!(partial.absence(kind, None), Absence::Unproven, "{call}: {kind}");
        }
    }
    for entry in whole.directory().entries() {
        let Named { level, id, .. } = &entry.named;
        let known = partial.directory().get(id).is_some() || partial.unread_names(*level).is_some();
        assert!(known, "{call}: the {level} {id} is lost");
    }
    for (part, _) in partial.failures().iter() {
        if let Part::Place(kind, place) = part {
            assert_eq!(partial.absence(*kind, Some(place)), Absence::Unproven, "{call}: {place}");
        }
    }
}
