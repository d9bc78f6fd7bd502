//! How long to hold back when a back end says that it is asked too often.

use std::{sync::Mutex, time::Duration};

use jiff::{SignedDuration, Timestamp, fmt::rfc2822};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use tokio::time::Instant;

const SHORTEST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(600);
const OWN_FIRST: Duration = Duration::from_secs(2);
const OWN_LONGEST: Duration = Duration::from_secs(60);

/// What `Retry-After` asks for, seconds or a date (RFC 9110 10.2.3), between one second and ten minutes. None where the
/// header is absent or unreadable.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let asked = match text.parse::<u64>() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let then = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
            Duration::try_from(then.duration_since(now).max(SignedDuration::ZERO)).ok()?
        }
    };
    Some(asked.clamp(SHORTEST, LONGEST))
}

/// Pauses of our own choosing, for a back end that throttles and does not say for how long: doubled each time, and short
/// again after an answer.
#[derive(Debug, Default)]
pub struct OwnPauses(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    strikes: u32,
    until: Option<Instant>,
}

impl OwnPauses {
    /// The pause from now. Several calls that are refused at once count once.
    pub fn next(&self, now: Instant) -> Duration {
        let mut state = self.0.lock().expect("nothing panics while it holds this lock");
        if let Some(left) = state.until.and_then(|until| until.checked_duration_since(now))
            && !left.is_zero()
        {
            return left;
        }
        let pause = OWN_FIRST.saturating_mul(1 << state.strikes.min(5)).min(OWN_LONGEST);
        state.strikes += 1;
        state.until = Some(now + pause);
        pause
    }

    /// The back end answers again.
    pub fn over(&self) {
        *self.0.lock().expect("nothing panics while it holds this lock") = State::default();
    }
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn asked(value: &str) -> Option<Duration> {
        let now: Timestamp = "1994-11-06T08:49:00Z".parse().expect("a time");
        let headers = HeaderMap::from_iter([(RETRY_AFTER, HeaderValue::from_str(value).expect("a value"))]);
        retry_after(&headers, now)
    }

    #[test]
    fn retry_after_is_read_as_seconds_or_a_date_and_bounded() {
        assert_eq!(asked("7"), Some(Duration::from_secs(7)));
        assert_eq!(asked("0"), Some(SHORTEST));
        assert_eq!(asked("86400"), Some(LONGEST));
        assert_eq!(asked("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(37)));
        assert_eq!(asked("Sun, 06 Nov 1993 08:49:37 GMT"), None, "a weekday that is not that day's");
        assert_eq!(asked("Sat, 06 Nov 1993 08:49:37 GMT"), Some(SHORTEST));
        for unreadable in ["", "soon", "-5", "1.5", "99999999999999999999999"] {
            assert_eq!(asked(unreadable), None, "{unreadable}");
        }
    }

    #[test]
    fn own_pauses_grow_once_a_wave_and_start_again_after_an_answer() {
        let (pauses, start) = (OwnPauses::default(), Instant::now());
        assert_eq!(pauses.next(start), Duration::from_secs(2));
        assert_eq!(pauses.next(start + Duration::from_secs(1)), Duration::from_secs(1), "the same wave");
        assert_eq!(pauses.next(start + Duration::from_secs(2)), Duration::from_secs(4));
        assert_eq!(pauses.next(start + Duration::from_secs(600)), Duration::from_secs(8));
        pauses.over();
        assert_eq!(pauses.next(start + Duration::from_secs(601)), Duration::from_secs(2));
    }
}
