//! The guard and apply stages: whether the plan is executed now; then the finalizer, the intents, the writes, and their Events.

use std::{
    ops::ControlFlow::{Break, Continue},
    sync::Arc,
    time::Duration,
};

use rolewright_api::{ApprovalRecord, HeldEntry, Reason};
use rolewright_core::{
    model::Verb,
    planner::{Held, Issue},
};
use rolewright_reconcile::{
    account::{BackendState, Link},
    act::{self, Outcome},
    convert::held_to_status,
    decide::{self, Decision, Permit, Resolve},
    object::{ObjectName, has_finalizer},
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{Exit, Next, Reconcile, Stage, end, end_with, report::Handled, written};
use crate::kube::{Cached, writes};

impl<K: Resolve + Cached> Reconcile<'_, K> {
    /// Ends the chain if the plan removes something that objects which changed before this one did not have the time to claim.
    pub(super) fn let_others_claim(&self, link: &Link, decision: &Decision) -> Stage<()> {
        const SOON: Duration = Duration::from_millis(100);
        let gravest = decision.plan.findings().iter().map(|finding| finding.issue).min();
        let waits_for_role = gravest == Some(Issue::Waiting);
        if !waits_for_role || !decision.plan.held().is_empty() {
            self.ctx.arrivals.settle(&self.reference);
        }
        let removes =
            decision.plan.steps().iter().any(|step| step.change.verb() == Verb::Delete || step.releases);
        let is_near = |backend: &ObjectName| match self.ctx.backends.get(backend) {
            Some(BackendState::Ready(other)) => Arc::ptr_eq(&other.view.account, &link.view.account),
            Some(BackendState::NotReady { .. }) => false,
            // It was created a moment ago, too.
            None => true,
        };
        match removes && self.ctx.arrivals.must_wait(&self.reference, is_near) {
            true => end(Next::After(SOON)),
            false => Continue(()),
        }
    }

    /// Ends the chain if the plan is not executed now.
    pub(super) async fn guard(&mut self, link: &Link, decision: &Decision) -> Stage<()> {
        // Before the other guards: a pause stops removals, and here nothing is removed.
        if self.object.is_being_deleted() && written(self.is_crd_being_deleted().await)? {
            return end_with(self.release_all("its custom resource definition is being deleted").await);
        }
        let acts = !decision.plan.is_empty() || !decision.plan.absent().is_empty();
        if let Some(why) = link.view.suspicion().filter(|_| acts) {
            return end_with(self.wait_for_backend(&why).await);
        }
        let next_correction = self.ctx.corrections.next_correction(&self.reference);
        match decide::guard(&*self.object, link, decision, next_correction, Instant::now()) {
            Some(withheld) => {
                let is_planned = withheld.reason == Reason::Planned;
                let next = self.report(link, decision, Handled::Withheld(withheld)).await?;
                if is_planned {
                    self.ignore_approvals().await?;
                }
                end(next)
            }
            None => Continue(()),
        }
    }

    /// Executes the permitted plan of a decision. None: it has no changes.
    pub(super) async fn apply(
        &mut self,
        link: &Link,
        decision: &Decision,
        permit: &Permit,
    ) -> Stage<Option<Outcome>> {
        let plan = &decision.plan;
        if !plan.held().is_empty() {
            self.add_finalizers().await?;
        }
        let hash = plan.hash(link.view.account.id.as_str(), &self.uid(), self.serial());
        // Whatever else adds the object to the queue: for a plan that has just failed nothing has changed.
        let wait = self.ctx.back_off.remaining(&self.reference, &hash);
        if let Some(wait) = wait.filter(|_| !plan.is_empty()) {
            return end(Next::After(wait));
        }
        match act::confirm_absences(&link.view, plan).await {
            Ok(true) => {}
            Ok(false) => return Break(Exit::Replan),
            Err(error) => return self.read_failed(&error).await,
        }
        if plan.is_empty() {
            return Continue(None);
        }
        let reserved = self.reserve_removals(link, permit).await?;
        if let Break(exit) = self.record_intents(decision, permit.approval.as_ref()).await {
            self.refund_removals(link, reserved, permit, None);
            return Break(exit);
        }
        self.report_adoptions(decision);
        let outcome = act::apply(&link.view, plan, &*self.object, &hash, permit.approval.as_ref()).await;
        self.refund_removals(link, reserved, permit, Some(&outcome));
        self.report_changes(decision, &outcome);
        Continue(Some(outcome))
    }

    /// Adds the finalizer to the object and to its Backend, before the object manages anything.
    async fn add_finalizers(&mut self) -> Stage<()> {
        if !K::MANAGES || self.object.has_finalizer() || self.object.is_being_deleted() {
            return Continue(());
        }
        if let Some(backend) = self.ctx.caches.backends.get(&self.backend)
            && !has_finalizer(&*backend)
        {
            // Stale can mean that another object's reconcile added it, or that a status was written: the next reconcile finds out.
            written(writes::add_finalizer(&self.ctx.client, &self.ctx.caches.backends, &*backend).await)?;
        }
        let cache = K::cache(&self.ctx.caches);
        self.object = Arc::new(written(writes::add_finalizer(&self.ctx.client, cache, &*self.object).await)?);
        Continue(())
    }

    /// Records what is about to be created, so that after a crash the result is known to belong to this object; and what is about to be
    /// taken from a resource, because only what is recorded is restored.
    async fn record_intents(&mut self, decision: &Decision, approval: Option<&ApprovalRecord>) -> Stage<()> {
        let creates = decision.plan.steps().iter().any(|step| step.change.verb() == Verb::Create);
        let is_recorded = |held: &Held| {
            let entry = held_to_status(held);
            let same = |known: &HeldEntry| {
                (&known.id, known.state, &known.taken) == (&entry.id, entry.state, &entry.taken)
            };
            self.object.held().iter().any(same)
        };
        let takes = decision.plan.held().iter().any(|held| held.taken.is_some() && !is_recorded(held));
        let names = &decision.resolved.names;
        let adopts = decision.adoptions().next().is_some();
        let mut status = serde_json::Map::new();
        if creates || takes || adopts || decision.plan.held().len() != self.object.held().len() {
            let held = self.changed_held(decision.plan.held());
            if let Some(held) = held {
                status.insert("held".to_owned(), json!(held));
                status.insert("names".to_owned(), if names.is_empty() { Value::Null } else { json!(names) });
            }
        }
        // The approval is spent from here on: it covers what it covered, also after a crash.
        let recorded = self.object.status().and_then(|status| status.approval.as_deref());
        if approval.is_some_and(|approval| recorded != Some(approval)) {
            status.insert("approval".to_owned(), json!(approval));
        }
        if !status.is_empty() {
            let fields: Vec<String> = status.keys().cloned().collect();
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            let cache = K::cache(&self.ctx.caches);
            // On exactly the version that was planned for.
            let done = writes::status(&self.ctx.client, cache, &*self.object, &fields, status.into()).await;
            self.object = Arc::new(written(done)?);
        }
        Continue(())
    }

    /// Records what the object manages after writes.
    pub(super) async fn record_outcome(&mut self, held: &[Held]) -> Stage<()> {
        if let Some(entries) = self.changed_held(held) {
            let (cache, entries) = (K::cache(&self.ctx.caches), json!({ "held": entries }));
            let done =
                writes::status_after_work(&self.ctx.client, cache, &*self.object, &["held"], entries).await;
            self.object = Arc::new(written(done)?);
        }
        Continue(())
    }

    fn changed_held(&self, held: &[Held]) -> Option<Vec<HeldEntry>> {
        let entries: Vec<HeldEntry> = held.iter().map(held_to_status).collect();
        (K::MANAGES && entries != self.object.held()).then_some(entries)
    }
}
