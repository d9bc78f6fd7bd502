//! How often drift of each object was corrected in the last hour.

use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

use parking_lot::Mutex;
use tokio::time::Instant;

use crate::object::ObjectRef;

/// The window in which corrections are counted.
const WINDOW: Duration = Duration::from_secs(3600);
/// This many corrections within [`WINDOW`] make an object contested.
const CONTESTED: usize = 3;
/// How long a contested object waits before the next correction; doubled with each further one.
const FIRST_WAIT: Duration = Duration::from_secs(300);

/// Corrections of drift by object.
#[derive(Default)]
pub struct Corrections {
    times: Mutex<HashMap<ObjectRef, VecDeque<Instant>>>,
}

impl Corrections {
    /// Counts one correction.
    pub fn add(&self, object: &ObjectRef) {
        let mut times = self.times.lock();
        times.entry(object.clone()).or_default().push_back(Instant::now());
    }

    /// If others keep changing what this object manages: when its drift can be corrected next.
    pub fn next_correction(&self, object: &ObjectRef) -> Option<Instant> {
        let mut times = self.times.lock();
        let known = times.get_mut(object)?;
        known.retain(|time| time.elapsed() < WINDOW);
        if known.is_empty() {
            times.remove(object);
            return None;
        }
        let more = known.len().checked_sub(CONTESTED)?;
        let doublings = u32::try_from(more).unwrap_or(u32::MAX).min(4);
        known.back().map(|last| *last + FIRST_WAIT * 2_u32.pow(doublings))
    }

    /// Drops the counts of a deleted object.
    pub fn forget(&self, object: &ObjectRef) {
        self.times.lock().remove(object);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::{ObjectKind, ObjectName};

    #[test]
    fn corrections_of_a_deleted_object_are_dropped() {
        let object = ObjectRef { kind: ObjectKind::Role, name: ObjectName::new("ns", "a") };
        let corrections = Corrections::default();
        for _ in 0..CONTESTED {
            corrections.add(&object);
        }
        assert!(corrections.next_correction(&object).is_some());
        corrections.forget(&object);
        assert!(corrections.times.lock().is_empty());
    }
}
