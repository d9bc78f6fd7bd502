//! What changes from answer to answer and is the same in every run.

use std::sync::atomic::{AtomicU64, Ordering};

/// Numbers from 1, each given once.
#[derive(Debug, Default)]
pub struct Serial(AtomicU64);

impl Serial {
    /// The next number.
    pub fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// Dice for answers.
#[derive(Debug, Default)]
pub struct Dice(Serial);

impl Dice {
    /// Dice for one answer: others each time, the same in every run.
    pub fn next(&self, seed: u64) -> fastrand::Rng {
        fastrand::Rng::with_seed(seed.wrapping_add(self.0.next()))
    }
}
