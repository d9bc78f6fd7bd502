//! A token bucket whose rate can change at any time. Pure: the caller passes the time.

use std::time::Duration;

use tokio::time::Instant;

/// The calls that a rate allows now, up to a burst. It starts full.
#[derive(Debug)]
pub struct Bucket {
    tokens: f64,
    filled: Option<Instant>,
}

impl Default for Bucket {
    fn default() -> Self {
        Self { tokens: f64::INFINITY, filled: None }
    }
}

impl Bucket {
    /// Takes one call. The error is the time until the next one.
    pub fn take(&mut self, per_second: f64, burst: f64, now: Instant) -> Result<(), Duration> {
        // Rounding errors are far smaller.
        const ONE: f64 = 1.0 - 1e-6;
        let quiet = self.filled.map_or(Duration::ZERO, |filled| now.saturating_duration_since(filled));
        self.tokens = (self.tokens + quiet.as_secs_f64() * per_second).min(burst.max(1.0));
        self.filled = Some(now);
        if self.tokens < ONE {
            return Err(Duration::from_secs_f64((1.0 - self.tokens) / per_second));
        }
        self.tokens -= 1.0;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The calls that pass in this time, in steps of a millisecond.
    fn calls(bucket: &mut Bucket, (per_second, burst): (f64, f64), from: Instant, time: Duration) -> usize {
        let steps = u64::try_from(time.as_millis()).unwrap();
        let at = |step| from + Duration::from_millis(step);
        (0..steps)
            .map(|step| std::iter::from_fn(|| bucket.take(per_second, burst, at(step)).ok()).count())
            .sum()
    }

    #[test]
    fn burst_passes_at_once_and_then_the_rate() {
        let (mut bucket, start) = (Bucket::default(), Instant::now());
        assert_eq!(calls(&mut bucket, (5.0, 10.0), start, Duration::from_millis(1)), 10);
        assert_eq!(bucket.take(5.0, 10.0, start), Err(Duration::from_millis(200)));
        assert_eq!(calls(&mut bucket, (5.0, 10.0), start, Duration::from_millis(2001)), 10);
        let later = start + Duration::from_secs(3600);
        assert_eq!(
            calls(&mut bucket, (5.0, 10.0), later, Duration::from_millis(1)),
            10,
            "after a quiet time"
        );
    }

    #[test]
    fn new_rate_applies_from_the_next_call() {
        let (mut bucket, start) = (Bucket::default(), Instant::now());
        calls(&mut bucket, (50.0, 10.0), start, Duration::from_millis(1));
        assert_eq!(bucket.take(50.0, 10.0, start), Err(Duration::from_millis(20)));
        assert_eq!(bucket.take(1.0, 1.0, start), Err(Duration::from_secs(1)));
        let second = start + Duration::from_secs(1);
        assert_eq!(calls(&mut bucket, (1.0, 1.0), second, Duration::from_millis(1)), 1);
    }
}
