//! Objects that users have just created or changed. What an object removes can be exactly what another one, changed at the same moment,
//! wants to keep: a commit moves a binding to another namespace, or a subject to another binding. So an object removes nothing until the
//! objects that changed before it were compared with the account once, which registers what they claim.

use std::{collections::BTreeMap, time::Duration};

use parking_lot::Mutex;
use rolewright_reconcile::object::{ObjectName, ObjectRef};
use tokio::time::Instant;

/// The longest that a removal waits. An object that cannot be compared, because its Backend does not answer, delays nobody for longer.
const PATIENCE: Duration = Duration::from_secs(5);

struct Arrival {
    since: Instant,
    backend: ObjectName,
    /// It can still claim what others are about to remove.
    is_open: bool,
}

/// The last changes of objects.
#[derive(Default)]
pub struct Arrivals {
    arrivals: Mutex<BTreeMap<ObjectRef, Arrival>>,
}

impl Arrivals {
    /// An object was created or changed, or is being deleted: then it claims nothing (`is_open` is false).
    pub fn arrive(&self, object: ObjectRef, backend: ObjectName, is_open: bool) {
        self.arrivals.lock().insert(object, Arrival { since: Instant::now(), backend, is_open });
    }

    /// Drops the arrivals that nobody waits for any more.
    pub fn prune(&self) {
        self.arrivals.lock().retain(|_, arrival| arrival.since.elapsed() < PATIENCE);
    }

    /// An object was compared with the account, and its claims are registered.
    pub fn settle(&self, object: &ObjectRef) {
        if let Some(arrival) = self.arrivals.lock().get_mut(object) {
            arrival.is_open = false;
        }
    }

    /// Drops a deleted object.
    pub fn forget(&self, object: &ObjectRef) {
        self.arrivals.lock().remove(object);
    }

    /// Whether an object must not remove anything yet: another one that changed before it can claim that. `is_near`: whether a Backend
    /// can be on the same account.
    pub fn must_wait(&self, object: &ObjectRef, is_near: impl Fn(&ObjectName) -> bool) -> bool {
        let arrivals = self.arrivals.lock();
        let Some(own) = arrivals.get(object).filter(|own| own.since.elapsed() < PATIENCE) else {
            return false;
        };
        arrivals.iter().any(|(other, arrival)| {
            arrival.is_open && arrival.since <= own.since && other != object && is_near(&arrival.backend)
        })
    }
}

#[cfg(test)]
mod tests {
    use rolewright_reconcile::object::ObjectKind;

    use super::*;

    fn object(name: &str) -> ObjectRef {
        ObjectRef { kind: ObjectKind::RoleBinding, name: ObjectName::new("ns", name) }
    }

    fn backend() -> ObjectName {
        ObjectName::new("ns", "backend")
    }

    #[tokio::test(start_paused = true)]
    async fn removal_waits_for_earlier_changes_only() {
        let arrivals = Arrivals::default();
        arrivals.arrive(object("new"), backend(), true);
        arrivals.arrive(object("old"), backend(), false);
        tokio::time::advance(Duration::from_millis(1)).await;
        arrivals.arrive(object("later"), backend(), true);
        assert!(arrivals.must_wait(&object("old"), |_| true));
        assert!(!arrivals.must_wait(&object("old"), |_| false), "an object of another account");
        assert!(!arrivals.must_wait(&object("unchanged"), |_| true));
        arrivals.settle(&object("new"));
        assert!(!arrivals.must_wait(&object("old"), |_| true), "the later one does not count");
    }

    #[tokio::test(start_paused = true)]
    async fn removal_does_not_wait_for_ever() {
        let arrivals = Arrivals::default();
        arrivals.arrive(object("stuck"), backend(), true);
        arrivals.arrive(object("old"), backend(), false);
        tokio::time::advance(PATIENCE).await;
        assert!(!arrivals.must_wait(&object("old"), |_| true));
    }

    #[tokio::test(start_paused = true)]
    async fn old_arrivals_are_pruned() {
        let arrivals = Arrivals::default();
        arrivals.arrive(object("old"), backend(), true);
        tokio::time::advance(PATIENCE).await;
        arrivals.arrive(object("new"), backend(), true);
        arrivals.prune();
        let left: Vec<ObjectRef> = arrivals.arrivals.lock().keys().cloned().collect();
        assert_eq!(left, [object("new")]);
    }
}
