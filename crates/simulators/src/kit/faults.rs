//! Faults: which requests they hit, and what then happens. This module decides; `effects` applies the decision.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::{sync::watch, time::Instant};

use super::glob;

/// The maximum number of faults, so that a client that only adds faults cannot fill the memory.
const MAX_FAULTS: usize = 1_000;

/// The seed for probabilities: the same faults and requests lead to the same hits in every run.
const SEED: u64 = 0x5EED;

/// One fault: which requests it hits, how often, and what happens to them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which requests it hits.
    #[serde(default, rename = "match")]
    pub matching: Match,
    /// This many matching requests pass first.
    #[serde(default)]
    pub skip: u64,
    /// The fault hits at most this many requests; no limit if absent.
    #[serde(default)]
    pub times: Option<u64>,
    /// The probability, 0 to 1, that the fault hits a matching request.
    #[serde(default = "always")]
    pub probability: f64,
    /// What happens to each request that the fault hits.
    pub action: Action,
}

/// Which requests a fault can hit. An absent field matches everything.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Match {
    /// HTTP methods, in upper case.
    pub methods: Vec<String>,
    /// A pattern for the whole percent-decoded path: `*` within a segment, `**` across segments.
    pub path: Option<String>,
    /// Text that the query, as sent, must contain.
    pub query: Option<String>,
    /// The name of the credential.
    pub credential: Option<String>,
}

/// What happens to a request that a fault hits. After `Delay` and `Hold`, later faults can hit the same request too.
/// Of all other actions, only the first one that matches is applied.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", deny_unknown_fields)]
pub enum Action {
    /// Another answer replaces the vendor's.
    Status {
        /// The status code.
        status: u16,
        /// Additional headers, such as `Retry-After`.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The body: text as it is, other values as JSON. If absent: an error in the vendor's form.
        #[serde(default)]
        body: Option<Value>,
        /// Whether the server processes the request first.
        #[serde(default)]
        after_work: bool,
    },
    /// The answer is delayed.
    Delay {
        /// The delay in milliseconds.
        millis: u64,
        /// Whether the delay is after the processing, not before it.
        #[serde(default)]
        after_work: bool,
    },
    /// The request waits until the fault is removed.
    Hold {
        /// Whether it waits after the processing, not before it.
        #[serde(default)]
        after_work: bool,
    },
    /// The server processes the request, and resets the connection without an answer.
    AnswerLost,
    /// The server resets the connection and does not process the request.
    Reset,
    /// The server processes the request; the body ends before its `Content-Length`.
    CutBody {
        /// How many bytes of the body are sent.
        keep_bytes: usize,
    },
    /// The server processes the request; the body is not of its content type.
    Garbage,
    /// The server processes the request; blanks precede the body, which JSON permits.
    HugeBody {
        /// The size of the blanks in MiB.
        megabytes: u64,
    },
    /// Entries are missing from a page of a list.
    ShortPage {
        /// How many entries stay.
        #[serde(default)]
        keep: usize,
        /// Whether the page claims to be the last one.
        #[serde(default)]
        last: bool,
    },
    /// Requests above a rate get 429.
    Throttle {
        /// How many requests pass each second.
        per_second: u32,
        /// The seconds in `Retry-After`, 1 if absent; null for no header.
        #[serde(default = "one_second")]
        retry_after: Option<u64>,
    },
}

fn always() -> f64 {
    1.0
}

fn one_second() -> Option<u64> {
    Some(1)
}

impl Fault {
    /// A fault that hits all requests with these methods on paths of this pattern. [`Fault::times`] and the other
    /// fields limit it.
    pub fn on(methods: &[&str], path: &str, action: Action) -> Self {
        Self {
            matching: Match {
                methods: methods.iter().map(|method| (*method).to_owned()).collect(),
                path: Some(path.to_owned()),
                ..Match::default()
            },
            skip: 0,
            times: None,
            probability: always(),
            action,
        }
    }

    /// Limits the fault to this many requests.
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// Lets this many matching requests pass first.
    pub fn skip(mut self, skip: u64) -> Self {
        self.skip = skip;
        self
    }
}

impl Action {
    fn name(&self) -> &'static str {
        match self {
            Self::Status { .. } => "Status",
            Self::Delay { .. } => "Delay",
            Self::Hold { .. } => "Hold",
            Self::AnswerLost => "AnswerLost",
            Self::Reset => "Reset",
            Self::CutBody { .. } => "CutBody",
            Self::Garbage => "Garbage",
            Self::HugeBody { .. } => "HugeBody",
            Self::ShortPage { .. } => "ShortPage",
            Self::Throttle { .. } => "Throttle",
        }
    }
}

