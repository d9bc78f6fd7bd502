//! Timestamps of rows: fixed ones for the seed, the current time for rows that calls create.

use jiff::{SignedDuration, Timestamp, TimestampRound, Unit};

/// The creation time of a seed's first row, after the Unix epoch: long ago, and the same in every run.
const SEED_BEGINS: SignedDuration = SignedDuration::from_hours(24 * 365 * 56);

/// The creation times of a seed's rows, in ascending order and the same in every run.
pub struct Clock {
    now: Timestamp,
    step: SignedDuration,
}

impl Clock {
    /// A clock with this distance between two rows.
    pub fn new(step: SignedDuration) -> Self {
        Self { now: Timestamp::UNIX_EPOCH + SEED_BEGINS, step }
    }

    /// The creation time of the next row.
    pub fn tick(&mut self) -> Timestamp {
        self.now += self.step;
        self.now
    }
}

/// The current time, rounded to the unit that a vendor uses.
pub fn now(unit: Unit) -> Timestamp {
    let now = Timestamp::now();
    now.round(TimestampRound::new().smallest(unit)).unwrap_or(now)
}
