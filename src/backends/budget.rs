//! What a tenant's calls may use up: a rate, a burst and a number at once, shared by everything that calls the tenant,
//! and a pause for all of them when the back end asks for one.

use std::{
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
    sync::{OwnedSemaphorePermit, Semaphore},
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
    slots: Arc<Semaphore>,
}

impl Gate {
    fn new(limits: Limits) -> Self {
        let at_least_one = |n: u32| NonZeroU32::new(n).unwrap_or(NonZeroU32::MIN);
        let quota =
            Quota::per_second(at_least_one(limits.per_second)).allow_burst(at_least_one(limits.burst));
        let slots = usize::try_from(limits.concurrency.max(1)).unwrap_or(1);
        Self { limits, rate: RateLimiter::direct(quota), slots: Arc::new(Semaphore::new(slots)) }
    }
}

/// A tenant's budget of calls.
pub struct Budget {
    gate: ArcSwap<Gate>,
    paused_until: Mutex<Option<Instant>>,
    used: AtomicU64,
}

impl Budget {
    /// A budget with these limits.
    pub fn new(limits: Limits) -> Self {
        Self {
            gate: ArcSwap::from_pointee(Gate::new(limits)),
            paused_until: Mutex::new(None),
            used: AtomicU64::new(0),
        }
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

    /// How many calls have been let through.
    pub fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// Waits for a slot, for the rate, and for a pause to end. The slot is free again when the permit is dropped.
    pub async fn acquire(&self) -> OwnedSemaphorePermit {
        let gate = self.gate.load_full();
        let permit = gate.slots.clone().acquire_owned().await.expect("this semaphore is never closed");
        gate.rate.until_ready_with_jitter(Jitter::up_to(Duration::from_millis(2))).await;
        loop {
            let until = *self.paused_until.lock().expect("nothing panics while it holds this lock");
            match until {
                Some(until) if until > Instant::now() => tokio::time::sleep_until(until).await,
                _ => {
                    self.used.fetch_add(1, Ordering::Relaxed);
                    return permit;
                }
            }
        }
    }
}
