//! The report stage: the status, the finalizer of a deleted object, and when to reconcile again.

use std::{ops::ControlFlow::Continue, sync::Arc, time::Duration};

use k8s_openapi::{apimachinery::pkg::apis::meta::v1::Condition, jiff::Timestamp};
use kube::ResourceExt;
use rolewright_api::{EXPIRING, HeldEntry, PlanStatus, Reason, annotations};
use rolewright_backends::Error;
use rolewright_core::planner::{Held, Issue, OtherClaims};
use rolewright_reconcile::{
    account::Link,
    act::{self, Outcome, STATUS_FIELDS, StatusContent},
    convert::{held_from_status, held_to_status},
    decide::{self, Decision, Permit, Resolve},
    object::ManagedObject,
    readiness::Readiness,
    restore,
};
use tokio::time::Instant;

use super::{Next, Reconcile, Stage, end_with, written};
use crate::{
    kube::Cached,
    kube::{Severity, WriteError, publish_condition, writes},
};

/// How a plan was handled.
pub(super) enum Handled<'a> {
    /// Nothing of it is executed, for this reason.
    Withheld(Readiness),
    /// What is permitted of it was executed, with this outcome. None: the permitted part has no changes.
    Permitted(&'a Permit, Option<&'a Outcome>),
}

