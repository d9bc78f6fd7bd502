//! The metrics with their names, labels and meanings: what is registered is what the documentation lists.

use prometheus_client::{
    metrics::{MetricType, info::Info},
    registry::{Metric, Registry},
};

use super::{Metrics, process};

/// What was built.
#[derive(Clone, Copy, Debug)]
pub struct Build {
    /// The version of the package.
    pub version: &'static str,
    /// The commit; empty if the build did not name it.
    pub commit: &'static str,
}

/// A metric, as the documentation lists it.
#[derive(Clone, Debug)]
pub struct Description {
    /// The name of its samples, without the suffixes of a histogram.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// The labels, in order.
    pub labels: &'static [&'static str],
    /// The meaning, as a sentence without a full stop.
    pub help: &'static str,
}

/// A registry, with what is in it.
pub struct Table {
    pub registry: Registry,
    pub descriptions: Vec<Description>,
}

impl Table {
    pub fn new(build: Build) -> Self {
        let mut table = Self { registry: Registry::default(), descriptions: Vec::new() };
        let info = Info::new([("version", build.version), ("commit", build.commit)]);
        table.add(
            "rolewright_build",
            &["version", "commit"],
            "The version and the commit of the operator; always 1",
            info,
        );
        table.registry.register_collector(Box::new(process::Process));
        for (name, help, is_counter) in process::METRICS {
            let kind = if is_counter { MetricType::Counter } else { MetricType::Gauge };
            table.describe(name, kind, &[], help);
        }
        table
    }

    pub fn add(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str],
        help: &'static str,
        metric: impl Metric,
    ) {
        self.describe(name, metric.metric_type(), labels, help);
        self.registry.register(name, help, metric);
    }

    fn describe(
        &mut self,
        name: &str,
        kind: MetricType,
        labels: &'static [&'static str],
        help: &'static str,
    ) {
        let (suffix, kind) = match kind {
            MetricType::Counter => ("_total", "counter"),
            MetricType::Histogram => ("", "histogram"),
            MetricType::Info => ("_info", "gauge"),
            _ => ("", "gauge"),
        };
        self.descriptions.push(Description { name: format!("{name}{suffix}"), kind, labels, help });
    }
}

const BACKEND: &[&str] = &["namespace", "backend"];

/// Registers all metrics of the operator.
pub fn register(table: &mut Table, metrics: &Metrics) {
    of_backends(table, metrics);
    table.add(
        "rolewright_objects",
        &["kind", "reason"],
        "Objects, by the reason of their condition Ready",
        metrics.objects.clone(),
    );
    table.add("rolewright_changes", &["kind", "verb", "outcome"], "Attempted changes of accounts; `done` is the good outcome; `unchanged` means that the account was already so and nothing was written", metrics.changes.clone());
    table.add(
        "rolewright_backend_calls",
        &["vendor", "method", "outcome"],
        "Calls to back ends; `outcome` is `2xx` to `5xx`, or the error if there was no answer",
        metrics.calls.clone(),
    );
    table.add(
        "rolewright_backend_call_duration_seconds",
        &["vendor"],
        "Duration of calls to back ends",
        metrics.call_seconds.clone(),
    );
    table.add(
        "rolewright_backend_wait_seconds",
        &["vendor"],
        "How long calls wait for the limits of their account",
        metrics.wait_seconds.clone(),
    );
    table.add(
        "rolewright_sweeps",
        &["outcome"],
        "Sweeps of accounts: `done` or `failed`",
        metrics.sweeps.clone(),
    );
    table.add("rolewright_sweep_duration_seconds", &[], "Duration of sweeps", metrics.sweep_seconds.clone());
    table.add(
        "rolewright_reconciles",
        &["kind"],
        "Reconciles of single objects; nearly constant in steady state",
        metrics.reconciles.clone(),
    );
    table.add(
        "rolewright_reconcile_deadlines",
        &["kind"],
        "Reconciles that were stopped after ten minutes",
        metrics.deadlines.clone(),
    );
    table.add(
        "rolewright_reconcile_panics",
        &["kind"],
        "Bugs in the operator: it tries the object again later; please report them",
        metrics.panics.clone(),
    );
    table.add(
        "rolewright_dropped_events",
        &[],
        "Events that were not written, because more than 1,000 waited for the API server",
        metrics.dropped_events.clone(),
    );
    table.add(
        "rolewright_leader",
        &[],
        "1 where this process works, 0 where it waits for the Lease, or where the CRDs do not fit",
        metrics.leader.clone(),
    );
}

fn of_backends(table: &mut Table, metrics: &Metrics) {
    table.add(
        "rolewright_backend_ready",
        BACKEND,
        "1 if the condition Ready of the Backend is True, otherwise 0; absent while the Backend is being deleted",
        metrics.ready.clone(),
    );
    table.add(
        "rolewright_backend_last_sweep_timestamp_seconds",
        BACKEND,
        "When the account of the Backend was last read completely; until the first read, when the operator first saw the Backend",
        metrics.swept.clone(),
    );
    table.add("rolewright_backend_rate", BACKEND, "Calls per second that the account of the Backend allows at present; all Backends of one account show the same", metrics.rates.clone());
    table.add(
        "rolewright_account_calls",
        BACKEND,
        "Calls to the account of the Backend; all Backends of one account show the same",
        metrics.account_calls.clone(),
    );
    table.add("rolewright_account_wait_seconds", BACKEND, "Time that calls to the account of the Backend waited for its limits; all Backends of one account show the same", metrics.account_wait.clone());
    table.add("rolewright_credential_expiry_timestamp_seconds", BACKEND, "When the credential of the Backend expires, if the back end shows it; two weeks before, the Backend has a condition `CredentialExpiring`", metrics.expiries.clone());
    table.add(
        "rolewright_waiting_plans",
        BACKEND,
        "Plans of the objects of the Backend that wait for an approval",
        metrics.waiting_plans.clone(),
    );
    table.add("rolewright_waiting_removals", BACKEND, "Removals in these plans", metrics.waiting.clone());
    table.add(
        "rolewright_waiting_since_timestamp_seconds",
        BACKEND,
        "Since when the first of these plans waits; absent if none waits",
        metrics.waiting_since.clone(),
    );
}
