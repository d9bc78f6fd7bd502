//! What every measurement needs: a control plane, an operator, a back end, a population of objects, and a table for the figures.

pub mod bare;
pub mod cluster;
pub mod operator;
pub mod population;
pub mod samples;
pub mod simulator;
pub mod table;

use std::time::{Duration, Instant};

/// A measurement that cannot be made ends the run.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// How often a condition is looked at: short beside everything that is measured.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Waits until `ask` has an answer.
///
/// # Errors
/// Those of `ask`, and a wait that is longer than `limit`.
pub async fn until<T>(
    what: &str,
    limit: Duration,
    mut ask: impl AsyncFnMut() -> Outcome<Option<T>>,
) -> Outcome<T> {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if started.elapsed() > limit {
            return Err(format!("{what}: not within {} s", limit.as_secs()).into());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// The middle one. Of an even number, the higher of the two in the middle.
pub fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
