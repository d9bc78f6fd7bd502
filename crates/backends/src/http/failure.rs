//! Failed calls: their class, their message, and whether a read is repeated.
//!
//! The rule for writes: a write that certainly did not reach the back end, or that the back end refused, has its own class. The outcome
//! of every other failed write is unknown.

use std::{error::Error as StdError, time::Duration};

use reqwest::StatusCode;
use url::Url;

use super::{
    super::{
        budget::volume::Exceeded,
        error::{Class, Error},
    },
    answer::{MAX_BODY, tidy},
    dialling::Refused,
    request::Request,
};

/// A failed call.
#[derive(Debug)]
pub struct Failure {
    /// Class and message.
    pub error: Error,
    /// Whether a read can be repeated.
    pub repeatable: bool,
    /// For metrics.
    pub outcome: &'static str,
}

/// The method and path of a call, for messages. Without the query, which can contain names of people.
pub fn call_of(request: &Request<'_>, url: &Url) -> String {
    format!("{} {}", request.method, tidy(url.path(), request.credential))
}

/// The innermost cause of an error: the outer ones repeat the URL.
pub fn root_cause(error: &dyn StdError) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

impl Failure {
    fn new(class: Class, message: String, outcome: &'static str) -> Self {
        Self { error: Error::new(class, message), repeatable: false, outcome }
    }

    fn repeatable(mut self) -> Self {
        self.repeatable = true;
        self
    }

    fn oversized(mut self) -> Self {
        self.error.oversized = true;
        self
    }

    /// The request is invalid and was not sent.
    pub fn unsendable(request: &Request<'_>, why: &str) -> Self {
        Self::new(Class::Invalid, format!("{} cannot be sent: {why}", request.method), "refused")
    }

    /// There is no answer.
    pub fn unanswered(request: &Request<'_>, url: &Url, error: &reqwest::Error, time: Duration) -> Self {
        let call = call_of(request, url);
        if find::<Refused>(error).is_some() {
            return Self::new(Class::Invalid, format!("{call} was not sent: {Refused}"), "refused");
        }
        if error.is_builder() {
            return Self::unsendable(request, "it cannot be built");
        }
        if error.is_connect() || error.is_dns() {
            let cause = tidy(&root_cause(error), request.credential);
            let message = format!("{call} was not sent, there is no connection: {cause}");
            return Self::new(Class::Transient, message, "connect").repeatable();
        }
        Self::broken(request, url, error, time)
    }

    /// The answer, or its body, ended early.
    pub fn broken(request: &Request<'_>, url: &Url, error: &reqwest::Error, time: Duration) -> Self {
        let call = call_of(request, url);
        let (message, outcome) = if error.is_timeout() {
            (format!("{call} was not answered within {} s", time.as_secs_f32()), "timeout")
        } else {
            let cause = tidy(&root_cause(error), request.credential);
            (format!("{call}: the answer broke off: {cause}"), "cut")
        };
        Self::new(unknown(request), message, outcome).repeatable()
    }

    /// The body of the answer is longer than any valid one.
    pub fn too_long(request: &Request<'_>, url: &Url) -> Self {
        let message =
            format!("{}: answer larger than {} MiB", call_of(request, url), MAX_BODY / (1024 * 1024));
        Self::new(unknown(request), message, "oversized").oversized()
    }

    /// The answer would need more memory than any valid one.
    pub fn too_large(request: &Request<'_>, url: &Url, exceeded: Exceeded) -> Self {
        let failure =
            Self::new(unknown(request), format!("{}: {exceeded}", call_of(request, url)), "oversized");
        if exceeded == Exceeded::Answer { failure.oversized() } else { failure }
    }

    /// The call was not made, because the back end requested a pause. The message is the same at any time of the pause.
    pub fn paused(request: &Request<'_>, url: &Url, rest: Duration) -> Self {
        let message = format!(
            "{}: not sent, because the back end requested a pause of all calls",
            call_of(request, url)
        );
        Self::new(Class::Throttled(rest), message, "paused")
    }

    /// The answer is a refusal with this text. `pause` is how long it asks all callers to wait.
    pub fn refused(
        request: &Request<'_>,
        url: &Url,
        status: StatusCode,
        pause: Option<Duration>,
        location: Option<&Url>,
        text: &str,
    ) -> Self {
        let call = call_of(request, url);
        let message = match location {
            Some(to) if status.is_redirection() => {
                let to = tidy(&to.origin().ascii_serialization(), request.credential);
                format!("{call} answered {} to {to}; redirects are not followed", status.as_u16())
            }
            _ => format!("{call} {text}"),
        };
        let class = class_of(request, status, pause);
        let failure = Self::new(class, message, outcome_of(status));
        let temporary = matches!(class, Class::Transient | Class::Throttled(_)) && !status.is_redirection();
        if temporary && !status.is_success() { failure.repeatable() } else { failure }
    }
}

/// The class of a call with an unknown outcome.
fn unknown(request: &Request<'_>) -> Class {
    if request.is_read() { Class::Transient } else { Class::Lost }
}

fn class_of(request: &Request<'_>, status: StatusCode, pause: Option<Duration>) -> Class {
    match (status.as_u16(), pause) {
        (429, pause) => Class::Throttled(pause.unwrap_or_default()),
        (503, Some(pause)) if request.is_read() => Class::Throttled(pause),
        (401, _) => Class::Unauthenticated,
        (402 | 403 | 451, _) => Class::Denied,
        (404 | 410, _) => Class::Missing,
        (405 | 501, _) => Class::Unsupported,
        (409 | 412, _) => Class::Conflict,
        // Temporary, or a matter of a proxy; refused before the back end did anything.
        (407 | 421 | 423 | 425, _) => Class::Transient,
        (408 | 500.. | ..400, _) => unknown(request),
        (400..500, _) => Class::Invalid,
    }
}

fn outcome_of(status: StatusCode) -> &'static str {
    match status.as_u16() {
        ..200 => "1xx",
        200..300 => "2xx",
        300..400 => "3xx",
        400..500 => "4xx",
        500.. => "5xx",
    }
}

fn find<'a, T: StdError + 'static>(error: &'a (dyn StdError + 'static)) -> Option<&'a T> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}
