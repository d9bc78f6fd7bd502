//! The parts of every measurement: a control plane, an operator, a back end, a population of objects, and a table for the figures.

pub mod cluster;
pub mod operator;
pub mod population;
pub mod ready;
pub mod replay;
pub mod samples;
pub mod simulator;
pub mod table;

use std::time::{Duration, Instant};

/// An error ends the benchmark.
pub type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The interval between two checks of a condition. It is short compared with everything that is measured.
const CHECK_INTERVAL: Duration = Duration::from_millis(5);

/// Waits until `check` returns a value.
///
/// # Errors
/// Those of `check`, and a timeout after `limit`.
pub async fn until<T>(
    what: &str,
    limit: Duration,
    mut check: impl AsyncFnMut() -> Outcome<Option<T>>,
) -> Outcome<T> {
    let started = Instant::now();
    loop {
        if let Some(value) = check().await? {
            return Ok(value);
        }
        if started.elapsed() > limit {
            return Err(format!("{what}: not within {} s", limit.as_secs()).into());
        }
        tokio::time::sleep(CHECK_INTERVAL).await;
    }
}

/// The median. For an even number of figures, the higher of the two in the middle.
pub fn median(figures: Vec<f64>) -> f64 {
    percentile(figures, 50)
}

/// The lowest figure that is higher than this percentage of all figures, or the highest of all.
pub fn percentile(mut figures: Vec<f64>, percent: usize) -> f64 {
    figures.sort_by(f64::total_cmp);
    let index = figures.len() * percent / 100;
    figures.get(index).or(figures.last()).copied().unwrap_or(f64::NAN)
}
