//! Shared by the tests of all back ends: a back end over a server that answers as a test says.

pub use rolewright_core::planner::testing::{create, delete, update};

use std::{collections::BTreeMap, sync::Arc};

use serde_json::{Value, json};

use super::{Backend, Budget, Dialling, Limits, Settings, Vendor, http::stub::Stub};
use rolewright_core::model::Level;

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
        budget: Arc::new(Budget::new(Limits { per_second: 1000, burst: 1000, concurrency: 4 })),
        dialling: Dialling { allow_local: true },
        observer: Arc::new(()),
    };
    vendor.connect(settings).expect("a back end")
}

/// A level by its word.
pub fn level(word: &str) -> Level {
    Level::new(String::leak(word.to_owned()))
}
