//! How often the reconcile of each object failed in a row.

use std::{collections::HashMap, sync::Arc, time::Duration};

use parking_lot::Mutex;
use rolewright_reconcile::object::ObjectRef;
use tokio::time::Instant;

/// Failures in a row by object.
#[derive(Clone, Default)]
pub struct BackOff {
    failures: Arc<Mutex<HashMap<ObjectRef, Failures>>>,
}

struct Failures {
    count: u32,
    /// Until when the plan that failed is not tried again.
    until: Instant,
    plan: Option<String>,
}

impl BackOff {
    /// Counts one more failure. Returns the time to wait: from `first`, doubled with each failure, at most `max`, with a jitter of a quarter.
    pub fn next(&self, object: &ObjectRef, first: Duration, max: Duration) -> Duration {
        let mut failures = self.failures.lock();
        let row = failures.entry(object.clone()).or_insert(Failures {
            count: 0,
            until: Instant::now(),
            plan: None,
        });
        let time = first.saturating_mul(2_u32.saturating_pow(row.count)).min(max);
        let time = time.mul_f64(fastrand::f64().mul_add(0.25, 0.875));
        row.count = row.count.saturating_add(1);
        row.until = Instant::now() + time;
        time
    }

    /// Records the hash of the plan that failed.
    pub fn set_failed_plan(&self, object: &ObjectRef, plan: &str) {
        if let Some(row) = self.failures.lock().get_mut(object) {
            row.plan = Some(plan.to_owned());
        }
    }

    /// How long this plan must still wait, if it is the one that failed.
    pub fn remaining(&self, object: &ObjectRef, plan: &str) -> Option<Duration> {
        let failures = self.failures.lock();
        let row = failures.get(object).filter(|row| row.plan.as_deref() == Some(plan))?;
        let rest = row.until.saturating_duration_since(Instant::now());
        (!rest.is_zero()).then_some(rest)
    }

    /// A reconcile of the object succeeded, or its failures no longer count.
    pub fn reset(&self, object: &ObjectRef) {
        self.failures.lock().remove(object);
    }
}

#[cfg(test)]
mod tests {
    use rolewright_reconcile::object::{ObjectKind, ObjectName};

    use super::*;

    #[test]
    fn reset_drops_the_entry() {
        let object = ObjectRef { kind: ObjectKind::Role, name: ObjectName::new("ns", "a") };
        let back_off = BackOff::default();
        back_off.next(&object, Duration::from_secs(1), Duration::from_secs(8));
        back_off.reset(&object);
        back_off.set_failed_plan(&object, "hash");
        assert!(back_off.failures.lock().is_empty());
    }

    #[test]
    fn each_failure_in_a_row_doubles_the_wait_up_to_the_max() {
        let object = ObjectRef { kind: ObjectKind::Role, name: ObjectName::new("ns", "a") };
        let back_off = BackOff::default();
        let wait = |_| back_off.next(&object, Duration::from_secs(1), Duration::from_secs(8)).as_secs_f64();
        let waits: Vec<f64> = (0..6).map(wait).collect();
        assert!(waits[0] < 1.2 && waits[2] > 3.4 && waits[5] < 9.1, "{waits:?}");
    }
}
