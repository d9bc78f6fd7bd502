//! The limits of the calls to one account: a rate, a burst and a number at the same time. Everything that calls the account shares them,
//! and pauses together when the back end requests it. Background calls use at most half of the rate.

mod bucket;
mod rate;
pub mod volume;

use std::{
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, watch},
    time::{Instant, sleep},
};

use self::{bucket::Bucket, rate::Rate};

/// The limits of the calls to one account.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Limits {
    /// The average number of calls per second at the start.
    pub initial_per_second: u32,
    /// The highest average number of calls per second.
    pub max_per_second: u32,
    /// The number of calls without a delay after a quiet time.
    pub burst: u32,
    /// The number of calls at the same time.
    pub concurrency: u32,
}

impl Limits {
    /// These limits for calls that start at the highest rate.
    pub const fn new(per_second: u32, burst: u32, concurrency: u32) -> Self {
        Self { initial_per_second: per_second, max_per_second: per_second, burst, concurrency }
    }

    /// The same with another highest rate, at which the calls start.
    #[must_use]
    pub const fn at(self, per_second: u32) -> Self {
        Self { initial_per_second: per_second, max_per_second: per_second, ..self }
    }

    /// The lower value of each limit.
    pub fn stricter(self, other: Self) -> Self {
        Self {
            initial_per_second: self.initial_per_second.min(other.initial_per_second),
            max_per_second: self.max_per_second.min(other.max_per_second),
            burst: self.burst.min(other.burst),
            concurrency: self.concurrency.min(other.concurrency),
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
/// that the other half is free for all other calls. The answers have a [bounded volume](volume).
pub async fn metered<T>(priority: Priority, task: impl Future<Output = T>) -> (T, u64) {
    let calls = Arc::new(AtomicU64::new(0));
    let done = METER.scope(Meter { calls: calls.clone(), priority }, volume::bounded(task)).await;
    (done, calls.load(Ordering::Relaxed))
}

/// The budget of calls to one account.
pub struct Budget {
    state: Mutex<State>,
    /// Calls wait in the order of their arrival: the lock is fair, and its owner waits for the rate.
    all: tokio::sync::Mutex<Bucket>,
    /// Half of the rate and of the burst. Background calls pass this first.
    background: tokio::sync::Mutex<Bucket>,
    calls: AtomicU64,
    waited_micros: AtomicU64,
}

struct State {
    limits: Limits,
    rate: Rate,
    slots: Arc<Semaphore>,
    paused_until: Option<Instant>,
}

/// The permission for one call. Dropping it allows another one at the same time.
#[derive(Debug)]
pub struct Permit {
    _slot: OwnedSemaphorePermit,
    /// The rate delayed the call.
    waited: bool,
    since: Instant,
}

impl Budget {
    /// A budget with these limits.
    pub fn new(limits: Limits) -> Self {
        Self {
            state: Mutex::new(State {
                limits,
                rate: Rate::new(limits.initial_per_second, limits.max_per_second),
                slots: slots(limits),
                paused_until: None,
            }),
            all: tokio::sync::Mutex::default(),
            background: tokio::sync::Mutex::default(),
            calls: AtomicU64::new(0),
            waited_micros: AtomicU64::new(0),
        }
    }

    /// The calls that this budget has allowed, and the time that calls have waited for it.
    pub fn usage(&self) -> (u64, Duration) {
        let waited = self.waited_micros.load(Ordering::Relaxed);
        (self.calls.load(Ordering::Relaxed), Duration::from_micros(waited))
    }

    /// The limits in force.
    pub fn limits(&self) -> Limits {
        self.state.lock().limits
    }

    /// The present rate, in calls per second.
    pub fn per_second(&self) -> f64 {
        self.state.lock().rate.per_second()
    }

    /// Changes the limits. Calls that are under way keep their slots.
    pub fn set(&self, limits: Limits) {
        let mut state = self.state.lock();
        if state.limits != limits {
            state.rate.set(limits.initial_per_second, limits.max_per_second, Instant::now());
            state.slots = slots(limits);
            state.limits = limits;
        }
    }

    /// The back end throttled this call: the rate falls, and every further call is delayed by this long, as `Retry-After` requests.
    pub fn throttled(&self, permit: &Permit, pause: Duration) {
        let now = Instant::now();
        let mut state = self.state.lock();
        state.rate.throttled(permit.since, now);
        state.paused_until = state.paused_until.max(Some(now + pause));
    }

    /// The call of this permit succeeded.
    pub fn answered(&self, permit: &Permit) {
        self.state.lock().rate.answered(permit.since.elapsed(), permit.waited, Instant::now());
    }

    /// A call had no answer, or the back end failed.
    pub fn failed(&self) {
        self.state.lock().rate.failed();
    }

    /// Waits for a slot, for the rate and for the end of a short pause. Dropping the permit frees the slot.
    ///
    /// # Errors
    /// The rest of a longer pause: whatever waits for the call must not stay in a worker that long.
    pub async fn acquire(&self) -> Result<Permit, Duration> {
        let began = Instant::now();
        let permit = self.admit().await;
        let waited = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.waited_micros.fetch_add(waited, Ordering::Relaxed);
        self.calls.fetch_add(u64::from(permit.is_ok()), Ordering::Relaxed);
        permit
    }

    async fn admit(&self) -> Result<Permit, Duration> {
        self.check_pause()?;
        let meter = METER.try_with(Clone::clone).ok();
        let mut waited = false;
        if let Some(meter) = &meter {
            waited = tokio::select! {
                biased;
                () = meter.priority.raised() => false,
                passed = self.pass(&self.background, 0.5) => passed?,
            };
        }
        let slots = self.state.lock().slots.clone();
        let slot = slots.acquire_owned().await.expect("this semaphore is never closed");
        waited |= self.pass(&self.all, 1.0).await?;
        if let Some(meter) = meter {
            meter.calls.fetch_add(1, Ordering::Relaxed);
        }
        let since = Instant::now();
        self.state.lock().rate.sent(since);
        Ok(Permit { _slot: slot, waited, since })
    }

    /// Waits for the end of a short pause, and for this share of the rate. Returns whether the rate caused a delay.
    async fn pass(&self, bucket: &tokio::sync::Mutex<Bucket>, share: f64) -> Result<bool, Duration> {
        let mut bucket = bucket.lock().await;
        let mut waited = false;
        loop {
            let pause = self.check_pause()?;
            if !pause.is_zero() {
                sleep(pause).await;
                continue;
            }
            let (per_second, burst, now) = self.allowed();
            let Err(wait) = bucket.take(per_second * share, burst * share, now) else { return Ok(waited) };
            waited = true;
            sleep(wait).await;
        }
    }

    /// The present rate and burst.
    fn allowed(&self) -> (f64, f64, Instant) {
        let (state, now) = (self.state.lock(), Instant::now());
        (state.rate.per_second(), state.rate.burst(state.limits.burst, now), now)
    }

    /// The rest of a pause that is short enough to wait for; a longer one is the error.
    fn check_pause(&self) -> Result<Duration, Duration> {
        const MAX_WAIT: Duration = Duration::from_secs(5);
        let until = self.state.lock().paused_until;
        let rest = until.map_or(Duration::ZERO, |until| until.saturating_duration_since(Instant::now()));
        if rest > MAX_WAIT { Err(rest) } else { Ok(rest) }
    }
}

fn slots(limits: Limits) -> Arc<Semaphore> {
    Arc::new(Semaphore::new(usize::try_from(limits.concurrency.max(1)).unwrap_or(1)))
}

#[cfg(test)]
mod tests;
