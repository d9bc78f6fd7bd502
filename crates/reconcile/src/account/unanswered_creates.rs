//! Creates that can still be under way at a back end although no answer came.
//!
//! Until such a create has settled and a snapshot that began later was read, its external thing is neither taken for absent nor,
//! where the back end accepts duplicates, created again.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use rolewright_core::model::{Key, Kind};

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

    /// When unanswered creates of this key have settled: a snapshot that begins later shows their result.
    pub fn settled_at(&self, kind: Kind, key: &Key) -> Instant {
        self.sent.lock().get(&(kind, key.clone())).copied().unwrap_or(self.started) + self.settle
    }
}
