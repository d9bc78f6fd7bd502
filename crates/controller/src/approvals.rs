//! Approvals: which of them an object has to look at, and what became of each.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Time, jiff::Timestamp};
use kube::ResourceExt;
use parking_lot::Mutex;
use rolewright_api::{Approval, ApprovalState, ApprovalStatus, ApprovedKind, CoveredPlan};
use rolewright_reconcile::{
    object::{ObjectKind, ObjectName, ObjectRef, name_of},
    readiness::{MAX_MESSAGE, truncate},
};
use serde_json::json;

use crate::{
    context::Context,
    kube::{CacheChange, Changes, WriteError, writes},
};

/// The approvals that can still have an effect, by the object that they name.
#[derive(Default)]
pub struct OpenApprovals(Mutex<HashMap<ObjectRef, BTreeSet<ObjectName>>>);

impl OpenApprovals {
    fn set(&self, target: ObjectRef, approval: &ObjectName, is_open: bool) {
        let mut all = self.0.lock();
        let of_target = all.entry(target.clone()).or_default();
        match is_open {
            true => of_target.insert(approval.clone()),
            false => of_target.remove(approval),
        };
        if of_target.is_empty() {
            all.remove(&target);
        }
    }

    fn of(&self, target: &ObjectRef) -> Vec<ObjectName> {
        self.0.lock().get(target).into_iter().flatten().cloned().collect()
    }
}

/// The object that an approval names.
fn target(approval: &Approval) -> ObjectRef {
    let kind = match approval.spec.target.kind {
        ApprovedKind::Role => ObjectKind::Role,
        ApprovedKind::RoleBinding => ObjectKind::RoleBinding,
        ApprovedKind::ResourceRestriction => ObjectKind::ResourceRestriction,
        ApprovedKind::Prune => ObjectKind::Prune,
        ApprovedKind::AccessRequest => ObjectKind::AccessRequest,
        ApprovedKind::Backend => ObjectKind::Backend,
    };
    let namespace = approval.metadata.namespace.as_deref().unwrap_or_default();
    ObjectRef { kind, name: ObjectName::new(namespace, &approval.spec.target.name) }
}

/// Follows the changes of approvals: what they name is looked at again.
pub async fn follow(ctx: Arc<Context>, mut changes: Changes<Approval>) {
    while let Some(CacheChange { name, before, after }) = changes.recv().await {
        for approval in [before.as_deref(), after.as_deref()].into_iter().flatten() {
            let is_open =
                after.as_deref().is_some_and(|after| after.uid() == approval.uid() && after.is_open());
            ctx.approvals.set(target(approval), &name, is_open);
        }
        let state = |approval: &Option<Arc<Approval>>| approval.as_deref().and_then(Approval::state);
        let state_changed = state(&before) != state(&after);
        if let Some(approval) = after.as_deref().or(before.as_deref()) {
            let target = target(approval);
            let covers = approval.status.as_ref().is_some_and(|status| !status.covers.is_empty());
            if target.kind == ObjectKind::Backend && covers && state_changed {
                ctx.enqueue_objects_of(&target.name);
            }
            let uid =
                |approval: &Option<Arc<Approval>>| approval.as_ref().and_then(|approval| approval.uid());
            if uid(&before) != uid(&after) {
                ctx.queue.add(target);
            }
        }
    }
}

/// The approvals that name an object and can still have an effect.
pub fn of(ctx: &Context, object: &ObjectRef) -> Vec<Arc<Approval>> {
    ctx.approvals.of(object).iter().filter_map(|name| ctx.caches.approvals.get(name)).collect()
}

/// The approvals that name an object or its Backend.
pub fn of_object(ctx: &Context, object: &ObjectRef, backend: &ObjectName) -> Vec<Arc<Approval>> {
    [of(ctx, object), of(ctx, &ObjectRef::backend(backend))].concat()
}

/// Writes what became of an approval.
///
/// # Errors
/// When the API server refuses or does not answer. An approval that was deleted is a success.
pub async fn decide(
    ctx: &Context,
    approval: &Approval,
    state: ApprovalState,
    message: &str,
    covers: Vec<CoveredPlan>,
) -> Result<(), WriteError> {
    let known = approval.status.clone().unwrap_or_default();
    let status = ApprovalStatus {
        state: Some(state),
        message: Some(truncate(message, MAX_MESSAGE).to_owned()),
        decided_at: known.decided_at.or_else(|| Some(Time(Timestamp::now()))),
        covers,
    };
    const FIELDS: [&str; 4] = ["state", "message", "decidedAt", "covers"];
    match writes::status(&ctx.client, &ctx.caches.approvals, approval, &FIELDS, json!(status)).await {
        Err(WriteError::Gone) => Ok(()),
        written => written.map(|_| ()),
    }?;
    let ObjectName { namespace, name } = name_of(approval);
    tracing::info!(%namespace, %name, plan = approval.spec.plan, by = approval.spec.approved_by, ?state, "an Approval was decided: {message}");
    Ok(())
}

/// Decides the approvals that name an object that does not exist. Returns when to try again.
pub async fn decide_without_object(ctx: &Context, object: &ObjectRef) -> Option<Duration> {
    const RETRY: Duration = Duration::from_secs(10);
    for approval in of(ctx, object) {
        let missing = format!("there is no {} {}", object.kind.as_str(), object.name.name);
        let (state, message) = match approval.state() {
            None => (ApprovalState::Outdated, format!("nothing happens: {missing}")),
            Some(ApprovalState::Executing) => (ApprovalState::Executed, missing),
            Some(_) => continue,
        };
        if !ctx.may_write() || decide(ctx, &approval, state, &message, Vec::new()).await.is_err() {
            return Some(RETRY);
        }
    }
    None
}
