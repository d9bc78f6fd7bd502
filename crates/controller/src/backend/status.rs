//! The status of a Backend.

use std::time::Duration;

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Condition, jiff::Timestamp};
use kube::Resource;
use rolewright_api as api;
use rolewright_api::{AnyBackend, BackendStatus, Reason};
use rolewright_reconcile::{
    account::{Link, SweepFailure},
    object::{ObjectName, ObjectRef, reconcile_request},
    readiness::{MAX_MESSAGE, Readiness, truncate},
};
use serde_json::json;

use super::{
    Dependents,
    counts::{self, written_report},
};
use crate::{
    context::Context,
    kube::{WriteError, publish_condition, writes},
};

/// The fields that the operator owns: a field that is absent from a new status is removed.
const FIELDS: [&str; 11] = [
    "observedGeneration",
    "conditions",
    "vendor",
    "tenant",
    "identity",
    "capabilities",
    "counts",
    "unmanaged",
    "waiting",
    "sweepInterval",
    "lastHandledReconcileAt",
];

/// Writes the status if it changed. `failure`: why the last attempt to connect failed.
pub async fn write(
    ctx: &Context,
    name: &ObjectName,
    backend: &AnyBackend,
    failure: Option<Readiness>,
    dependents: &Dependents,
) -> Result<(), WriteError> {
    let before = backend.status.clone().unwrap_or_default();
    let generation = backend.meta().generation;
    let mut after = BackendStatus {
        observed_generation: generation,
        last_handled_reconcile_at: handled_request(ctx, name, backend, &before),
        ..before.clone()
    };
    let mut ready = failure;
    let link = ctx.backends.link(name);
    if let Some(link) = &link {
        describe_account(ctx, name, link, &before, &mut after);
        ready = match link.view.suspicion() {
            Some(why) => Some(Readiness::new(Reason::Vanished, why)),
            // Until the first sweep after a start, what the last one before it found still counts.
            None if !is_swept(ctx, name) && failed_sweeps(&before) => None,
            None => Some(sweeps_fail_for_long(ctx, name, link).unwrap_or_else(|| {
                Readiness::new(Reason::Connected, format!("connected: {}", link.identity))
            })),
        };
    }
    if backend.meta().deletion_timestamp.is_some() {
        ready = Some(Readiness::new(
            Reason::Deleting,
            format!(
                "waits for {} objects that manage something through it ({} of them are being deleted): {}",
                dependents.with_finalizer,
                dependents.being_deleted,
                dependents.names()
            ),
        ));
    }
    let now = Timestamp::now();
    if let Some(ready) = ready {
        let Readiness { reason, message } = &ready;
        after.conditions = api::condition(*reason, message, generation, false, &before.conditions, now);
    }
    set_synced(ctx, name, generation, &before, &mut after, now);
    let is_ready = |condition: &Condition| condition.type_ == "Ready" && condition.status == "True";
    let is_being_deleted = backend.meta().deletion_timestamp.is_some();
    ctx.metrics.set_ready(name, (!is_being_deleted).then(|| after.conditions.iter().any(is_ready)));
    let expires = link.and_then(|link| link.expires);
    ctx.metrics.set_expiry(name, expires);
    after.conditions.retain(|condition| condition.type_ != api::CREDENTIAL_EXPIRING);
    after
        .conditions
        .extend(expires.and_then(|at| api::credential_expiring(at, generation, &before.conditions, now)));
    if after == before {
        return Ok(());
    }
    writes::status(&ctx.client, &ctx.caches.backends, backend, &FIELDS, json!(after)).await?;
    let reference = ObjectRef::backend(name);
    publish_condition(&ctx.events, backend.reference(), &reference, &before.conditions, &after.conditions);
    Ok(())
}

