//! Creates that can still be under way at a back end although no answer came.
//!
//! Until such a create has settled and a snapshot that began later was read, its external thing is neither taken for absent nor,
//! where the back end accepts duplicates, created again.

use std::{collections::HashMap, time::Duration};

use parking_lot::Mutex;
use rolewright_core::model::{Key, Kind};
use tokio::time::Instant;

/// The creates of one account that were not answered.
pub struct UnansweredCreates {
    /// How long a create can take at the back end after it was sent.
    settle: Duration,
    /// An earlier process sent its creates before this.
    started: Instant,
    sent: Mutex<HashMap<(Kind, Key), Instant>>,
}

impl UnansweredCreates {
    /// An empty list. `settle`: how long a create can take at the back end after it was sent.
    pub fn new(settle: Duration) -> Self {
        Self { settle, started: Instant::now(), sent: Mutex::default() }
    }

    /// Records that a create was not answered.
    pub fn add(&self, kind: Kind, key: &Key) {
        self.sent.lock().insert((kind, key.clone()), Instant::now());
    }

    /// Drops the creates whose result a snapshot that began at this time shows.
    pub fn prune(&self, begun: Instant) {
        self.sent.lock().retain(|_, sent| *sent + self.settle > begun);
    }

    /// When unanswered creates of this key have settled: a snapshot that begins later shows their result.
    pub fn settled_at(&self, kind: Kind, key: &Key) -> Instant {
        self.sent.lock().get(&(kind, key.clone())).copied().unwrap_or(self.started) + self.settle
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settled_creates_are_dropped() {
        let creates = UnansweredCreates::new(Duration::from_secs(60));
        let key = Key::new([("name", "a")]);
        creates.add(Kind::Role, &key);
        creates.prune(Instant::now());
        assert_eq!(creates.sent.lock().len(), 1, "its result can still come");
        creates.prune(creates.settled_at(Kind::Role, &key));
        assert!(creates.sent.lock().is_empty());
    }
}
