//! The HTTP stack of all back ends: allowed addresses, deadlines, repeated reads, and the class of each failure. It knows no vendor: paths,
//! bodies and the schema of errors come from the vendor's folder.
//!
//! Redirects are not followed, so that the credential goes only to the host that the Secret names. Proxies come from the environment
//! (`HTTPS_PROXY`, `NO_PROXY`); calls to the own node never use one.

mod answer;
mod dialling;
mod failure;
mod request;
#[cfg(test)]
pub mod stub;
#[cfg(test)]
mod tests;
mod throttle;
#[cfg(test)]
mod tls_tests;
mod transport;
mod without;

use std::{sync::Arc, time::Duration};

use backon::{BackoffBuilder, ExponentialBuilder};
use jiff::Timestamp;
use reqwest::{
    Certificate, Client, Method, Response, StatusCode,
    header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderName, HeaderValue, LOCATION},
    redirect::Policy,
};
use secrecy::ExposeSecret;
use tokio::time::Instant;
use tracing::{Instrument, Span, debug, debug_span, field};
use url::{Host, Url};

pub use self::{
    answer::{Answer, ErrorSchema, VendorError},
    dialling::Dialling,
    request::{Credential, Request, trimmed},
    transport::Transport,
};
use self::{
    answer::{MAX_BODY, MAX_REFUSAL, Unread, content_type, read_body, refusal_text},
    dialling::Guard,
    failure::Failure,
    throttle::{OwnPauses, retry_after},
};
use super::{
    budget::{Budget, Permit, volume},
    error::{Class, Error},
};
use rolewright_core::model::Fault;

/// Observes every call to a back end. A repeated call is observed each time.
pub trait CallObserver: Send + Sync {
    /// A call to `vendor` had this outcome after `elapsed`. The outcome is a class of statuses (`2xx`) or a kind of failure (`connect`,
    /// `timeout`, `cut`, `refused`, `oversized`): few enough for a metric's label.
    fn called(&self, vendor: &'static str, method: &str, outcome: &str, elapsed: Duration);

    /// A call to `vendor` waited this long for the budget of its account.
    fn waited(&self, vendor: &'static str, elapsed: Duration);
}

impl CallObserver for () {
    fn called(&self, _: &'static str, _: &str, _: &str, _: Duration) {}

    fn waited(&self, _: &'static str, _: Duration) {}
}

/// The configuration of a stack.
pub struct Options {
    /// The vendor, for metrics and logs.
    pub vendor: &'static str,
    /// The base of every path.
    pub base: Url,
    /// The field of the spec with the base, for faults.
    pub base_field: &'static str,
    /// Certificates (PEM) to trust in addition to the public ones.
    pub ca: Option<Vec<u8>>,
    pub dialling: Dialling,
    /// In place of the network.
    pub transport: Option<Arc<dyn Transport>>,
    pub budget: Arc<Budget>,
    pub observer: Arc<dyn CallObserver>,
    pub errors: ErrorSchema,
    pub times: Times,
}

/// The deadlines of a stack.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Until there is a connection, with TLS.
    pub connect: Duration,
    /// One try, from connecting to the end of the body.
    pub call: Duration,
    /// All tries of a call, from the start of the first. The wait for the budget before it does not count.
    pub total: Duration,
    /// The delay before the second try; it is longer before the third.
    pub retry_delay: Duration,
}

impl Default for Times {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            call: Duration::from_secs(30),
            total: Duration::from_secs(60),
            retry_delay: Duration::from_millis(400),
        }
    }
}

/// The media type of most bodies.
const JSON: &str = "application/json";
/// The media type of forms.
const FORM: &str = "application/x-www-form-urlencoded";
/// The field of a Backend that refers to certificates.
const CA_FIELD: &str = "spec.tls.caSecretRef";
/// The tries of a repeatable call after the first.
const MAX_RETRIES: usize = 2;
/// Shorter than the idle timeout of common load balancers, so that a write rarely uses a connection that is being closed: its outcome would
/// be unknown.
const IDLE_TIMEOUT: Duration = Duration::from_secs(30);

/// A vendor's API under one base URL.
pub struct Http {
    transport: Arc<dyn Transport>,
    options: Options,
    own_pauses: OwnPauses,
}

impl Http {
    /// A stack for one base URL. Makes no call.
    ///
    /// # Errors
    /// A fault of the URL or of the certificates.
    pub fn new(options: Options) -> Result<Self, Fault> {
        options.dialling.check(&options.base).map_err(|no| Fault::new(options.base_field, no.to_string()))?;
        let transport = match &options.transport {
            Some(transport) => transport.clone(),
            None => Arc::new(Self::client(&options)?),
        };
        Ok(Self { transport, options, own_pauses: OwnPauses::default() })
    }

