//! Creates that may still be under way at a back end although no answer came: until they have settled, what they are to make is neither taken
//! to be absent nor, where the back end would make the same thing twice, asked for again.

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use crate::access::{Key, Kind};

/// The creates of one account whose answers are not known.
pub struct Creates {
    /// How long a create may take at the back end after it was sent.
    settle: Duration,
    /// What an earlier process may have asked for was asked for before this.
    since: Instant,
    sent: Mutex<HashMap<(Kind, Key), Instant>>,
}

impl Creates {
    /// None yet.
    pub fn new(settle: Duration) -> Self {
        Self { settle, since: Instant::now(), sent: Mutex::default() }
    }

    /// How long it takes until a create that was never answered has settled. None when it has.
    pub fn rest(&self, kind: Kind, key: &Key) -> Option<Duration> {
        let sent = self.sent.lock().get(&(kind, key.clone())).copied();
        let rest = self.settle.saturating_sub(sent.unwrap_or(self.since).elapsed());
        (!rest.is_zero()).then_some(rest)
    }

    /// A create is sent.
    pub fn begin(&self, kind: Kind, key: &Key) {
        let mut sent = self.sent.lock();
        sent.retain(|_, at| at.elapsed() < self.settle);
        sent.insert((kind, key.clone()), Instant::now());
    }

    /// The back end has answered it.
    pub fn end(&self, kind: Kind, key: &Key) {
        self.sent.lock().remove(&(kind, key.clone()));
    }
}
