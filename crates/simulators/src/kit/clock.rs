//! Times of rows: of those that the seed has, and of those that calls make.

use jiff::{SignedDuration, Timestamp, TimestampRound, Unit};

/// When a seed's first row was made: long ago, and the same in every run.
const SEED_BEGINS: SignedDuration = SignedDuration::from_hours(24 * 365 * 56);

/// The times of a seed's rows, one after the other, the same in every run.
pub struct Clock {
    now: Timestamp,
    step: SignedDuration,
}

impl Clock {
    /// A clock whose times lie this far apart.
    pub fn new(step: SignedDuration) -> Self {
        Self { now: Timestamp::UNIX_EPOCH + SEED_BEGINS, step }
    }

    /// The next row's time.
    pub fn tick(&mut self) -> Timestamp {
        self.now += self.step;
        self.now
    }
}

/// The time as a vendor writes it: to this unit.
pub fn now(unit: Unit) -> Timestamp {
    let now = Timestamp::now();
    now.round(TimestampRound::new().smallest(unit)).unwrap_or(now)
}