/// A fault in the answer of `GET /_sim/faults`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FaultView {
    /// The fault's number, from 1.
    pub id: u64,
    /// How many requests it has hit.
    pub hits: u64,
    /// The fault as it was added.
    pub fault: Fault,
}

/// The reason why a fault was not added.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FaultError {
    /// The maximum number of faults exists already.
    #[error("there are {MAX_FAULTS} faults already: delete some first")]
    TooMany,
    /// The probability is not between 0 and 1.
    #[error("probability must be a number from 0 to 1")]
    Probability,
    /// A response cannot have this status code.
    #[error("action.status must be a number from 200 to 599")]
    Status,
    /// The name or value of a header is not valid.
    #[error("action.headers has a name or value that is not valid")]
    Header,
}

/// The faults of one simulator.
#[derive(Default)]
pub struct Faults {
    rules: Mutex<Rules>,
}

struct Rules {
    all: Vec<Rule>,
    last_id: u64,
    random: fastrand::Rng,
}

impl Default for Rules {
    fn default() -> Self {
        Self { all: Vec::new(), last_id: 0, random: fastrand::Rng::with_seed(SEED) }
    }
}

struct Rule {
    id: u64,
    fault: Fault,
    passed: u64,
    hits: u64,
    /// For `Throttle`: the start of the current second, and how many requests passed in it.
    second: Option<(Instant, u32)>,
    /// Waiting requests continue when this is dropped with the rule.
    hold: watch::Sender<()>,
}

impl Faults {
    /// Adds a fault after the others, and returns its number.
    ///
    /// # Errors
    /// Any [`FaultError`].
    pub fn add(&self, fault: Fault) -> Result<u64, FaultError> {
        check(&fault)?;
        let mut rules = self.rules();
        if rules.all.len() >= MAX_FAULTS {
            return Err(FaultError::TooMany);
        }
        rules.last_id += 1;
        let id = rules.last_id;
        rules.all.push(Rule { id, fault, passed: 0, hits: 0, second: None, hold: watch::Sender::new(()) });
        Ok(id)
    }

    /// Removes all faults. Requests that wait because of `Hold` continue.
    pub fn clear(&self) {
        self.rules().all.clear();
    }

    /// Removes one fault. Returns whether it existed.
    pub fn remove(&self, id: u64) -> bool {
        let mut rules = self.rules();
        let before = rules.all.len();
        rules.all.retain(|rule| rule.id != id);
        rules.all.len() < before
    }

    /// All faults, also those that have hit their last request, and how often each has hit.
    pub fn list(&self) -> Vec<FaultView> {
        let view = |rule: &Rule| FaultView { id: rule.id, hits: rule.hits, fault: rule.fault.clone() };
        self.rules().all.iter().map(view).collect()
    }

    /// Decides what happens to a request, and counts the hits.
    pub(super) fn decide(&self, request: &Target<'_>) -> Decision {
        let mut rules = self.rules();
        let Rules { all, random, .. } = &mut *rules;
        let mut decision = Decision::default();
        for rule in all {
            if !rule.hits(request, random) {
                continue;
            }
            decision.names.push(rule.fault.action.name().to_owned());
            let (wait, after_work) = match &rule.fault.action {
                Action::Delay { millis, after_work } => {
                    (Wait::For(Duration::from_millis(*millis)), *after_work)
                }
                Action::Hold { after_work } => (Wait::Release(rule.hold.subscribe()), *after_work),
                effect => {
                    decision.effect = Some(effect.clone());
                    break;
                }
            };
            if after_work { decision.after.push(wait) } else { decision.before.push(wait) }
        }
        decision
    }

    fn rules(&self) -> MutexGuard<'_, Rules> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rule {
    fn hits(&mut self, request: &Target<'_>, random: &mut fastrand::Rng) -> bool {
        if self.fault.times.is_some_and(|times| self.hits >= times) || !self.fault.matching.covers(request) {
            return false;
        }
        if self.passed < self.fault.skip {
            self.passed += 1;
            return false;
        }
        if let Action::Throttle { per_second, .. } = self.fault.action
            && self.within_rate(per_second)
        {
            return false;
        }
        let hit = random.f64() < self.fault.probability;
        self.hits += u64::from(hit);
        hit
    }

    fn within_rate(&mut self, per_second: u32) -> bool {
        let now = Instant::now();
        let fresh = |(start, _): &(Instant, u32)| now.duration_since(*start) < Duration::from_secs(1);
        let (start, passed) = self.second.filter(fresh).unwrap_or((now, 0));
        let within = passed < per_second;
        self.second = Some((start, if within { passed + 1 } else { passed }));
        within
    }
}

