//! Values that differ from answer to answer and are the same in every run.

use std::sync::atomic::{AtomicU64, Ordering};

/// A counter: numbers from 1, each issued once.
#[derive(Debug, Default)]
pub struct Serial(AtomicU64);

impl Serial {
    /// The next number.
    pub fn next(&self) -> u64 {
        self.0.fetch_add(1, Ordering::Relaxed) + 1
    }
}

/// A source of random number generators, one for each answer.
#[derive(Debug, Default)]
pub struct Dice(Serial);

impl Dice {
    /// The generator for the next answer.
    pub fn next(&self, seed: u64) -> fastrand::Rng {
        fastrand::Rng::with_seed(seed.wrapping_add(self.0.next()))
    }
}
