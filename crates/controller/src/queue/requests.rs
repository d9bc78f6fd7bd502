//! Requests for a reconcile by the annotation `rolewright.dev/reconcile-at`: when each was seen, and whether it was acted on.
//!
//! The status acknowledges a request only after a read that began later succeeded. Until then it must not reset the back-off again.

use std::collections::HashMap;

use parking_lot::Mutex;
use rolewright_reconcile::object::ObjectRef;
use tokio::time::Instant;

struct Request {
    value: String,
    seen: Instant,
    acted_on: bool,
}

/// The last request of each object.
#[derive(Default)]
pub struct Requests {
    requests: Mutex<HashMap<ObjectRef, Request>>,
}

impl Requests {
    /// Records a request when the watch shows it. Returns when it was first seen.
    pub fn see(&self, object: &ObjectRef, value: &str) -> Instant {
        let mut requests = self.requests.lock();
        if let Some(known) = requests.get(object).filter(|known| known.value == value) {
            return known.seen;
        }
        let seen = Instant::now();
        requests.insert(object.clone(), Request { value: value.to_owned(), seen, acted_on: false });
        seen
    }

    /// True for the first call with this request.
    pub fn act_on(&self, object: &ObjectRef, value: &str) -> bool {
        self.see(object, value);
        let mut requests = self.requests.lock();
        requests.get_mut(object).is_some_and(|known| !std::mem::replace(&mut known.acted_on, true))
    }

    /// Drops the request of a deleted object.
    pub fn forget(&self, object: &ObjectRef) {
        self.requests.lock().remove(object);
    }
}

#[cfg(test)]
mod tests {
    use rolewright_reconcile::object::{ObjectKind, ObjectName};

    use super::*;

    #[test]
    fn a_request_is_acted_on_once_and_keeps_its_time() {
        let object = ObjectRef { kind: ObjectKind::Role, name: ObjectName::new("ns", "a") };
        let requests = Requests::default();
        let seen = requests.see(&object, "1");
        assert!(requests.act_on(&object, "1") && !requests.act_on(&object, "1"));
        assert_eq!(requests.see(&object, "1"), seen);
        assert!(requests.act_on(&object, "2") && requests.see(&object, "2") >= seen);
    }

    #[test]
    fn forgotten_object_leaves_no_request() {
        let object = ObjectRef { kind: ObjectKind::Role, name: ObjectName::new("ns", "a") };
        let requests = Requests::default();
        requests.see(&object, "1");
        requests.forget(&object);
        assert!(requests.requests.lock().is_empty());
    }
}