    fn client(options: &Options) -> Result<Client, Fault> {
        let mut builder = Client::builder()
            .user_agent(concat!("rolewright/", env!("CARGO_PKG_VERSION")))
            .redirect(Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(options.times.connect)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .dns_resolver(Guard(options.dialling));
        if is_own_node(&options.base) {
            builder = builder.no_proxy();
        }
        if let Some(pem) = &options.ca {
            builder = builder.tls_certs_merge(certificates(pem)?);
        }
        builder.build().map_err(|error| {
            Fault::new(CA_FIELD, format!("TLS cannot be set up: {}", failure::root_cause(&error)))
        })
    }

    /// Makes a call; a read up to three times.
    ///
    /// # Errors
    /// Everything but a success. The class of a failed write says whether the write was executed.
    pub async fn call(&self, request: Request<'_>) -> Result<Answer, Error> {
        let Some(url) = request.url(&self.options.base) else {
            return Err(Failure::unsendable(&request, "an identifier in its path is invalid").error);
        };
        let mut delays = ExponentialBuilder::default()
            .with_min_delay(self.options.times.retry_delay)
            .with_factor(3.0)
            .with_max_times(MAX_RETRIES)
            .with_jitter()
            .build();
        let acquire = async || {
            let began = Instant::now();
            let permit = self.options.budget.acquire().await;
            self.options.observer.waited(self.options.vendor, began.elapsed());
            permit.map_err(|rest| Failure::paused(&request, &url, rest).error)
        };
        let mut permit = acquire().await?;
        let deadline = Instant::now() + self.options.times.total;
        loop {
            let time = self.options.times.call.min(deadline.saturating_duration_since(Instant::now()));
            let failure = match self.try_once(&request, &url, time, &permit).await {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            drop(permit);
            let delay = if request.is_read() && failure.repeatable { delays.next() } else { None };
            let Some(delay) = delay else { return Err(failure.error) };
            // The budget also enforces its pause; this only compares it with the deadline.
            let delay = match failure.error.class {
                Class::Throttled(pause) => pause,
                _ => delay,
            };
            if Instant::now() + delay >= deadline {
                return Err(failure.error);
            }
            tokio::time::sleep(delay).await;
            permit = acquire().await?;
            if Instant::now() >= deadline {
                return Err(failure.error);
            }
        }
    }

    async fn try_once(
        &self,
        request: &Request<'_>,
        url: &Url,
        time: Duration,
        permit: &Permit,
    ) -> Result<Answer, Failure> {
        let begun = Instant::now();
        let span = debug_span!(
            "call",
            vendor = self.options.vendor,
            method = %request.method,
            path = url.path(),
            status = field::Empty,
            request_id = field::Empty,
        );
        let result = self.exchange(request, url, time, permit).instrument(span.clone()).await;
        match &result {
            Ok(_) => self.options.budget.answered(permit),
            Err(failure) if matches!(failure.error.class, Class::Transient | Class::Lost) => {
                self.options.budget.failed();
            }
            // Throttling is recorded already. Other refusals are often faster than work, so they say nothing.
            Err(_) => {}
        }
        let outcome = match &result {
            Ok(_) => "2xx",
            Err(failure) => failure.outcome,
        };
        let elapsed = begun.elapsed();
        self.options.observer.called(self.options.vendor, request.method.as_str(), outcome, elapsed);
        span.in_scope(|| debug!(outcome, elapsed_ms = elapsed.as_millis(), "called"));
        result
    }

    async fn exchange(
        &self,
        request: &Request<'_>,
        url: &Url,
        time: Duration,
        permit: &Permit,
    ) -> Result<Answer, Failure> {
        let Some(sent) = sendable(request, url, time) else {
            return Err(Failure::unsendable(request, "it cannot be built"));
        };
        let sending = self.transport.send(sent).await;
        let response = sending.map_err(|error| Failure::unanswered(request, url, &error, time))?;
        let status = response.status();
        Span::current().record("status", status.as_u16());
        if let Some(id) = response.headers().get("x-request-id").and_then(|id| id.to_str().ok()) {
            Span::current().record("request_id", id.chars().take(100).collect::<String>());
        }
        if status.is_success() && (status == StatusCode::OK || request.method != Method::GET) {
            self.own_pauses.reset();
            self.success(request, url, response, time).await
        } else {
            Err(self.refusal(request, url, response, permit).await)
        }
    }

    async fn success(
        &self,
        request: &Request<'_>,
        url: &Url,
        response: Response,
        time: Duration,
    ) -> Result<Answer, Failure> {
        let (status, content_type) = (response.status(), content_type(response.headers()));
        match read_body(response, MAX_BODY, request.without).await {
            Ok(body) => {
                volume::count(&body).map_err(|exceeded| Failure::too_large(request, url, exceeded))?;
                let (call, read) = (failure::call_of(request, url), request.is_read());
                Ok(Answer { call, read, status, content_type, body })
            }
            Err(Unread::TooLong) => Err(Failure::too_long(request, url)),
            Err(Unread::Cut(error)) => Err(Failure::broken(request, url, &error, time)),
        }
    }

    async fn refusal(
        &self,
        request: &Request<'_>,
        url: &Url,
        response: Response,
        permit: &Permit,
    ) -> Failure {
        let (status, headers) = (response.status(), response.headers().clone());
        let pause = self.pause(status, &headers);
        if let Some(pause) = pause {
            self.options.budget.throttled(permit, pause);
        }
        let location = headers.get(LOCATION).and_then(|to| to.to_str().ok()).and_then(|to| url.join(to).ok());
        let content_type = content_type(&headers);
        // The class comes from the status, even if the body cannot be read.
        let body = read_body(response, MAX_REFUSAL, None).await.ok();
        let text =
            refusal_text(status, &content_type, body.as_deref(), self.options.errors, request.credential);
        Failure::refused(request, url, status, pause, location.as_ref(), &text)
    }

    /// How long all calls to this account must wait, if the answer requests it.
    fn pause(&self, status: StatusCode, headers: &reqwest::header::HeaderMap) -> Option<Duration> {
        let requested = || retry_after(headers, Timestamp::now());
        match status {
            StatusCode::TOO_MANY_REQUESTS => {
                Some(requested().unwrap_or_else(|| self.own_pauses.next(Instant::now())))
            }
            StatusCode::SERVICE_UNAVAILABLE => requested(),
            _ => None,
        }
    }
}

/// The request as it is sent. None if a header or the body is invalid.
fn sendable(request: &Request<'_>, url: &Url, time: Duration) -> Option<reqwest::Request> {
    let mut sent = reqwest::Request::new(request.method.clone(), url.clone());
    *sent.timeout_mut() = Some(time);
    let body = match (&request.form, &request.body) {
        (Some(form), _) => Some((FORM, form.expose_secret().as_bytes().to_vec().into())),
        (None, Some(body)) => Some((JSON, body.clone())),
        (None, None) => None,
    };
    let headers = sent.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static(JSON));
    // A form has the credential in its body.
    if request.form.is_none() {
        headers.insert(AUTHORIZATION, request.credential.header());
    }
    for (name, value) in &request.headers {
        headers.append(HeaderName::try_from(*name).ok()?, HeaderValue::try_from(*value).ok()?);
    }
    if let Some((content_type, body)) = body {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        *sent.body_mut() = Some(body.into());
    }
    Some(sent)
}

fn certificates(pem: &[u8]) -> Result<Vec<Certificate>, Fault> {
    match Certificate::from_pem_bundle(pem) {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(Fault::new(CA_FIELD, "the Secret's value contains no certificates in PEM")),
    }
}

/// Whether the URL names the own node, which no proxy can reach. Most HTTP clients do the same.
fn is_own_node(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}
