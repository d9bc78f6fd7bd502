//! The plan stage: a decision on a snapshot that covers what the object needs, and reads of what the decision still lacks.

use std::{
    ops::ControlFlow::{Break, Continue},
    time::Duration,
};

use rolewright_api::Reason;
use rolewright_backends::{Class, Error, Needs};
use rolewright_core::model::{Id, Kind, Snapshot};
use rolewright_core::planner::Held;
use rolewright_reconcile::{
    account::{Access, AccountView, Link, Withheld},
    act::Outcome,
    convert::held_to_status,
    decide::{self, Decision, Lookup, Resolve},
};
use tokio::time::Instant;

use super::{Exit, MAX_ROUNDS, Next, Reconcile, Stage, end, end_with};
use crate::kube::Cached;

/// A snapshot older than this is read again when many names are missing from it. Otherwise each name is looked up.
const MAX_AGE_FOR_MISSING_NAMES: Duration = Duration::from_secs(10);
/// The most names that are looked up one by one.
const MAX_LOOKUPS: usize = 5;

impl<K: Resolve + Cached> Reconcile<'_, K> {
    /// Resolves and plans, and reads what is missing for that.
    pub(super) async fn plan(&mut self, link: &Link) -> Stage<Decision> {
        let decision = self.decide_with_details(link).await?;
        if let Some(settled) = decision.settled(Instant::now()) {
            self.require_snapshot(link, Some(settled)).await?;
            return Break(Exit::Replan);
        }
        for object in &decision.touched {
            self.ctx.queue.add(object.clone());
        }
        Continue(decision)
    }

    /// Plans again after writes, on the snapshot that the writes brought up to date.
    pub(super) async fn plan_again(
        &mut self,
        link: &Link,
        before: Decision,
        outcome: &Outcome,
    ) -> Stage<Decision> {
        if outcome.moved() {
            self.record_outcome(&outcome.held).await?;
            return Break(Exit::Replan);
        }
        let after = self.decide_with_held(link, &outcome.held).unwrap_or(before);
        if outcome.failure().is_none() && !after.plan.absent().is_empty() {
            // Something vanished meanwhile: it is read once more before its record is dropped.
            self.record_outcome(&outcome.held).await?;
            return Break(Exit::Replan);
        }
        Continue(after)
    }

    /// Ends the reconcile unless the snapshot covers what the object needs, and its read began at `since` or later. The reader enqueues the
    /// object again.
    pub(super) async fn require_snapshot(&mut self, link: &Link, since: Option<Instant>) -> Stage<()> {
        match link.view.access(&self.reference, &decide::needs(&*self.object, link), since) {
            Access::Served => Continue(()),
            Access::Parked => end(Next::AwaitChange),
            Access::Withheld(Withheld::Suspect(_)) if self.backend.is_of_cluster() => {
                let (title, reason) = (self.object.backend_title(), Reason::Vanished.as_str());
                let why = format!("{title} does not trust what it read ({reason}): ask its owner");
                end_with(self.wait_for_backend(&why).await)
            }
            Access::Withheld(Withheld::Suspect(why)) => end_with(self.wait_for_backend(&why).await),
            Access::Withheld(Withheld::Failed(error)) => {
                self.report_failed_read(&error).await?;
                end(Next::AwaitChange)
            }
        }
    }

    /// Decides, and reads what the decision depends on: things that the snapshot shows only in outline, and a role that it lacks.
    async fn decide_with_details(&mut self, link: &Link) -> Stage<Decision> {
        for _ in 0..MAX_ROUNDS {
            let decision = self.decide_with_names(link).await?;
            let mut reads = decision.plan.to_read().to_vec();
            if !decision.plan.is_empty() || decision.adoptions().next().is_some() {
                let resolved = &decision.resolved;
                let roles = resolved.unseen_role.iter().chain(&resolved.unjudged_role);
                reads.extend(roles.map(|role| (Kind::Role, role.clone())));
            }
            if reads.is_empty() {
                return Continue(decision);
            }
            if let Err(error) = read_whole(&link.view, &reads).await {
                return self.read_failed(&error).await;
            }
        }
        end(self.retry_soon())
    }

    /// Decides, and looks up the names that the snapshot lacks.
    async fn decide_with_names(&mut self, link: &Link) -> Stage<Decision> {
        self.require_snapshot(link, None).await?;
        let Some(decision) = self.decide(&*self.object, link) else {
            return end(Next::After(Duration::from_millis(200)));
        };
        match self.look_up(link, &decision).await? {
            true => Continue(self.decide(&*self.object, link).unwrap_or(decision)),
            false => Continue(decision),
        }
    }

    /// Looks up the names that a decision lacks. True if that changes the decision.
    async fn look_up(&mut self, link: &Link, decision: &Decision) -> Stage<bool> {
        let missing = &decision.resolved.lookups;
        if missing.len() > MAX_LOOKUPS {
            let is_unread = |lookup: &Lookup| {
                let unread = |snapshot: &Snapshot| snapshot.unread_names(lookup.level).is_some();
                link.view.with_snapshot(&Needs::default(), unread).unwrap_or_default()
            };
            // The reader tries a list that failed again, not each object.
            let is_old = link.view.age().is_some_and(|age| age > MAX_AGE_FOR_MISSING_NAMES)
                && !missing.iter().any(is_unread);
            if is_old {
                self.require_snapshot(link, Instant::now().checked_sub(MAX_AGE_FOR_MISSING_NAMES)).await?;
            }
            return Continue(is_old);
        }
        let mut found = false;
        for lookup in missing {
            match link.view.backend.look_up(lookup.level, &lookup.name, lookup.parent.as_ref()).await {
                Ok(entries) => {
                    found |= !entries.is_empty();
                    entries.into_iter().for_each(|entry| link.view.learn(entry));
                }
                // A name that the credential cannot look up is not found. The message reports the refusal.
                Err(error) if error.class == Class::Denied => {
                    link.view.refuse_names(lookup.level, &error.message);
                }
                Err(error) if matches!(error.class, Class::Missing | Class::Unsupported | Class::Invalid) => {
                }
                // It is unknown whether this name exists. The others are used.
                Err(error) if matches!(error.class, Class::Lost | Class::Transient) => {
                    link.view.fail_name(lookup.level, &lookup.name, &error);
                    found = true;
                }
                Err(error) => return self.read_failed(&error).await,
            }
        }
        Continue(found)
    }

    pub(super) fn decide(&self, object: &K, link: &Link) -> Option<Decision> {
        self.ctx.decide(object, link)
    }

    fn decide_with_held(&self, link: &Link, held: &[Held]) -> Option<Decision> {
        let mut object = (*self.object).clone();
        object.set_held(held.iter().map(held_to_status).collect());
        self.decide(&object, link)
    }
}

/// Reads external things whole into the snapshot. A thing that cannot be read is recorded there.
///
/// # Errors
/// Why none of them can be read.
async fn read_whole(view: &AccountView, things: &[(Kind, Id)]) -> Result<(), Error> {
    for (kind, id) in things {
        match view.backend.read(*kind, id).await {
            Ok(Some(seen)) => view.put(seen),
            Ok(None) => view.miss(*kind, id),
            Err(error) => view.fail(*kind, id, error)?,
        }
    }
    Ok(())
}
