//! Requests for a sweep, and what one sweep leaves to the next.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use parking_lot::Mutex;
use rolewright_backends::{Priority, Raised};
use rolewright_core::model::{Id, Kind};
use tokio::sync::Notify;

/// Starts the next sweep of an [`AccountView`](super::AccountView).
#[derive(Default)]
pub struct SweepTrigger {
    notify: Notify,
    /// Raises the priority of the sweep until it is done.
    requested: Mutex<Option<Raised>>,
    /// A user requested a sweep, and so confirms what the back end shows.
    confirmed: AtomicBool,
    started: AtomicBool,
    /// The last external thing that was read whole in turn.
    pub last_read_whole: Mutex<Option<(Kind, Id)>>,
}

impl SweepTrigger {
    /// True for the first caller, who must start the task.
    pub fn start_once(&self) -> bool {
        !self.started.swap(true, Ordering::Relaxed)
    }

    /// A user requests a sweep at once and confirms that what has vanished was deleted. A sweep under way gets a higher priority.
    pub fn request(&self, priority: &Priority) {
        self.confirmed.store(true, Ordering::Relaxed);
        *self.requested.lock() = Some(priority.raise());
        self.notify.notify_one();
    }

    /// Waits for a request, at most for this time.
    pub async fn wait(&self, time: Duration) {
        let _ = tokio::time::timeout(time, self.notify.notified()).await;
    }

    /// Takes the request: the sweep has a higher priority until the result is dropped.
    pub fn take_request(&self) -> Option<Raised> {
        self.requested.lock().take()
    }

    /// Whether a user confirms what the back end shows. The confirmation stays until a call with `needed` false.
    pub fn is_confirmed(&self, needed: bool) -> bool {
        self.confirmed.fetch_and(needed, Ordering::Relaxed)
    }
}
