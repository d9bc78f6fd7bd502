//! Reconciles one object: plan, guard, apply, report. The same chain for all kinds and all back ends.

mod apply;
pub mod deletion;
mod error_policy;
mod permit;
mod plan;
mod report;
mod report_events;

use std::{
    ops::ControlFlow::{self, Break, Continue},
    sync::Arc,
    time::Duration,
};

use k8s_openapi::jiff::Timestamp;
use rolewright_api::Reason;
use rolewright_reconcile::{
    account::{BackendState, Link},
    convert::held_from_status,
    decide::{self, Resolve},
    object::{ObjectName, ObjectRef, reconcile_request},
    readiness::Readiness,
};

use self::report::Handled;
use crate::{approvals, context::Context, kube::Cached, kube::WriteError};

/// The most plans in one reconcile because the back end had changed.
const MAX_ROUNDS: usize = 4;

/// When to reconcile an object again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    /// The reconcile is complete.
    Done,
    /// When something changes: an event adds the object to the queue.
    AwaitChange,
    /// After this time.
    After(Duration),
}

/// How a stage leaves the chain.
enum Exit {
    /// The reconcile ends here.
    End(Next),
    /// The plan's base is outdated: plan again.
    Replan,
    /// A write to the Kubernetes API failed.
    Failed(WriteError),
}

/// The result of a stage: the input of the next one, or an exit.
type Stage<T> = ControlFlow<Exit, T>;

/// The result of a write to the Kubernetes API, as a stage.
fn written<T>(result: Result<T, WriteError>) -> Stage<T> {
    match result {
        Ok(written) => Continue(written),
        Err(error) => Break(Exit::Failed(error)),
    }
}

fn end<T>(next: Next) -> Stage<T> {
    Break(Exit::End(next))
}

/// Ends the chain with what a step returned.
fn end_with<T>(result: Result<Next, WriteError>) -> Stage<T> {
    Break(match result {
        Ok(next) => Exit::End(next),
        Err(error) => Exit::Failed(error),
    })
}

/// The reconcile of one object.
struct Reconcile<'a, K> {
    ctx: &'a Arc<Context>,
    object: Arc<K>,
    reference: ObjectRef,
    backend: ObjectName,
}

/// Reconciles one object. Returns the time until the next reconcile, if any.
pub async fn reconcile<K: Resolve + Cached>(ctx: &Arc<Context>, name: &ObjectName) -> Option<Duration> {
    let Some(object) = K::cache(&ctx.caches).get(name) else {
        // A reconcile that ended after the deletion can have left something.
        let reference = ObjectRef { kind: K::KIND, name: name.clone() };
        ctx.forget(&reference);
        return approvals::decide_without_object(ctx, &reference).await;
    };
    if !ctx.may_write() {
        return None;
    }
    let (reference, backend) = (object.reference(), object.backend());
    let mut reconcile = Reconcile { ctx, object, reference: reference.clone(), backend };
    let wait = match reconcile.run().await {
        Ok(Next::Done) => {
            ctx.back_off.reset(&reference);
            None
        }
        Ok(Next::AwaitChange) => None,
        Ok(Next::After(time)) => Some(time),
        // The watch brings the newer version, or the deletion.
        Err(WriteError::Stale | WriteError::Gone) => Some(Duration::from_millis(200)),
        Err(error) => {
            tracing::warn!(kind = K::KIND.as_str(), namespace = %name.namespace, name = %name.name, %error, "a status could not be written");
            Some(ctx.back_off.next(&reference, Duration::from_millis(500), Duration::from_secs(60)))
        }
    };
    match (wait, until_next_change(&*reconcile.object)) {
        (Some(wait), Some(change)) => Some(wait.min(change)),
        (wait, change) => wait.or(change),
    }
}

/// The time until time alone changes what an object desires.
fn until_next_change<K: Resolve>(object: &K) -> Option<Duration> {
    let now = Timestamp::now();
    Some(time_until(object.next_change(now)?, now))
}

