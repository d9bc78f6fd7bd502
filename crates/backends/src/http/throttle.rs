//! How long to wait when a back end reports too many calls.

use std::{sync::Mutex, time::Duration};

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use tokio::time::Instant;

const MIN_PAUSE: Duration = Duration::from_secs(1);
const MAX_PAUSE: Duration = Duration::from_secs(600);
const FIRST_OWN_PAUSE: Duration = Duration::from_secs(2);
const MAX_OWN_PAUSE: Duration = Duration::from_secs(60);

/// The pause in `Retry-After`, as seconds or as a date (RFC 9110 10.2.3), between one second and ten minutes. None if the header is absent
/// or invalid.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let requested = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let then = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
            Duration::try_from(then.duration_since(now).max(SignedDuration::ZERO)).ok()?
        }
    };
    Some(requested.clamp(MIN_PAUSE, MAX_PAUSE))
}

/// Pauses for a back end that throttles without a time: doubled each time, and reset by an answer.
#[derive(Debug, Default)]
pub struct OwnPauses(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    strikes: u32,
    until: Option<Instant>,
}

impl OwnPauses {
    /// The pause from now on. Several calls that are throttled at the same time count once.
    pub fn next(&self, now: Instant) -> Duration {
        let mut state = self.0.lock().expect("nothing panics while it holds this lock");
        if let Some(left) = state.until.and_then(|until| until.checked_duration_since(now))
            && !left.is_zero()
        {
            return left;
        }
        let pause = FIRST_OWN_PAUSE.saturating_mul(1 << state.strikes.min(5)).min(MAX_OWN_PAUSE);
        state.strikes += 1;
        state.until = Some(now + pause);
        pause
    }

    /// The back end answers again.
    pub fn reset(&self) {
        *self.0.lock().expect("nothing panics while it holds this lock") = State::default();
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn pause(value: &str) -> Option<Duration> {
        let now: Timestamp = "1994-11-06T08:49:00Z".parse().expect("a time");
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(value).expect("a value"))]);
        retry_after(&headers, now)
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_bounded() {
        assert_eq!(pause("7"), Some(Duration::from_secs(7)));
        assert_eq!(pause("0"), Some(MIN_PAUSE));
        assert_eq!(pause("86400"), Some(MAX_PAUSE));
        assert_eq!(pause("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(37)));
        assert_eq!(pause("Sun, 06 Nov 1993 08:49:37 GMT"), None, "the wrong weekday");
        assert_eq!(pause("Sat, 06 Nov 1993 08:49:37 GMT"), Some(MIN_PAUSE));
        for invalid in ["", "soon", "-5", "1.5", "99999999999999999999999"] {
            assert_eq!(pause(invalid), None, "{invalid}");
        }
    }

    #[test]
    fn own_pauses_grow_until_an_answer() {
        let (pauses, start) = (OwnPauses::default(), Instant::now());
        assert_eq!(pauses.next(start), Duration::from_secs(2));
        assert_eq!(
            pauses.next(start + Duration::from_secs(1)),
            Duration::from_secs(1),
            "throttled at the same time"
        );
        assert_eq!(pauses.next(start + Duration::from_secs(2)), Duration::from_secs(4));
        assert_eq!(pauses.next(start + Duration::from_secs(600)), Duration::from_secs(8));
        pauses.reset();
        assert_eq!(pauses.next(start + Duration::from_secs(601)), Duration::from_secs(2));
    }
}