impl<K: Resolve + Cached> Reconcile<'_, K> {
    /// Writes the status of a reconcile. `decision`: what is still to be done.
    pub(super) async fn report(
        &mut self,
        link: &Link,
        decision: &Decision,
        handled: Handled<'_>,
    ) -> Stage<Next> {
        let (permit, outcome, withheld) = match handled {
            Handled::Withheld(why) => (None, None, Some(why)),
            Handled::Permitted(permit, outcome) => {
                let waits = permit.withheld.as_ref().filter(|_| permit.plan.is_empty());
                (Some(permit), outcome, waits.map(|waits| waits.ready.clone()))
            }
        };
        let failure = outcome.and_then(Outcome::failure).map(|error| self.classify(error));
        let failure = failure.as_ref();
        let held: Vec<Held> = match (outcome, permit) {
            _ if !K::MANAGES => Vec::new(),
            // The new plan intends again what has just failed.
            (Some(outcome), _) if failure.is_some() => outcome.held.clone(),
            (_, Some(permit)) => permit.plan.held().to_vec(),
            // A withheld plan adopts and releases nothing.
            (_, None) => self.object.held().iter().filter_map(held_from_status).collect(),
        };
        if self.object.is_being_deleted() && held.is_empty() && withheld.is_none() {
            let is_shared = |held: &Held| {
                !decision.still_shared.is_empty() && matches!(held.other_claims, OtherClaims::Shared(_))
            };
            let stays = |held: &&Held| {
                outcome.is_none() && held.is_present() && !decision.plan.is_absent(held) && !is_shared(held)
            };
            let stays: Vec<HeldEntry> = decision.recorded.iter().filter(stays).map(held_to_status).collect();
            self.report_still_shared(decision);
            self.decide_approvals(permit).await?;
            return end_with(self.finish_deletion(&stays).await);
        }
        if outcome.is_none() && withheld.is_none() && act::keeps_status(&*self.object, decision) {
            self.decide_approvals(permit).await?;
            return Continue(Next::Done);
        }
        let approval = self.approval_record(permit);
        let serial = permit.map_or_else(|| self.serial(), |permit| permit.serial);
        let is_recorded = withheld.is_none();
        let ready = self.readiness(link, decision, failure, withheld);
        let content = StatusContent {
            ready: &ready,
            unverified: decision.plan.is_unverified(),
            held: &held,
            plan: act::plan_status(&*self.object, link, decision, serial).map(|plan| {
                let waiting = permit.and_then(|permit| permit.withheld.as_ref());
                PlanStatus { waiting: waiting.map(|withheld| withheld.waiting.clone()), ..plan }
            }),
            approval,
            guarded: decide::guarded(
                &*self.object,
                decision,
                &link.guards.limits(),
                permit.is_some_and(|permit| permit.is_limited),
            ),
            subjects: act::subject_states(&*self.object, decision, outcome),
            names: &decision.resolved.names,
            serial,
            validity: decision.resolved.validity,
            ends: self.object.ends().filter(|_| {
                !decision.resolved.refuses_end && permit.is_some_and(|permit| permit.withheld.is_none())
            }),
            is_read: decision.plan.findings().iter().all(|finding| finding.issue != Issue::Unread),
        };
        written(self.write(content).await)?;
        if is_recorded {
            self.report_still_shared(decision);
            if failure.is_none() {
                self.keep_for_restore(link, decision).await?;
            }
        }
        // Adoptions of a plan with changes were recorded before the writes.
        if is_recorded && outcome.is_none() {
            self.report_adoptions(decision);
        }
        // The status is written: what the object claims now can change the standing of others.
        let updated = self.decide(&*self.object, link);
        let touched = decision.touched.iter().chain(updated.iter().flat_map(|updated| &updated.touched));
        touched.for_each(|object| self.ctx.queue.add(object.clone()));
        self.decide_approvals(permit).await?;
        Continue(match failure {
            Some(error) => self.retry_after(error),
            None => self.next(&ready, decision.unsettled),
        })
    }

    /// Keeps what a restored object cannot learn from its spec and the back end. After the work is recorded: what was not done must not be
    /// undone by a restored object.
    async fn keep_for_restore(&mut self, link: &Link, decision: &Decision) -> Stage<()> {
        let account = link.view.account.id.as_str();
        if let Some(kept) = restore::to_keep(&*self.object, &decision.plan, account) {
            let cache = K::cache(&self.ctx.caches);
            let (client, name) = (&self.ctx.client, annotations::RESTORE);
            self.object =
                Arc::new(written(writes::annotate(client, cache, &*self.object, name, &kept).await)?);
        }
        Continue(())
    }

    fn readiness(
        &self,
        link: &Link,
        decision: &Decision,
        failure: Option<&Error>,
        withheld: Option<Readiness>,
    ) -> Readiness {
        let found = act::found(&*self.object, decision);
        if self.object.is_being_deleted() {
            return self.deletion_readiness(found, failure, withheld);
        }
        if let Some(withheld) = withheld {
            // What the user has to fix comes before what waits for a mode or a pause.
            return found
                .filter(|found| found.reason.stalled() && decision.plan.is_empty())
                .unwrap_or(withheld);
        }
        if let Some(error) = failure {
            // One refused write does not hide what is wrong with the other subjects.
            return Readiness::of_error(error).and(found.as_ref());
        }
        if found.as_ref().is_none_or(|found| found.reason.ready()) && !decision.plan.is_empty() {
            return Readiness::new(Reason::Reconciling, "some of the changes are still to be made");
        }
        act::settled(&*self.object, link, decision, self.ctx.is_contested(&self.reference))
    }

    /// A status that time alone can change is checked again. All others wait for an event.
    fn next(&self, ready: &Readiness, unsettled: Option<Instant>) -> Next {
        let until = |at: Instant| Next::After(at.saturating_duration_since(Instant::now()));
        if let Some(at) = unsettled {
            return until(at);
        }
        match ready.reason {
            Reason::Contested => {
                self.ctx.corrections.next_correction(&self.reference).map_or(Next::AwaitChange, until)
            }
            Reason::Reconciling => Next::After(Duration::from_secs(1)),
            // No event says that all objects of the account are ready.
            Reason::DependencyNotReady if !K::MANAGES => Next::After(Duration::from_secs(30)),
            Reason::BackendError => {
                let (first, max) = (Duration::from_secs(1), Duration::from_secs(300));
                Next::After(self.ctx.back_off.next(&self.reference, first, max))
            }
            _ => Next::Done,
        }
    }

    /// Changes the condition `Ready` and nothing else.
    pub(super) async fn report_unchanged(&mut self, ready: &Readiness) -> Result<(), WriteError> {
        let object = self.object.clone();
        let held: Vec<Held> = object.held().iter().filter_map(held_from_status).collect();
        let content = StatusContent {
            ready,
            unverified: false,
            held: &held,
            plan: object.status().and_then(|status| status.plan.as_deref().cloned()),
            subjects: object.subjects().to_vec(),
            names: object.names(),
            serial: self.serial(),
            approval: self.approval_record(None),
            validity: object.validity(Timestamp::now()),
            guarded: object.status().and_then(|status| status.guarded.as_deref().cloned()),
            ends: None,
            is_read: false,
        };
        self.write(content).await
    }

    async fn write(&mut self, content: StatusContent<'_>) -> Result<(), WriteError> {
        let Some(status) = act::status(&*self.object, content, Timestamp::now()) else { return Ok(()) };
        let before = self.object.clone();
        let cache = K::cache(&self.ctx.caches);
        self.object = Arc::new(
            writes::status_after_work(&self.ctx.client, cache, &*self.object, &STATUS_FIELDS, status).await?,
        );
        let (before, after) = (conditions(&*before), conditions(&*self.object));
        publish_condition(&self.ctx.events, self.object.object_ref(&()), &self.reference, before, after);
        let expiring = |all: &[Condition]| all.iter().find(|one| one.type_ == EXPIRING).cloned();
        if let Some(expiring) = expiring(after).filter(|_| expiring(before).is_none()) {
            self.ctx.events.publish(
                self.object.object_ref(&()),
                Severity::Warning,
                EXPIRING,
                &expiring.message,
            );
        }
        Ok(())
    }

    pub(super) fn uid(&self) -> String {
        self.object.uid().unwrap_or_default()
    }

    /// How many plans of this object were executed.
    pub(super) fn serial(&self) -> i64 {
        self.object.status().and_then(|status| status.serial).unwrap_or_default()
    }
}

fn conditions<K: ManagedObject>(object: &K) -> &[Condition] {
    object.status().map_or(&[], |status| &status.conditions)
}
