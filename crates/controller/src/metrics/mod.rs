//! Metrics in the OpenMetrics text format. Every label takes its values from a fixed set, or names a Backend.

mod process;
mod table;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::Duration,
};

use k8s_openapi::jiff::Timestamp;
use parking_lot::Mutex;
use prometheus_client::{
    encoding::{EncodeLabelSet, text},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Registry,
};

use rolewright_api::WaitingPlans;
use rolewright_backends::CallObserver;
use rolewright_core::model::{Kind, Verb};
use rolewright_reconcile::{
    account::Usage,
    act::StepResult,
    object::{ObjectKind, ObjectName},
};
use table::Table;
pub use table::{Build, Description};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct Call {
    vendor: &'static str,
    method: String,
    outcome: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct VendorLabels {
    vendor: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ChangeLabels {
    kind: String,
    verb: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct KindLabels {
    kind: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct ObjectLabels {
    kind: &'static str,
    reason: String,
}

/// For each Backend.
#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct BackendLabels {
    namespace: String,
    backend: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct SweepLabels {
    outcome: &'static str,
}

/// All metrics of the operator.
pub struct Metrics {
    registry: Mutex<Registry>,
    calls: Family<Call, Counter>,
    call_seconds: Family<VendorLabels, Histogram, fn() -> Histogram>,
    wait_seconds: Family<VendorLabels, Histogram, fn() -> Histogram>,
    rates: Family<BackendLabels, Gauge<f64, AtomicU64>>,
    account_calls: Family<BackendLabels, Counter>,
    account_wait: Family<BackendLabels, Counter<f64, AtomicU64>>,
    ready: Family<BackendLabels, Gauge>,
    changes: Family<ChangeLabels, Counter>,
    reconciles: Family<KindLabels, Counter>,
    panics: Family<KindLabels, Counter>,
    dropped_events: Counter,
    deadlines: Family<KindLabels, Counter>,
    objects: Family<ObjectLabels, Gauge>,
    sweeps: Family<SweepLabels, Counter>,
    sweep_seconds: Histogram,
    leader: Gauge,
    leads: AtomicBool,
    fits: AtomicBool,
    expiries: Family<BackendLabels, Gauge>,
    waiting: Family<BackendLabels, Gauge>,
    waiting_plans: Family<BackendLabels, Gauge>,
    waiting_since: Family<BackendLabels, Gauge>,
    swept: Family<BackendLabels, Gauge>,
}

fn labels(backend: &ObjectName) -> BackendLabels {
    BackendLabels { namespace: backend.namespace.to_string(), backend: backend.name.to_string() }
}

fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.005, 2.0, 14))
}

impl Metrics {
    /// All metrics at zero.
    pub fn new(build: Build) -> Self {
        let metrics = Self {
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(seconds),
            wait_seconds: Family::new_with_constructor(seconds),
            rates: Family::default(),
            account_calls: Family::default(),
            account_wait: Family::default(),
            ready: Family::default(),
            changes: Family::default(),
            reconciles: Family::default(),
            panics: Family::default(),
            dropped_events: Counter::default(),
            deadlines: Family::default(),
            objects: Family::default(),
            sweeps: Family::default(),
            sweep_seconds: seconds(),
            leader: Gauge::default(),
            leads: AtomicBool::new(false),
            fits: AtomicBool::new(true),
            expiries: Family::default(),
            waiting: Family::default(),
            waiting_plans: Family::default(),
            waiting_since: Family::default(),
            swept: Family::default(),
            registry: Mutex::default(),
        };
        let mut table = Table::new(build);
        table::register(&mut table, &metrics);
        *metrics.registry.lock() = table.registry;
        metrics
    }

    /// All metrics, as the documentation lists them.
    pub fn descriptions() -> Vec<Description> {
        let build = Build { version: "", commit: "" };
        let mut table = Table::new(build);
        table::register(&mut table, &Self::new(build));
        table.descriptions
    }

    /// The metrics as text, with this usage of the Backends' accounts.
    pub fn text(&self, usage: &BTreeMap<ObjectName, Usage>) -> String {
        // Only one scrape at a time, so that none shows half of the Backends.
        let registry = self.registry.lock();
        self.rates.clear();
        self.account_calls.clear();
        self.account_wait.clear();
        for (backend, usage) in usage {
            let labels = labels(backend);
            self.rates.get_or_create(&labels).set(usage.per_second);
            self.account_calls.get_or_create(&labels).inc_by(usage.calls);
            self.account_wait.get_or_create(&labels).inc_by(usage.waited.as_secs_f64());
        }
        let mut body = String::new();
        text::encode(&mut body, &registry).expect("writing to a String cannot fail");
        body
    }

    /// Counts a change that was sent.
    pub fn change(&self, kind: Kind, verb: Verb, result: &StepResult) {
        let outcome = result.outcome();
        self.changes
            .get_or_create(&ChangeLabels { kind: kind.to_string(), verb: verb.to_string(), outcome })
            .inc();
    }

    /// Sets when the credential of a Backend expires; None when it does not or is not known.
    pub fn set_expiry(&self, backend: &ObjectName, at: Option<Timestamp>) {
        let labels = labels(backend);
        match at {
            Some(at) => {
                self.expiries.get_or_create(&labels).set(at.as_second());
            }
            None => {
                self.expiries.remove(&labels);
            }
        }
    }

    /// Sets whether a Backend is ready; None for one that is being deleted.
    pub fn set_ready(&self, backend: &ObjectName, ready: Option<bool>) {
        let labels = labels(backend);
        match ready {
            Some(ready) => _ = self.ready.get_or_create(&labels).set(i64::from(ready)),
            None => _ = self.ready.remove(&labels),
        }
        // An account that cannot be read since the start must grow old too.
        let swept = self.swept.get_or_create_owned(&labels);
        if swept.get() == 0 {
            swept.set(Timestamp::now().as_second());
        }
    }

    /// Sets what waits for an approval on a Backend; None if nothing does.
    pub fn set_waiting(&self, backend: &ObjectName, waiting: Option<&WaitingPlans>) {
        let labels = labels(backend);
        self.waiting.get_or_create(&labels).set(waiting.map_or(0, |waiting| waiting.removals));
        self.waiting_plans.get_or_create(&labels).set(waiting.map_or(0, |waiting| waiting.objects));
        match waiting {
            Some(waiting) => {
                self.waiting_since.get_or_create(&labels).set(waiting.since.0.as_second());
            }
            None => {
                self.waiting_since.remove(&labels);
            }
        }
    }

    /// Records a complete sweep of the account of a Backend.
    pub fn set_swept(&self, backend: &ObjectName) {
        self.swept.get_or_create(&labels(backend)).set(Timestamp::now().as_second());
    }

    /// Drops the metrics of a deleted Backend.
    pub fn forget(&self, backend: &ObjectName) {
        let labels = labels(backend);
        for family in [
            &self.ready,
            &self.expiries,
            &self.waiting,
            &self.waiting_plans,
            &self.waiting_since,
            &self.swept,
        ] {
            family.remove(&labels);
        }
    }

    /// Counts a reconcile.
    pub fn reconcile(&self, kind: ObjectKind) {
        self.reconciles.get_or_create(&KindLabels { kind: kind.as_str() }).inc();
    }

    /// Counts a reconcile that was stopped at its deadline.
    pub fn deadline(&self, kind: ObjectKind) {
        self.deadlines.get_or_create(&KindLabels { kind: kind.as_str() }).inc();
    }

    /// Counts a reconcile that panicked.
    pub fn panic(&self, kind: ObjectKind) {
        self.panics.get_or_create(&KindLabels { kind: kind.as_str() }).inc();
    }

    /// The counter of Events that were not written because too many waited.
    pub fn dropped_events(&self) -> Counter {
        self.dropped_events.clone()
    }

    /// Moves an object from one reason to another.
    pub fn reason_changed(&self, kind: ObjectKind, from: Option<&str>, to: Option<&str>) {
        if from == to {
            return;
        }
        let gauge = |reason: &str| {
            self.objects
                .get_or_create_owned(&ObjectLabels { kind: kind.as_str(), reason: known(reason).to_owned() })
        };
        if let Some(from) = from {
            gauge(from).dec();
        }
        if let Some(to) = to {
            gauge(to).inc();
        }
    }

    /// Counts a sweep.
    pub fn sweep(&self, took: Duration, done: bool) {
        let outcome = if done { "done" } else { "failed" };
        self.sweeps.get_or_create(&SweepLabels { outcome }).inc();
        self.sweep_seconds.observe(took.as_secs_f64());
    }

    /// Sets whether this process holds the Lease.
    pub fn set_leading(&self, leads: bool) {
        self.leads.store(leads, Ordering::Relaxed);
        self.show_leader();
    }

    /// Sets whether the CRDs fit. While they do not, nothing is written.
    pub fn set_schema_fits(&self, fits: bool) {
        self.fits.store(fits, Ordering::Relaxed);
        self.show_leader();
    }

    fn show_leader(&self) {
        let works = self.leads.load(Ordering::Relaxed) && self.fits.load(Ordering::Relaxed);
        self.leader.set(i64::from(works));
    }
}

/// Anybody can write a status: an unknown reason must not create a label.
fn known(reason: &str) -> &str {
    let ours = rolewright_api::Reason::ALL.iter().any(|known| known.as_str() == reason);
    if ours { reason } else { "Unknown" }
}

impl CallObserver for Metrics {
    fn called(&self, vendor: &'static str, method: &str, outcome: &str, elapsed: Duration) {
        let call = Call { vendor, method: method.to_owned(), outcome: outcome.to_owned() };
        self.calls.get_or_create(&call).inc();
        self.call_seconds.get_or_create(&VendorLabels { vendor }).observe(elapsed.as_secs_f64());
    }

    fn waited(&self, vendor: &'static str, elapsed: Duration) {
        self.wait_seconds.get_or_create(&VendorLabels { vendor }).observe(elapsed.as_secs_f64());
    }
}