/// The condition `Synced`, once a sweep has succeeded or failed since the start. Before that the last one stays.
fn set_synced(
    ctx: &Context,
    name: &ObjectName,
    generation: Option<i64>,
    before: &BackendStatus,
    after: &mut BackendStatus,
    now: Timestamp,
) {
    let failure = ctx.backends.sweep_failure(name);
    let synced = match (&failure, ctx.backends.swept(name)) {
        (None, None) => before.conditions.iter().find(|known| known.type_ == api::SYNCED).cloned(),
        (failure, _) => {
            let failure = failure.as_ref().map(|failure| {
                let message = truncate(&failure.message, MAX_MESSAGE);
                match failure.is_partial {
                    true => api::SyncFailure::PartlyRead(message),
                    false => api::SyncFailure::SweepFailing(message),
                }
            });
            Some(api::synced(failure, generation, &before.conditions, now))
        }
    };
    after.conditions.retain(|condition| condition.type_ != api::SYNCED);
    after.conditions.extend(synced);
}

fn is_swept(ctx: &Context, name: &ObjectName) -> bool {
    ctx.backends.swept(name).is_some() || ctx.backends.sweep_failure(name).is_some()
}

/// Whether the status reports that sweeps fail, and that the Backend is not ready for that reason.
fn failed_sweeps(before: &BackendStatus) -> bool {
    let reason = |type_: &str| {
        let condition = before.conditions.iter().find(|condition| condition.type_ == type_);
        condition.filter(|condition| condition.status == "False").map(|condition| condition.reason.clone())
    };
    let is_about_sweeps =
        |reason: String| reason == Reason::Vanished.as_str() || reason == Reason::SweepFailing.as_str();
    reason(api::SYNCED).is_some() && reason("Ready").is_some_and(is_about_sweeps)
}

/// A Backend is not ready when its account was not read completely for three intervals, and for at least five minutes.
fn sweeps_fail_for_long(ctx: &Context, name: &ObjectName, link: &Link) -> Option<Readiness> {
    const AT_LEAST: Duration = Duration::from_secs(300);
    let SweepFailure { since, is_partial, message } = ctx.backends.sweep_failure(name)?;
    let consequence = match is_partial {
        true => "drift of the rest is not corrected",
        false => "drift is not corrected",
    };
    (since.elapsed() >= (link.interval * 3).max(AT_LEAST)).then(|| {
        Readiness::new(
            Reason::SweepFailing,
            format!("the account could not be read completely, so {consequence}: {message}"),
        )
    })
}

/// A request is handled once a complete sweep began after it was seen.
fn handled_request(
    ctx: &Context,
    name: &ObjectName,
    backend: &AnyBackend,
    before: &BackendStatus,
) -> Option<String> {
    let request = reconcile_request(backend)?;
    let seen = ctx.requests.see(&ObjectRef::backend(name), &request);
    match ctx.backends.swept(name).is_some_and(|began| began >= seen) {
        true => Some(request),
        false => before.last_handled_reconcile_at.clone(),
    }
}

fn describe_account(
    ctx: &Context,
    name: &ObjectName,
    link: &Link,
    before: &BackendStatus,
    after: &mut BackendStatus,
) {
    let dialect = link.view.backend.dialect();
    after.vendor = Some(dialect.vendor().to_owned());
    after.tenant = Some(link.pin.clone());
    after.identity = Some(link.identity.clone());
    let kinds = dialect.capabilities().kinds().filter(|kind| !link.lacks.contains_key(kind));
    after.capabilities = kinds.map(|kind| kind.to_string()).collect();
    let written = written_report(before);
    let present = counts::report(ctx, name, link, written.as_ref());
    let (report, again) = ctx.backends.report_to_write(name, present, written);
    if let Some(time) = again {
        ctx.queue.add_after(ObjectRef::backend(name), time);
    }
    let report =
        report.map(|report| (Some(report.counts), report.unmanaged, report.stretched, report.waiting));
    (after.counts, after.unmanaged, after.sweep_interval, after.waiting) = report.unwrap_or_default();
    ctx.metrics.set_waiting(name, after.waiting.as_ref());
}
