//! The limits of the calls to one account: a rate, a burst and a number at the same time. Everything that calls the account shares them,
//! and pauses together when the back end requests it. Background calls use at most half of the rate.

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
use governor::{
    Quota, RateLimiter,
    clock::Clock,
    middleware::NoOpMiddleware,
    state::{InMemoryState, NotKeyed},
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::Instant,
};

/// The limits of the calls to one account.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The average number of calls per second.
    pub per_second: u32,
    /// The number of calls without a delay after a quiet time.
    pub burst: u32,
    /// The number of calls at the same time.
    pub concurrency: u32,
}

impl Limits {
    /// The lower value of each limit.
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

/// The clock of the runtime, so that a simulation decides how fast time passes.
#[derive(Clone, Copy)]
struct RuntimeClock;

impl Clock for RuntimeClock {
    type Instant = std::time::Instant;

    fn now(&self) -> Self::Instant {
        Instant::now().into_std()
    }
}

/// A rate and a burst.
struct Rate(RateLimiter<NotKeyed, InMemoryState, RuntimeClock, NoOpMiddleware<std::time::Instant>>);

impl Rate {
    fn new(quota: Quota) -> Self {
        Self(RateLimiter::direct_with_clock(quota, RuntimeClock))
    }

    async fn until_ready(&self) {
        while let Err(not_until) = self.0.check() {
            tokio::time::sleep(not_until.wait_time_from(RuntimeClock.now())).await;
        }
    }
}

struct Gate {
    limits: Limits,
    rate: Rate,
    /// Half of the rate and of the burst. Background calls pass this first.
    background: Rate,
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
            rate: Rate::new(quota),
            background: Rate::new(half),
            slots: Arc::new(Semaphore::new(slots)),
        }
    }
}

tokio::task_local! {
    /// Set in tasks whose calls are counted and made in the background.
    static METER: Meter;
}

#[derive(Clone)]
struct Meter {
    calls: Arc<AtomicU64>,
    /// Raised while something waits for these calls.
    priority: Priority,
}

/// The priority of background calls. While it is raised, they use the whole rate. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Priority {
    waiting: watch::Sender<usize>,
}

impl Default for Priority {
    fn default() -> Self {
        Self { waiting: watch::Sender::new(0) }
    }
}

impl Priority {
    /// Raises the priority until the result is dropped: something waits for the background calls.
    pub fn raise(&self) -> Raised {
        self.waiting.send_modify(|waiting| *waiting += 1);
        Raised { priority: self.clone() }
    }

    async fn raised(&self) {
        // This cannot fail, because the sender is in `self`.
        let _ = self.waiting.subscribe().wait_for(|waiting| *waiting > 0).await;
    }
}

/// See [`Priority::raise`].
pub struct Raised {
    priority: Priority,
}

impl Drop for Raised {
    fn drop(&mut self) {
        self.priority.waiting.send_modify(|waiting| *waiting -= 1);
    }
}

/// Runs a task, counts its calls and makes them in the background: they use at most half of the rate while `priority` is not raised, so
/// that the other half is free for all other calls.
pub async fn metered<T>(priority: Priority, task: impl Future<Output = T>) -> (T, u64) {
    let calls = Arc::new(AtomicU64::new(0));
    let done = METER.scope(Meter { calls: calls.clone(), priority }, task).await;
    (done, calls.load(Ordering::Relaxed))
}

/// The budget of calls to one account.
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

    /// Changes the limits. Calls that already wait keep the old ones.
    pub fn set(&self, limits: Limits) {
        if self.limits() != limits {
            self.gate.store(Arc::new(Gate::new(limits)));
        }
    }

    /// Delays every further call by this long, as `Retry-After` requests.
    pub fn pause(&self, time: Duration) {
        let until = Instant::now() + time;
        let mut paused = self.paused_until.lock().expect("nothing panics while it holds this lock");
        *paused = Some(paused.map_or(until, |earlier| earlier.max(until)));
    }

    /// Waits for a slot, for the rate and for the end of a short pause. Dropping the permit frees the slot.
    ///
    /// # Errors
    /// The rest of a longer pause: whatever waits for the call must not stay in a worker that long.
    pub async fn acquire(&self) -> Result<OwnedSemaphorePermit, Duration> {
        self.check_pause()?;
        let gate = self.gate.load_full();
        let meter = METER.try_with(Clone::clone).ok();
        if let Some(meter) = &meter {
            tokio::select! {
                biased;
                () = meter.priority.raised() => {}
                () = gate.background.until_ready() => {}
            }
        }
        let permit = gate.slots.clone().acquire_owned().await.expect("this semaphore is never closed");
        gate.rate.until_ready().await;
        loop {
            let rest = self.check_pause()?;
            if rest.is_zero() {
                break;
            }
            tokio::time::sleep(rest).await;
        }
        if let Some(meter) = meter {
            meter.calls.fetch_add(1, Ordering::Relaxed);
        }
        Ok(permit)
    }

    /// The rest of a pause that is short enough to wait for; a longer one is the error.
    fn check_pause(&self) -> Result<Duration, Duration> {
        const MAX_WAIT: Duration = Duration::from_secs(5);
        let until = *self.paused_until.lock().expect("nothing panics while it holds this lock");
        let rest = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
        if rest > MAX_WAIT { Err(rest) } else { Ok(rest) }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn background_calls_use_half_of_the_rate_until_raised() {
        let budget = Budget::new(Limits { per_second: 1, burst: 4, concurrency: 4 });
        let priority = Priority::default();
        let mut background = Box::pin(metered(priority.clone(), async {
            for _ in 0..3 {
                drop(budget.acquire().await.unwrap());
            }
        }));
        assert!((&mut background).now_or_never().is_none(), "half of the burst is less than three");
        assert!(budget.acquire().now_or_never().is_some(), "any other call goes at once");
        let raised = priority.raise();
        assert_eq!(background.await, ((), 3), "the other call is not counted");
        drop(raised);
        assert!(priority.raised().now_or_never().is_none());
    }

    #[tokio::test]
    async fn a_long_pause_is_an_error_and_not_a_wait() {
        let budget = Budget::new(Limits::default());
        budget.pause(Duration::from_secs(600));
        let rest = budget.acquire().now_or_never().expect("no wait").expect_err("a pause");
        assert!(rest > Duration::from_secs(590), "{rest:?}");
    }
}