impl Match {
    fn covers(&self, request: &Target<'_>) -> bool {
        (self.methods.is_empty() || self.methods.iter().any(|method| method == request.method))
            && self.path.as_ref().is_none_or(|pattern| glob::matches(pattern, request.path))
            && self.query.as_ref().is_none_or(|text| request.query.contains(text.as_str()))
            && self.credential.as_deref().is_none_or(|name| request.credential == Some(name))
    }
}

fn check(fault: &Fault) -> Result<(), FaultError> {
    if !(0.0..=1.0).contains(&fault.probability) {
        return Err(FaultError::Probability);
    }
    if let Action::Status { status, headers, .. } = &fault.action {
        if !(200..=599).contains(status) {
            return Err(FaultError::Status);
        }
        let valid = |(name, value): (&String, &String)| {
            axum::http::HeaderName::try_from(name).is_ok() && axum::http::HeaderValue::try_from(value).is_ok()
        };
        if !headers.iter().all(valid) {
            return Err(FaultError::Header);
        }
    }
    Ok(())
}

/// The parts of a request that faults can match.
pub(super) struct Target<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub credential: Option<&'a str>,
}

/// What happens to one request.
#[derive(Default)]
pub(super) struct Decision {
    /// The waits before the processing.
    pub before: Vec<Wait>,
    /// The action that replaces or damages the answer.
    pub effect: Option<Action>,
    /// The waits after the processing.
    pub after: Vec<Wait>,
    /// The names of the faults that hit, for the log.
    pub names: Vec<String>,
}

/// One wait of a request.
pub(super) enum Wait {
    /// For a duration.
    For(Duration),
    /// Until the rule is removed.
    Release(watch::Receiver<()>),
}

impl Wait {
    /// Returns when the wait is over.
    pub async fn finish(self) {
        match self {
            Self::For(duration) => tokio::time::sleep(duration).await,
            // No value is ever sent: the wait ends with an error when the rule is dropped.
            Self::Release(mut removed) => while removed.changed().await.is_ok() {},
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, Fault, FaultError, Faults, Target};

    fn get(path: &str) -> Target<'_> {
        Target { method: "GET", path, query: "limit=50", credential: Some("admin") }
    }

    #[test]
    fn a_fault_skips_requests_then_hits_a_limited_number() {
        let faults = Faults::default();
        faults.add(Fault::on(&["GET"], "/v2/roles", Action::Reset).skip(1).times(2)).unwrap();
        let hit: Vec<bool> = (0..5).map(|_| faults.decide(&get("/v2/roles")).effect.is_some()).collect();
        assert_eq!(hit, [false, true, true, false, false]);
        assert_eq!(faults.list()[0].hits, 2);
    }

    #[test]
    fn later_faults_hit_after_a_delay_and_the_first_effect_wins() {
        let faults = Faults::default();
        faults.add(Fault::on(&[], "**", Action::Delay { millis: 1, after_work: true })).unwrap();
        faults.add(Fault::on(&[], "**", Action::AnswerLost)).unwrap();
        faults.add(Fault::on(&[], "**", Action::Reset)).unwrap();
        let decision = faults.decide(&get("/v2/roles"));
        assert_eq!(decision.names, ["Delay", "AnswerLost"]);
        assert_eq!(decision.after.len(), 1);
    }

    #[test]
    fn faults_match_the_query_and_the_credential() {
        let faults = Faults::default();
        let mut fault = Fault::on(&[], "**", Action::Garbage);
        fault.matching.query = Some("cursor=".into());
        faults.add(fault.clone()).unwrap();
        fault.matching.query = None;
        fault.matching.credential = Some("reader".into());
        faults.add(fault).unwrap();
        assert!(faults.decide(&get("/v2/roles")).effect.is_none());
    }

    #[test]
    fn probabilities_are_the_same_in_every_run() {
        let run = || -> Vec<bool> {
            let faults = Faults::default();
            let mut fault = Fault::on(&[], "**", Action::Reset);
            fault.probability = 0.5;
            faults.add(fault).unwrap();
            (0..64).map(|_| faults.decide(&get("/")).effect.is_some()).collect()
        };
        assert_eq!(run(), run());
        assert!(run().contains(&true) && run().contains(&false));
    }

    #[test]
    fn impossible_faults_are_refused() {
        let faults = Faults::default();
        let status = |status| Action::Status {
            status,
            headers: [("Retry-After".to_owned(), "a\nb".to_owned())].into(),
            body: None,
            after_work: false,
        };
        assert_eq!(faults.add(Fault::on(&[], "**", status(99))), Err(FaultError::Status));
        assert_eq!(faults.add(Fault::on(&[], "**", status(503))), Err(FaultError::Header));
        let mut fault = Fault::on(&[], "**", Action::Reset);
        fault.probability = 1.5;
        assert_eq!(faults.add(fault), Err(FaultError::Probability));
    }
}
