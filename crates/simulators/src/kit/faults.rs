//! Faults: which requests they hit, and what then happens. Deciding only; `effects` carries them out.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::sync::watch;

use super::glob;

/// Rules kept at most, so that a client that only ever adds cannot fill the memory.
const MAX_RULES: usize = 1_000;

/// Seed of the dice for probabilities: the same rules and requests give the same faults in every run.
const SEED: u64 = 0x5EED;

/// One fault: which requests it hits, how often, and what happens to them.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Which requests it hits.
    #[serde(default, rename = "match")]
    pub matching: Match,
    /// Let this many matching requests pass first.
    #[serde(default)]
    pub skip: u64,
    /// Hit at most this many requests; without end if absent.
    #[serde(default)]
    pub times: Option<u64>,
    /// Chance, 0 to 1, that a matching request is hit.
    #[serde(default = "always")]
    pub probability: f64,
    /// What happens to a request that is hit.
    pub action: Action,
}

/// Which requests a fault hits; an absent part matches everything.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Match {
    /// Methods, upper case.
    pub methods: Vec<String>,
    /// Pattern over the whole percent-decoded path: `*` within a segment, `**` across segments.
    pub path: Option<String>,
    /// Text that the query, as sent, contains.
    pub query: Option<String>,
    /// Name of the credential.
    pub credential: Option<String>,
}

/// What happens to a request that is hit. A delay or a hold lets the rules after it hit as well; of all other
/// actions the first that matches is taken.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", deny_unknown_fields)]
pub enum Action {
    /// Another answer than the vendor's.
    Status {
        /// The status code.
        status: u16,
        /// Headers, for instance `Retry-After`.
        #[serde(default)]
        headers: BTreeMap<String, String>,
        /// The body: text as it is, anything else as JSON; the vendor's form of the error if absent.
        #[serde(default)]
        body: Option<Value>,
        /// Whether the work is done all the same.
        #[serde(default)]
        after_work: bool,
    },
    /// The answer takes longer.
    Delay {
        /// How much longer, in milliseconds.
        millis: u64,
        /// Whether the time passes after the work, not before it.
        #[serde(default)]
        after_work: bool,
    },
    /// The request waits until the faults are cleared.
    Hold {
        /// Whether it waits after the work, not before it.
        #[serde(default)]
        after_work: bool,
    },
    /// The work is done, and the connection is closed without an answer.
    AnswerLost,
    /// The connection is closed, and no work is done.
    Reset,
    /// The work is done; the body breaks off although its length was announced.
    CutBody {
        /// Bytes of the body that are sent.
        keep_bytes: usize,
    },
    /// The work is done; the body is not what its type says.
    Garbage,
    /// The work is done; the answer is preceded by blanks, which JSON allows.
    HugeBody {
        /// How much, in MiB.
        megabytes: u64,
    },
    /// A page of a list lacks entries that were on it.
    ShortPage {
        /// Entries that stay.
        #[serde(default)]
        keep: usize,
        /// Whether the page claims to be the last one.
        #[serde(default)]
        last: bool,
    },
    /// Requests beyond a rate get 429.
    Throttle {
        /// Requests a second that pass.
        per_second: u32,
        /// Seconds in `Retry-After`, 1 if absent; null for no such header.
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
    /// A fault that hits every request of these methods on paths of this pattern; see [`Fault::times`] and
    /// the other fields to narrow it.
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

    /// The same fault, for at most this many requests.
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }

    /// The same fault, after this many matching requests have passed.
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

/// A fault as `GET /_sim/faults` shows it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct FaultView {
    /// Its number, from 1.
    pub id: u64,
    /// Requests that it has hit.
    pub hits: u64,
    /// What it does.
    pub fault: Fault,
}

/// Why a fault was not taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FaultError {
    /// Too many rules.
    #[error("there are {MAX_RULES} faults already; clear them first")]
    TooMany,
    /// Not a probability.
    #[error("probability is a number from 0 to 1")]
    Probability,
    /// Not a status code that a response can have.
    #[error("status is a number from 200 to 599")]
    Status,
    /// A name or value that no header can have.
    #[error("a header name or value is not valid")]
    Header,
}

/// The faults of one simulator.
#[derive(Default)]
pub struct Faults {
    desk: Mutex<Desk>,
}

struct Desk {
    rules: Vec<Rule>,
    last: u64,
    dice: fastrand::Rng,
}

impl Default for Desk {
    fn default() -> Self {
        Self { rules: Vec::new(), last: 0, dice: fastrand::Rng::with_seed(SEED) }
    }
}

struct Rule {
    id: u64,
    fault: Fault,
    passed: u64,
    hits: u64,
    second: Option<(Instant, u32)>,
    /// Dropped with the rule; that is what requests on hold wait for.
    hold: watch::Sender<()>,
}

impl Faults {
    /// Adds a fault behind the others, and returns its number.
    ///
    /// # Errors
    /// Any [`FaultError`].
    pub fn add(&self, fault: Fault) -> Result<u64, FaultError> {
        check(&fault)?;
        let mut desk = self.desk();
        if desk.rules.len() >= MAX_RULES {
            return Err(FaultError::TooMany);
        }
        desk.last += 1;
        let id = desk.last;
        desk.rules.push(Rule { id, fault, passed: 0, hits: 0, second: None, hold: watch::Sender::new(()) });
        Ok(id)
    }

