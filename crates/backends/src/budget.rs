//! What a tenant's calls may use up: a rate, a burst and a number at once, shared by everything that calls the tenant,
//! and a pause for all of them when the back end asks for one. What nobody waits for is spread over half of the rate.

use std::{
    future::Future,
    num::NonZeroU32,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use governor::{DefaultDirectRateLimiter, Jitter, Quota, RateLimiter};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::Instant,
};

/// The limits of a tenant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// Calls a second in the long run.
    pub per_second: u32,
    /// Calls that may go at once after a quiet time.
    pub burst: u32,
    /// Calls under way at one time.
    pub concurrency: u32,
}

impl Limits {
    /// What both allow.
    pub fn stricter(self, other: Self) -> Self {
        Self {
            per_second: self.per_second.min(other.per_second),
            burst: self.burst.min(other.burst),
            concurrency: self.concurrency.min(other.concurrency),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { per_second: 5, burst: 10, concurrency: 4 }
    }
}

struct Gate {
    limits: Limits,
    rate: DefaultDirectRateLimiter,
    /// Half of the rate and of the burst, for calls at leisure: they pass this first.
    leisure: DefaultDirectRateLimiter,
    slots: Arc<Semaphore>,
}

impl Gate {
    fn new(limits: Limits) -> Self {
        let at_least_one = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        let quota =
            Quota::per_second(at_least_one(limits.per_second)).allow_burst(at_least_one(limits.burst));
        let half = Quota::with_period(quota.replenish_interval() * 2)
            .map_or(quota, |half| half.allow_burst(at_least_one(limits.burst / 2)));
        let slots = usize::try_from(limits.concurrency.max(1)).unwrap_or(1);
        Self {
            limits,
            rate: RateLimiter::direct(quota),
            leisure: RateLimiter::direct(half),
            slots: Arc::new(Semaphore::new(slots)),
        }
    }
}

tokio::task_local! {
    /// Set where calls are counted, and made at leisure.
    static METER: Meter;
}

#[derive(Clone)]
struct Meter {
    calls: Arc<AtomicU64>,
    /// Who may come to wait for these calls.
    haste: Haste,
}

/// Who waits for calls that are made at leisure: as long as anybody does, they are not. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Haste {
    waiting: watch::Sender<usize>,
}

impl Default for Haste {
    fn default() -> Self {
        Self { waiting: watch::Sender::new(0) }
    }
}

impl Haste {
    /// Somebody waits, until this is dropped.
    pub fn wait(&self) -> Waiting {
        self.waiting.send_modify(|waiting| *waiting += 1);
        Waiting { haste: self.clone() }
    }

    async fn is_needed(&self) {
        // The sender is here, so that this ends only when it is so.
        let _ = self.waiting.subscribe().wait_for(|waiting| *waiting > 0).await;
    }
}

/// See [`Haste::wait`].
pub struct Waiting {
    haste: Haste,
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.haste.waiting.send_modify(|waiting| *waiting -= 1);
    }
}

/// Counts the calls that a task makes, and has them made at leisure: as long as nobody waits they are spread over half of the rate, so that
/// the other half is free for calls that somebody waits for.
pub async fn metered<T>(haste: Haste, task: impl Future<Output = T>) -> (T, u64) {
    let calls = Arc::new(AtomicU64::new(0));
    let done = METER.scope(Meter { calls: calls.clone(), haste }, task).await;
    (done, calls.load(Ordering::Relaxed))
}

/// A tenant's budget of calls.
pub struct Budget {
    gate: ArcSwap<Gate>,
    paused_until: Mutex<Option<Instant>>,
}

impl Budget {
    /// A budget with these limits.
    pub fn new(limits: Limits) -> Self {
        Self { gate: ArcSwap::from_pointee(Gate::new(limits)), paused_until: Mutex::new(None) }
    }

    /// The limits in force.
    pub fn limits(&self) -> Limits {
        self.gate.load().limits
    }

    /// Puts other limits in force. Calls that wait already wait by the old ones.
    pub fn set(&self, limits: Limits) {
        if self.limits() != limits {
            self.gate.store(Arc::new(Gate::new(limits)));
        }
    }

    /// Holds every further call back for this long, as `Retry-After` asks.
    pub fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut paused = self.paused_until.lock().expect("nothing panics while it holds this lock");
        *paused = Some(paused.map_or(until, |earlier| earlier.max(until)));
    }

    /// Waits for a slot, for the rate, and for a pause to end. The slot is free again when the permit is dropped.
    pub async fn acquire(&self) -> OwnedSemaphorePermit {
        let gate = self.gate.load_full();
        let meter = METER.try_with(Clone::clone).ok();
        if let Some(meter) = &meter {
            tokio::select! {
                () = meter.haste.is_needed() => {}
                () = gate.leisure.until_ready() => {}
            }
        }
        let permit = gate.slots.clone().acquire_owned().await.expect("this semaphore is never closed");
        gate.rate.until_ready_with_jitter(Jitter::up_to(Duration::from_millis(2))).await;
        loop {
            let until = *self.paused_until.lock().expect("nothing panics while it holds this lock");
            match until {
                Some(until) if until > Instant::now() => tokio::time::sleep_until(until).await,
                _ => break,
            }
        }
        if let Some(meter) = meter {
            meter.calls.fetch_add(1, Ordering::Relaxed);
        }
        permit
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn calls_at_leisure_leave_half_of_the_rate_until_somebody_waits_for_them() {
        let budget = Budget::new(Limits { per_second: 1, burst: 4, concurrency: 4 });
        let haste = Haste::default();
        let mut leisurely = Box::pin(metered(haste.clone(), async {
            for _ in 0..3 {
                drop(budget.acquire().await);
            }
        }));
        assert!((&mut leisurely).now_or_never().is_none(), "half of the burst is less than three");
        assert!(budget.acquire().now_or_never().is_some(), "somebody else's call goes at once");
        let waiting = haste.wait();
        assert_eq!(leisurely.await, ((), 3), "another's call is not counted");
        drop(waiting);
        assert!(haste.is_needed().now_or_never().is_none());
    }
}
