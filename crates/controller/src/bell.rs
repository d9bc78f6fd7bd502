//! Who asks for a sweep, and what one sweep leaves to the next.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::sync::Notify;

use rolewright_backends::{Priority, Raised};
use rolewright_core::model::{Id, Kind};

/// Wakes the task that sweeps a session.
#[derive(Default)]
pub struct Bell {
    notify: Notify,
    /// Whoever asked waits, until the sweep that was asked for is done.
    asked: Mutex<Option<Raised>>,
    /// A person asked, and so vouches for what the back end shows.
    vouched: AtomicBool,
    started: AtomicBool,
    /// What was last read whole although nothing spoke for it.
    pub turn: Mutex<Option<(Kind, Id)>>,
}

impl Bell {
    /// Whether this is the first to ask: the task has to be started once.
    pub fn is_first(&self) -> bool {
        !self.started.swap(true, Ordering::Relaxed)
    }

    /// A person asks for a sweep at once, so what has vanished is believed to be gone. One that is under way gets priority.
    pub fn ring(&self, priority: &Priority) {
        self.vouched.store(true, Ordering::Relaxed);
        *self.asked.lock() = Some(priority.raise());
        self.notify.notify_one();
    }

    /// Waits until it rings, or until the time has passed.
    pub async fn rings(&self, time: Duration) {
        let _ = tokio::time::timeout(time, self.notify.notified()).await;
    }

    /// Whoever asked waits until this is dropped.
    pub fn answer(&self) -> Option<Raised> {
        self.asked.lock().take()
    }

    /// Whether a person vouches for the view. The word holds for as long as there is something that it is needed for.
    pub fn is_vouched_for(&self, needed: bool) -> bool {
        self.vouched.fetch_and(needed, Ordering::Relaxed)
    }
}
