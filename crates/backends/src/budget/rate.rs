//! The rate of the calls to one account. It falls at once when the back end throttles, and rises slowly while calls wait for it. Pure: the
//! caller passes the time.
//!
//! All steps are a part of the present rate, because the limits of users and back ends are between 1 and 10,000 calls per second.

use std::{ops::Range, time::Duration};

use tokio::time::Instant;

/// The lowest rate: a throttled account still makes progress.
const MIN_PER_SECOND: f64 = 1.0;
/// The rate after the back end throttled, as a part of the one before.
const CUT: f64 = 0.5;
/// The rate after a window in which most calls waited for it.
const RAISE: f64 = 1.1;
/// The same while the rate is near the one that was too high.
const CAREFUL_RAISE: f64 = 1.01;
/// Near, as a part of the rate that was too high. Above it, the back end evidently allows more than before.
const CAREFUL: Range<f64> = 0.8..1.1;
/// The rate after a window in which the back end was slow.
const EASE: f64 = 0.95;
/// How long a rate that was too high is remembered.
const MEMORY: Duration = Duration::from_secs(600);
/// The part of a second whose calls can be made at once while it is remembered. A burst would be throttled again.
const SMALL_BURST: f64 = 0.1;

/// The shortest window.
const WINDOW: Duration = Duration::from_secs(1);
/// The fewest answers of a window: one slow call says nothing.
const WINDOW_ANSWERS: u32 = 4;
/// A back end is slow if the fastest answer of a window takes this many times the usual time, and [`SLOW_MARGIN`] more.
const SLOW: u32 = 4;
const SLOW_MARGIN: Duration = Duration::from_millis(500);
/// How fast the usual time follows longer times: one part of the difference each window. So a back end that stays slow becomes usual after
/// about 15 windows.
const USUAL_DIVISOR: u32 = 50;

/// The rate of the calls to one account.
#[derive(Debug)]
pub struct Rate {
    per_second: f64,
    max: f64,
    throttled: Option<Throttled>,
    sent: Sent,
    window: Window,
    /// The fastest answer of a usual window.
    usual: Option<Duration>,
}

#[derive(Clone, Copy, Debug)]
struct Throttled {
    per_second: f64,
    at: Instant,
}

/// The calls of the present second and of the one before.
#[derive(Clone, Copy, Debug, Default)]
struct Sent {
    since: Option<Instant>,
    now: u32,
    before: u32,
}

impl Sent {
    fn add(&mut self, now: Instant) {
        self.advance(now);
        self.now += 1;
    }

    fn advance(&mut self, now: Instant) {
        let since = *self.since.get_or_insert(now);
        match now.saturating_duration_since(since).as_secs() {
            0 => {}
            seconds => {
                let before = if seconds == 1 { self.now } else { 0 };
                *self = Self { since: Some(since + Duration::from_secs(seconds)), now: 0, before };
            }
        }
    }

    /// The calls of the last second, about: those of the second before count as far as it overlaps.
    fn per_second(mut self, now: Instant) -> f64 {
        self.advance(now);
        let passed = self.since.map_or(0.0, |since| now.saturating_duration_since(since).as_secs_f64());
        f64::from(self.before).mul_add(1.0 - passed, f64::from(self.now))
    }
}

/// The answers since the last decision.
#[derive(Clone, Copy, Debug)]
struct Window {
    began: Option<Instant>,
    answers: u32,
    waited: u32,
    has_failed: bool,
    fastest: Duration,
}

impl Default for Window {
    fn default() -> Self {
        Self { began: None, answers: 0, waited: 0, has_failed: false, fastest: Duration::MAX }
    }
}

impl Rate {
    /// A rate that starts at `initial` and never exceeds `max`.
    pub fn new(initial: u32, max: u32) -> Self {
        let max = f64::from(max).max(MIN_PER_SECOND);
        let per_second = f64::from(initial).clamp(MIN_PER_SECOND, max);
        Self {
            per_second,
            max,
            throttled: None,
            sent: Sent::default(),
            window: Window::default(),
            usual: None,
        }
    }

    /// The present rate, in calls per second.
    pub fn per_second(&self) -> f64 {
        self.per_second
    }

    /// The calls that can be made at once after a quiet time, of at most `burst`.
    pub fn burst(&self, burst: u32, now: Instant) -> f64 {
        let burst = f64::from(burst).max(1.0);
        match self.too_high(now) {
            Some(_) => (self.per_second * SMALL_BURST).clamp(1.0, burst),
            None => burst,
        }
    }

    /// Sets other limits. The rate starts again, unless the back end made it lower.
    pub fn set(&mut self, initial: u32, max: u32, now: Instant) {
        let new = Self::new(initial, max);
        if self.too_high(now).is_none() {
            self.per_second = new.per_second;
        }
        self.max = new.max;
        self.per_second = self.per_second.min(self.max);
    }

    /// A call is sent.
    pub fn sent(&mut self, now: Instant) {
        self.sent.add(now);
    }

    /// The back end throttled a call that was sent at this time. Calls that were already under way when the rate fell do not lower it again.
    pub fn throttled(&mut self, sent: Instant, now: Instant) {
        if self.throttled.is_some_and(|last| sent <= last.at) {
            return;
        }
        // A burst is faster than the rate, and says nothing against it.
        let too_high = self.per_second.max(self.sent.per_second(now));
        self.throttled = Some(Throttled { per_second: too_high, at: now });
        self.per_second = self.per_second.min(too_high * CUT).max(MIN_PER_SECOND);
        self.window = Window::default();
    }

    /// A call had no answer, or the back end failed: that is no reason for more calls.
    pub fn failed(&mut self) {
        self.window.has_failed = true;
    }

    /// A call succeeded after this time. `waited`: the rate delayed it.
    pub fn answered(&mut self, took: Duration, waited: bool, now: Instant) {
        let window = &mut self.window;
        let began = *window.began.get_or_insert(now);
        window.answers += 1;
        window.waited += u32::from(waited);
        window.fastest = window.fastest.min(took);
        if now.saturating_duration_since(began) >= WINDOW && window.answers >= WINDOW_ANSWERS {
            let window = std::mem::take(window);
            self.decide(window, now);
        }
    }

    fn decide(&mut self, window: Window, now: Instant) {
        let is_slow = self.is_slow(window.fastest);
        let is_bottleneck = window.waited * 2 >= window.answers;
        if !is_bottleneck || window.has_failed {
            return;
        }
        let factor = match self.too_high(now) {
            _ if is_slow => EASE,
            Some(too_high) if CAREFUL.contains(&(self.per_second / too_high)) => CAREFUL_RAISE,
            _ => RAISE,
        };
        self.per_second = (self.per_second * factor).clamp(MIN_PER_SECOND, self.max);
    }

    /// Whether this time is far above the usual one, which then follows it.
    fn is_slow(&mut self, took: Duration) -> bool {
        let usual = *self.usual.get_or_insert(took);
        self.usual = Some(match took.checked_sub(usual) {
            Some(more) => usual + more / USUAL_DIVISOR,
            None => took,
        });
        took > usual * SLOW && took > usual + SLOW_MARGIN
    }

    /// The rate that was too high, if that was not too long ago.
    fn too_high(&self, now: Instant) -> Option<f64> {
        let recent = |last: &Throttled| now.saturating_duration_since(last.at) < MEMORY;
        self.throttled.filter(recent).map(|last| last.per_second)
    }
}

#[cfg(test)]
mod tests;