    /// Removes all faults; requests on hold go on.
    pub fn clear(&self) {
        self.desk().rules.clear();
    }

    /// Removes one fault; whether it was there.
    pub fn remove(&self, id: u64) -> bool {
        let mut desk = self.desk();
        let before = desk.rules.len();
        desk.rules.retain(|rule| rule.id != id);
        desk.rules.len() < before
    }

    /// All faults, with how often each has hit; those that are used up too.
    pub fn list(&self) -> Vec<FaultView> {
        let view = |rule: &Rule| FaultView { id: rule.id, hits: rule.hits, fault: rule.fault.clone() };
        self.desk().rules.iter().map(view).collect()
    }

    /// Decides what happens to a request, and counts it.
    pub(super) fn judge(&self, request: &Asked<'_>) -> Verdict {
        let mut desk = self.desk();
        let Desk { rules, dice, .. } = &mut *desk;
        let mut verdict = Verdict::default();
        for rule in rules {
            if !rule.hit_by(request, dice) {
                continue;
            }
            verdict.names.push(rule.fault.action.name().to_owned());
            let (wait, after_work) = match &rule.fault.action {
                Action::Delay { millis, after_work } => {
                    (Wait::For(Duration::from_millis(*millis)), *after_work)
                }
                Action::Hold { after_work } => (Wait::Release(rule.hold.subscribe()), *after_work),
                effect => {
                    verdict.effect = Some(effect.clone());
                    break;
                }
            };
            if after_work { verdict.after.push(wait) } else { verdict.before.push(wait) }
        }
        verdict
    }

    fn desk(&self) -> MutexGuard<'_, Desk> {
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Rule {
    fn hit_by(&mut self, request: &Asked<'_>, dice: &mut fastrand::Rng) -> bool {
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
        let hit = dice.f64() < self.fault.probability;
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
    fn covers(&self, request: &Asked<'_>) -> bool {
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

/// What of a request faults can look at.
pub(super) struct Asked<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub credential: Option<&'a str>,
}

/// What happens to one request.
#[derive(Default)]
pub(super) struct Verdict {
    /// What to wait for before the work.
    pub before: Vec<Wait>,
    /// What replaces or spoils the answer.
    pub effect: Option<Action>,
    /// What to wait for after the work.
    pub after: Vec<Wait>,
    /// The names of the faults that hit, for the log.
    pub names: Vec<String>,
}

/// Something to wait for.
pub(super) enum Wait {
    /// A length of time.
    For(Duration),
    /// The removal of the rule.
    Release(watch::Receiver<()>),
}

impl Wait {
    /// Waits.
    pub async fn over(self) {
        match self {
            Self::For(duration) => tokio::time::sleep(duration).await,
            // Nothing is ever sent: the wait ends with an error when the rule is dropped.
            Self::Release(mut removed) => while removed.changed().await.is_ok() {},
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Action, Asked, Fault, FaultError, Faults};

    fn get(path: &str) -> Asked<'_> {
        Asked { method: "GET", path, query: "limit=50", credential: Some("admin") }
    }

    #[test]
    fn a_fault_skips_then_hits_so_often_and_no_more() {
        let faults = Faults::default();
        faults.add(Fault::on(&["GET"], "/v2/roles", Action::Reset).skip(1).times(2)).unwrap();
        let hit: Vec<bool> = (0..5).map(|_| faults.judge(&get("/v2/roles")).effect.is_some()).collect();
        assert_eq!(hit, [false, true, true, false, false]);
        assert_eq!(faults.list()[0].hits, 2);
    }

    #[test]
    fn a_delay_lets_the_next_rule_hit_and_the_first_effect_wins() {
        let faults = Faults::default();
        faults.add(Fault::on(&[], "**", Action::Delay { millis: 1, after_work: true })).unwrap();
        faults.add(Fault::on(&[], "**", Action::AnswerLost)).unwrap();
        faults.add(Fault::on(&[], "**", Action::Reset)).unwrap();
        let verdict = faults.judge(&get("/v2/roles"));
        assert_eq!(verdict.names, ["Delay", "AnswerLost"]);
        assert_eq!(verdict.after.len(), 1);
    }

    #[test]
    fn a_fault_looks_at_the_query_and_the_credential_too() {
        let faults = Faults::default();
        let mut fault = Fault::on(&[], "**", Action::Garbage);
        fault.matching.query = Some("cursor=".into());
        faults.add(fault.clone()).unwrap();
        fault.matching.query = None;
        fault.matching.credential = Some("reader".into());
        faults.add(fault).unwrap();
        assert!(faults.judge(&get("/v2/roles")).effect.is_none());
    }

    #[test]
    fn probabilities_are_the_same_in_every_run() {
        let run = || -> Vec<bool> {
            let faults = Faults::default();
            let mut fault = Fault::on(&[], "**", Action::Reset);
            fault.probability = 0.5;
            faults.add(fault).unwrap();
            (0..64).map(|_| faults.judge(&get("/")).effect.is_some()).collect()
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
