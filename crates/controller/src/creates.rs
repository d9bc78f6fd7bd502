//! Creates that may still be under way at a back end although no answer came: until they have settled, and what the account has was read
//! anew, what they are to make is neither taken to be absent nor, where the back end would make the same thing twice, asked for again.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use rolewright_core::model::{Key, Kind};

/// The creates of one account that were not answered.
pub struct Creates {
    /// How long a create may take at the back end after it was sent.
    settle: Duration,
    /// What an earlier process may have asked for was asked for before this.
    since: Instant,
    lost: Mutex<HashMap<(Kind, Key), Instant>>,
}

impl Creates {
    /// None yet.
    pub fn new(settle: Duration) -> Self {
        Self { settle, since: Instant::now(), lost: Mutex::default() }
    }

    /// A create was not answered.
    pub fn lose(&self, kind: Kind, key: &Key) {
        self.lost.lock().insert((kind, key.clone()), Instant::now());
    }

    /// When the creates of a thing that were not answered have settled: a reading that begins then shows what became of them.
    pub fn settled_at(&self, kind: Kind, key: &Key) -> Instant {
        self.lost.lock().get(&(kind, key.clone())).copied().unwrap_or(self.since) + self.settle
    }
}
