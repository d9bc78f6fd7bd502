//! How much of a plan is executed now, the record of removals before they are made, and what becomes of approvals.

use std::ops::ControlFlow::{Break, Continue};

use k8s_openapi::jiff::Timestamp;
use rolewright_api::{ApprovalRecord, ApprovalState};
use rolewright_backends::Class;
use rolewright_core::{model::Verb, planner::Step};
use rolewright_reconcile::{
    account::{Link, Reserved},
    act::{Moved, Outcome, StepResult},
    decide::{self, Decision, Permit, Resolve, Terms},
};

use super::{Exit, Reconcile, Stage, written};
use crate::{approvals, kube::Cached, removals};

impl<K: Resolve + Cached> Reconcile<'_, K> {
    /// Splits the plan into what is executed now and what waits. `outcome`: that of the plan before it, in this reconcile.
    pub(super) fn permit(&self, link: &Link, decision: &Decision, outcome: Option<&Outcome>) -> Permit {
        let executed = outcome.is_some_and(|outcome| outcome.results.iter().any(StepResult::is_done));
        let permit = self.permit_at(link, decision, self.serial() + i64::from(executed));
        if executed || !permit.plan.is_empty() || !self.is_used(&permit) {
            return permit;
        }
        // A process that crashed executed a part of the approved plan: an approval of that plan is not used twice.
        self.permit_at(link, decision, permit.serial + 1)
    }

    fn permit_at(&self, link: &Link, decision: &Decision, serial: i64) -> Permit {
        let now = Timestamp::now();
        let room = |wanted| link.view.room(&link.guards, wanted, now);
        let approvals = approvals::of_object(self.ctx, &self.reference, &self.backend);
        decide::permit(&*self.object, Terms::of(link), decision, serial, room, &approvals, now)
    }

    /// Whether changes of the approved plan were made since the approval was recorded.
    fn is_used(&self, permit: &Permit) -> bool {
        let known = self.object.status().and_then(|status| status.approval.as_deref());
        let now = self.approval_record(Some(permit));
        known.zip(now).is_some_and(|(known, now)| now.remaining.len() < known.remaining.len())
    }

    /// Counts the removals of the permitted part, before they are made and durably. Plans again if others used up the window meanwhile.
    pub(super) async fn reserve_removals(&self, link: &Link, permit: &Permit) -> Stage<Option<Reserved>> {
        let count = permit.counted.iter().sum();
        if count == 0 {
            return Continue(None);
        }
        let now = Timestamp::now();
        let Some(reserved) = link.view.reserve(&link.guards, &self.backend, count, now) else {
            return Break(Exit::Replan);
        };
        if let Err(error) = removals::record(self.ctx, &link.view.account, &self.backend).await {
            link.view.account.ledger.lock().refund(&self.backend, reserved, count);
            return Break(Exit::Failed(error));
        }
        Continue(Some(reserved))
    }

    /// Removals that were not made do not count. `outcome`: None if nothing was executed.
    pub(super) fn refund_removals(
        &self,
        link: &Link,
        reserved: Option<Reserved>,
        permit: &Permit,
        outcome: Option<&Outcome>,
    ) {
        let Some(reserved) = reserved else { return };
        let is_made = |step: &Step, result: &StepResult| match result {
            StepResult::Done(_) | StepResult::Moved(Moved::Removed) => true,
            // A group can have lost some of its members before one was refused.
            StepResult::Failed(error) => error.class == Class::Lost || step.change.verb() == Verb::Update,
            StepResult::Unchanged(_) | StepResult::Moved(_) | StepResult::Skipped => false,
        };
        let made: usize = outcome.map_or(0, |outcome| {
            let steps = permit.plan.steps().iter().zip(&outcome.results);
            let counted = steps.zip(&permit.counted);
            counted.filter(|((step, result), _)| is_made(step, result)).map(|(_, count)| count).sum()
        });
        link.view.account.ledger.lock().refund(&self.backend, reserved, reserved.count - made);
    }

    /// The last approval, with what it still covers.
    pub(super) fn approval_record(&self, permit: Option<&Permit>) -> Option<ApprovalRecord> {
        let known = self.object.status().and_then(|status| status.approval.as_deref().cloned())?;
        let is_observed = self.object.status().and_then(|status| status.observed_generation)
            == self.object.meta().generation;
        let spent = |known| Some(ApprovalRecord { remaining: Vec::new(), ..known });
        let Some(permit) = permit else { return if is_observed { Some(known) } else { spent(known) } };
        let in_force = permit.approval.clone().filter(|approval| approval.uid == known.uid);
        in_force.or_else(|| spent(known))
    }

    /// Writes what became of approvals of this object.
    pub(super) async fn decide_approvals(&self, permit: Option<&Permit>) -> Stage<()> {
        for (approval, state, message) in permit.into_iter().flat_map(|permit| &permit.decided) {
            written(approvals::decide(self.ctx, approval, *state, message, Vec::new()).await)?;
        }
        Continue(())
    }

    /// In mode Plan nothing is executed, whatever was approved.
    pub(super) async fn ignore_approvals(&self) -> Stage<()> {
        for approval in approvals::of_object(self.ctx, &self.reference, &self.backend) {
            if decide::targets(&approval, &*self.object) && approval.state().is_none() {
                let message = "nothing happens: the mode is Plan, which ignores approvals";
                let state = ApprovalState::Ignored;
                written(approvals::decide(self.ctx, &approval, state, message, Vec::new()).await)?;
            }
        }
        Continue(())
    }
}