/// The time until a moment in the future. Clocks are adjusted, so a later moment is looked at again once an hour.
pub fn time_until(moment: Timestamp, now: Timestamp) -> Duration {
    const LONGEST: Duration = Duration::from_secs(3600);
    // Rounded up: a moment too early, nothing has changed yet.
    (moment.duration_since(now).unsigned_abs() + Duration::from_millis(1)).min(LONGEST)
}

impl<K: Resolve + Cached> Reconcile<'_, K> {
    async fn run(&mut self) -> Result<Next, WriteError> {
        if self.object.is_being_deleted() && !self.object.has_finalizer() {
            return Ok(Next::Done);
        }
        match self.ctx.backends.get(&self.backend) {
            // Any call can be one too many until the credential was probed. The Backend enqueues its objects then.
            Some(BackendState::Ready(_))
                if self.ctx.backends.is_doubted(&self.backend) && !self.object.is_being_deleted() =>
            {
                Ok(Next::AwaitChange)
            }
            // The terms of a ClusterBackend belong to its connection: with another one they mean another account.
            Some(BackendState::Ready(_))
                if !self.object.is_being_deleted() && !self.ctx.is_connection_current(&self.backend) =>
            {
                Ok(Next::AwaitChange)
            }
            Some(BackendState::Ready(link)) => {
                let link = self.ctx.with_present_spec(&self.backend, link);
                match self.ctx.refuses(&*self.object, &link) {
                    Some(problem) => {
                        self.ctx.enqueue(self.ctx.accounts.suspend(&self.object.claimant()));
                        self.report_unchanged(&Readiness::new(Reason::Denied, problem.message)).await?;
                        Ok(Next::Done)
                    }
                    None => self.with_link(&link).await,
                }
            }
            Some(BackendState::NotReady { reason, message, no_credential, last }) => {
                if let Some(link) = last.filter(|_| self.is_deleted_with_backend()) {
                    let link = self.ctx.with_present_spec(&self.backend, link);
                    return self.with_link(&link).await;
                }
                if self.object.is_being_deleted() {
                    return self.delete_without_link(no_credential, &message).await;
                }
                let title = self.object.backend_title();
                let message = match self.backend.is_of_cluster() {
                    // Its message is for the owner: users of a namespace learn nothing about its Secrets.
                    true => format!("{title} is not ready ({}): ask its owner", reason.as_str()),
                    false => format!("{title} is not ready ({}): {message}", reason.as_str()),
                };
                self.wait_for_backend(&message).await
            }
            None if self.ctx.caches.backends.get(&self.backend).is_some() => Ok(Next::AwaitChange),
            None => {
                let title = self.object.backend_title();
                let message = match self.backend.is_of_cluster() {
                    true if !self.ctx.options.namespaces.is_empty() => format!(
                        "spec.backendRef.kind: this operator serves single namespaces (--namespaces), and therefore no {title}: write \
                         Backend"
                    ),
                    true => format!("spec.backendRef.name: there is no {title}"),
                    false => {
                        let near = decide::suggestion(self.ctx.caches.backends.nearest_name(&self.backend));
                        format!("spec.backendRef.name: there is no {title} in this namespace{near}")
                    }
                };
                if self.object.is_being_deleted() {
                    return self.delete_without_link(true, &message).await;
                }
                self.wait_for_backend(&message).await
            }
        }
    }

    /// Whether both the object and its Backend are being deleted, or the Backend does not exist any more.
    fn is_deleted_with_backend(&self) -> bool {
        let backend = self.ctx.caches.backends.get(&self.backend);
        self.object.is_being_deleted()
            && backend.is_none_or(|backend| backend.metadata.deletion_timestamp.is_some())
    }

    /// An object that was in sync keeps its status until something is known, unless it is being deleted.
    async fn wait_for_backend(&mut self, message: &str) -> Result<Next, WriteError> {
        if self.object.is_being_deleted() || !self.object.is_in_sync() {
            self.report_unchanged(&Readiness::new(Reason::BackendNotReady, message)).await?;
        }
        Ok(Next::AwaitChange)
    }

    async fn with_link(&mut self, link: &Link) -> Result<Next, WriteError> {
        match self.rounds(link).await {
            Continue(next) | Break(Exit::End(next)) => Ok(next),
            Break(Exit::Failed(error)) => Err(error),
            Break(Exit::Replan) => {
                self.report_unchanged(&Readiness::new(
                    Reason::Reconciling,
                    "the back end changes faster than Rolewright can plan; it tries again",
                ))
                .await?;
                Ok(self.retry_soon())
            }
        }
    }

    async fn rounds(&mut self, link: &Link) -> Stage<Next> {
        link.view.retry_unread();
        self.read_on_request(link).await?;
        for _ in 0..MAX_ROUNDS {
            // A read can take long, and the spec of the Backend counts at once.
            if !self.object.is_being_deleted() && !self.ctx.is_connection_current(&self.backend) {
                return end(Next::AwaitChange);
            }
            let link = self.ctx.with_present_spec(&self.backend, link.clone());
            match self.stages(&link).await {
                Break(Exit::Replan) => {}
                ended => return ended,
            }
        }
        Break(Exit::Replan)
    }

    async fn stages(&mut self, link: &Link) -> Stage<Next> {
        let mut decision = self.plan(link).await?;
        self.let_others_claim(link, &decision)?;
        self.guard(link, &decision).await?;
        let permit = self.permit(link, &decision, None);
        let whole = std::mem::replace(&mut decision.plan, permit.plan.clone());
        let Some(outcome) = self.apply(link, &decision, &permit).await? else {
            let part = std::mem::replace(&mut decision.plan, whole);
            let reported = self.report(link, &decision, Handled::Permitted(&permit, None)).await;
            if permit.withheld.is_some() && reported.is_continue() {
                // Adopted beside a plan that waits.
                decision.plan = part;
                self.report_adoptions(&decision);
            }
            self.shorten_managed(link);
            return reported;
        };
        let still_shared = decision.still_shared.clone();
        let mut after = self.plan_again(link, decision, &outcome).await?;
        after.still_shared = still_shared;
        let permit = self.permit(link, &after, Some(&outcome));
        let reported = self.report(link, &after, Handled::Permitted(&permit, Some(&outcome))).await;
        self.shorten_managed(link);
        self.ctx.back_off.set_failed_plan(&self.reference, &outcome.plan_hash);
        reported
    }

    /// Drops the rules of managed roles from the snapshot. Their version marks are recorded.
    fn shorten_managed(&self, link: &Link) {
        let marked = self.object.held().iter().filter(|entry| entry.revision.is_some());
        for held in marked.filter_map(held_from_status) {
            if let (Some(id), Some(revision)) = (held.id(), held.revision()) {
                link.view.shorten(held.kind, id, revision);
            }
        }
    }

    fn retry_soon(&self) -> Next {
        const FIRST: Duration = Duration::from_secs(1);
        const MAX: Duration = Duration::from_secs(60);
        Next::After(self.ctx.back_off.next(&self.reference, FIRST, MAX))
    }

    /// An explicit reconcile request bypasses the cached snapshot.
    async fn read_on_request(&mut self, link: &Link) -> Stage<()> {
        if self.ctx.refuses_namespace(&*self.object, link).is_some() {
            return Continue(());
        }
        let handled = self.object.status().and_then(|status| status.last_handled_reconcile_at.clone());
        if let Some(request) = reconcile_request(&*self.object).filter(|it| Some(it) != handled.as_ref()) {
            let acts = self.ctx.requests.act_on(&self.reference, &request);
            if acts {
                self.ctx.back_off.reset(&self.reference);
            }
            // One read serves all requests that were seen before it began.
            let seen = self.ctx.requests.see(&self.reference, &request);
            if acts {
                link.view.reader.request(seen);
            }
            self.require_snapshot(link, Some(seen)).await?;
        }
        Continue(())
    }
}
