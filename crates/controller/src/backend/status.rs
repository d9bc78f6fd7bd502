//! The status of a Backend.

use k8s_openapi::jiff::Timestamp;
use kube::{Resource, ResourceExt};
use rolewright_api as api;
use rolewright_api::{Backend, BackendStatus, Reason, TenantPin, annotations};
use rolewright_reconcile::{
    account::{Link, SweepReport},
    act::Readiness,
    object::{ObjectName, ObjectRef},
};
use serde_json::json;

use super::Dependents;
use crate::{
    context::Context,
    kube::{WriteError, log_condition, writes},
};

/// The fields that the operator owns: a field that is absent from a new status is removed.
const FIELDS: [&str; 9] = [
    "observedGeneration",
    "conditions",
    "vendor",
    "tenant",
    "identity",
    "capabilities",
    "counts",
    "sweepInterval",
    "lastHandledReconcileAt",
];

/// What an attempt to connect reports.
pub struct Report<'a> {
    pub ready: &'a Readiness,
    /// The account and the identity of the credential, once known.
    pub account: Option<(&'a TenantPin, &'a String)>,
}

/// Writes the status if it changed.
pub async fn write(
    ctx: &Context,
    name: &ObjectName,
    backend: &Backend,
    report: Option<Report<'_>>,
    dependents: &Dependents,
) -> Result<(), WriteError> {
    let before = backend.status.clone().unwrap_or_default();
    let generation = backend.meta().generation;
    let mut after = BackendStatus {
        observed_generation: generation,
        last_handled_reconcile_at: backend.annotations().get(annotations::RECONCILE_AT).cloned(),
        ..before.clone()
    };
    let mut ready = report.as_ref().map(|report| report.ready.clone());
    let link = ctx.backends.link(name);
    if let Some(link) = &link {
        describe_account(ctx, name, link, &before, &mut after);
        ready = match link.view.suspicion() {
            Some(why) => Some(Readiness::new(Reason::BackendError, why)),
            None => Some(ready.unwrap_or_else(|| {
                let identity = before.identity.clone().unwrap_or_default();
                Readiness::new(Reason::Connected, format!("connected: {identity}"))
            })),
        };
    }
    if let Some((pin, identity)) = report.and_then(|report| report.account) {
        after.tenant = Some(pin.clone());
        after.identity = Some(identity.clone());
    }
    if backend.meta().deletion_timestamp.is_some() {
        ready = Some(Readiness::new(
            Reason::Deleting,
            format!(
                "waits for {} objects that manage something through it ({} of them are being deleted)",
                dependents.with_finalizer, dependents.being_deleted
            ),
        ));
    }
    let now = Timestamp::now();
    if let Some(ready) = ready {
        let Readiness { reason, message } = &ready;
        after.conditions = api::condition(*reason, message, generation, false, &before.conditions, now);
    }
    let expires = link.and_then(|link| link.expires);
    ctx.metrics.set_expiry(name, expires);
    after.conditions.retain(|condition| condition.type_ != api::CREDENTIAL_EXPIRING);
    after.conditions.extend(expires.and_then(|at| api::expiring(at, generation, &before.conditions, now)));
    if after == before {
        return Ok(());
    }
    writes::status(&ctx.client, &ctx.caches.backends, backend, &FIELDS, json!(after)).await?;
    log_condition(&ObjectRef::backend(name), &before.conditions, &after.conditions);
    Ok(())
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
    let kinds = dialect.capabilities().kinds.iter().filter(|kind| !link.lacks.contains_key(kind));
    after.capabilities = kinds.map(ToString::to_string).collect();
    let written =
        before.counts.clone().map(|counts| SweepReport { counts, stretched: before.sweep_interval.clone() });
    let report = ctx.backends.report_to_write(name, written);
    after.sweep_interval = report.as_ref().and_then(|report| report.stretched.clone());
    after.counts = report.map(|report| report.counts);
}
