//! Executes a plan. The only place that writes to a back end: every write is a change of a plan, and each change that overwrites or
//! deletes reads the live thing right before.

use std::sync::atomic::{AtomicBool, Ordering};

use futures::{StreamExt, stream};

use super::{
    change_log,
    outcome::{Moved, Outcome, PlanOwner, StepResult},
    refused_role::explained,
};
use crate::{account::AccountView, decide::is_taken_over, object::ManagedObject};
use rolewright_api::ApprovalRecord;
use rolewright_backends::{Class, Error, Needs};
use rolewright_core::model::{Absence, Body, Change, Id, Key, Kind, Observed, Snapshot, Verb};
use rolewright_core::planner::{Claimant, Held, HeldState, OtherClaims, Plan, Step};

/// The most steps under way at one time. The budget of the account can allow fewer.
const MAX_CONCURRENT_STEPS: usize = 4;

/// Reads each managed thing once more by id that the plan takes for deleted: a list that left something out must not lead to a second
/// one, nor to a lost record. False when one exists; the snapshot shows it again then.
///
/// # Errors
/// Why none of them can be read. A failure that concerns one of them is recorded in the snapshot.
pub async fn confirm_absences(view: &AccountView, plan: &Plan) -> Result<bool, Error> {
    let looked: Vec<(Kind, Id, Result<Option<Observed>, Error>)> = stream::iter(plan.absent().to_vec())
        .map(|(kind, id)| async move {
            let seen = view.backend.read(kind, &id).await;
            (kind, id, seen)
        })
        .buffer_unordered(MAX_CONCURRENT_STEPS)
        .collect()
        .await;
    let mut confirmed = true;
    for (kind, id, seen) in looked {
        match seen {
            Ok(None) => continue,
            Ok(Some(seen)) => view.put(seen),
            Err(error) => view.fail(kind, &id, error)?,
        }
        confirmed = false;
    }
    Ok(confirmed)
}

/// Executes a plan: creates, then updates, then deletions. A failure that every other step has too ends it.
///
/// `approval`: the one that covers steps of the plan.
pub async fn apply<K: ManagedObject>(
    view: &AccountView,
    plan: &Plan,
    object: &K,
    hash: &str,
    approval: Option<&ApprovalRecord>,
) -> Outcome {
    let (reference, claimant) = (object.reference(), object.claimant());
    let generation = object.meta().generation.unwrap_or_default();
    let owner = PlanOwner { object: &reference, generation, hash, approval };
    let steps = plan.steps();
    let mut results: Vec<StepResult> = steps.iter().map(|_| StepResult::Skipped).collect();
    let stopped = &AtomicBool::new(false);
    for verb in [Verb::Create, Verb::Update, Verb::Delete] {
        let able = |index: &usize| {
            let step = &steps[*index];
            step.change.verb() == verb && step.after.is_none_or(|after| results[after].is_done())
        };
        let round: Vec<usize> = (0..steps.len()).filter(able).collect();
        let done: Vec<(usize, StepResult)> = stream::iter(round)
            .map(|index| {
                let (owner, claimant) = (&owner, &claimant);
                async move {
                    let step = &steps[index];
                    if stopped.load(Ordering::Relaxed) {
                        return (index, StepResult::Skipped);
                    }
                    let adopts = plan.adopts();
                    let result =
                        match execute(view, step, plan.held_of(step), claimant, (adopts, K::MANAGES)).await {
                            StepResult::Failed(error) => {
                                StepResult::Failed(explained(view, &step.change, object.rules(), error).await)
                            }
                            result => result,
                        };
                    if result.stops_the_plan() {
                        stopped.store(true, Ordering::Relaxed);
                    }
                    change_log::log(view.account.id.as_str(), owner, step, &result);
                    (index, result)
                }
            })
            .buffer_unordered(MAX_CONCURRENT_STEPS)
            .collect()
            .await;
        for (index, result) in done {
            results[index] = result;
        }
    }
    let held = held_after(plan, &results);
    let named = steps.iter().zip(&results).filter_map(|(step, result)| match result {
        StepResult::Failed(error) => Some((plan.held_of(step).name.clone()?, error.clone())),
        _ => None,
    });
    Outcome { held, plan_hash: hash.to_owned(), named: named.collect(), results }
}

/// `adopts`: the object can adopt what exists already. `manages`: it manages what it removes.
async fn execute(
    view: &AccountView,
    step: &Step,
    held: &Held,
    claimant: &Claimant,
    (adopts, manages): (bool, bool),
) -> StepResult {
    if let Some(why) = view.suspicion() {
        return StepResult::Failed(Error::new(Class::Transient, why));
    }
    // Another object can have registered a claim since the plan was made.
    let is_unclaimed = |id: &Id| {
        let claims = view.account.claims.lock();
        // What is only taken over to be removed must not be removed for anybody who wants it.
        if !manages || is_taken_over(held) {
            return !claims.is_claimed_by_others(claimant, held.kind, &held.key, id);
        }
        claims.other_claims(claimant, held.kind, &held.key, Some(id)) == OtherClaims::None
    };
    match &step.change {
        Change::Create { after, .. } => create(view, step, after, &held.key, adopts).await,
        Change::Update { id, before, after, .. } => {
            let stands = || !step.releases || is_unclaimed(id);
            update(view, &step.change, id, before, after, stands, (is_first_closing(step), step.resumed))
                .await
        }
        Change::Delete { id, before, .. } => {
            delete(view, &step.change, id, before, || is_unclaimed(id)).await
        }
    }
}

/// Whether a step closes a resource for the first time: it must take exactly what was recorded.
fn is_first_closing(step: &Step) -> bool {
    step.change.before().is_some_and(Body::is_open) && !step.resumed && !step.releases
}

async fn create(view: &AccountView, step: &Step, after: &Body, key: &Key, adopts: bool) -> StepResult {
    let backend = &*view.backend;
    if must_look_first(view, after.kind(), key, adopts) {
        match backend.find(after).await {
            Ok(None) => {}
            Ok(Some(seen)) => return exists_already(view, step, seen),
            Err(error) => return StepResult::Failed(error),
        }
    }
    match backend.write(&step.change).await {
        Ok(Some(made)) => done(view, made),
        Ok(None) => lost_create(view, after, key).await,
        Err(error) => match error.class {
            Class::Lost => lost_create(view, after, key).await,
            Class::Conflict => match backend.find(after).await {
                Ok(Some(seen)) => exists_already(view, step, seen),
                Ok(None) => StepResult::Failed(Error::new(
                    Class::Conflict,
                    format!(
                        "the back end reports that it exists already ({}), and the credential cannot read it: \
                         give the credential the right to read it, or delete it by hand",
                        error.message
                    ),
                )),
                Err(error) => StepResult::Failed(error),
            },
            _ => StepResult::Failed(error),
        },
    }
}

/// Whether only a look before a create shows that the thing exists: the back end creates a second one, or answers as if it had created it.
fn must_look_first(view: &AccountView, kind: Kind, key: &Key, adopts: bool) -> bool {
    let dialect = view.backend.dialect();
    if !dialect.capabilities().refuses_duplicates(kind) {
        return true;
    }
    // A snapshot that proves its absence can be some minutes old, which matters only to an object that must not adopt it.
    let is_absent = |snapshot: &Snapshot| snapshot.absence(kind, key.place().as_ref()) == Absence::Proven;
    let is_known = || view.with_snapshot(&Needs::default(), is_absent).unwrap_or_default();
    dialect.repeats_creates(kind) && !(adopts && is_known())
}

/// It exists already: an earlier try of this object created it, or others did.
fn exists_already(view: &AccountView, step: &Step, seen: Observed) -> StepResult {
    view.put(seen);
    StepResult::Moved(if step.resumed { Moved::Changed } else { Moved::Foreign })
}

/// A lost answer is settled by reading, never by a second create.
async fn lost_create(view: &AccountView, after: &Body, key: &Key) -> StepResult {
    // An older snapshot cannot prove its absence.
    view.invalidate();
    let why = match view.backend.find(after).await {
        Ok(Some(seen)) if seen.body.satisfies(after) => return done(view, seen),
        Ok(Some(seen)) => return moved(view, seen),
        Ok(None) => "the answer to a create was lost, and its result is not visible yet".to_owned(),
        Err(error) => error.message,
    };
    view.account.unanswered.add(after.kind(), key);
    StepResult::Failed(Error::new(Class::Lost, why))
}

async fn update(
    view: &AccountView,
    change: &Change,
    id: &Id,
    before: &Body,
    after: &Body,
    stands: impl Fn() -> bool,
    (first, resumed): (bool, bool),
) -> StepResult {
    let backend = &*view.backend;
    match backend.read(before.kind(), id).await {
        Ok(Some(seen)) if first && seen.body != *before => {
            view.put(seen);
            return StepResult::Moved(Moved::Foreign);
        }
        Ok(Some(seen)) if seen.body == *after && resumed => return done(view, seen),
        Ok(Some(seen)) if seen.body == *after => {
            view.put(seen.clone());
            return StepResult::Unchanged(seen);
        }
        Ok(Some(seen)) if seen.body != *before || !stands() => return moved(view, seen),
        Ok(Some(_)) => {}
        Ok(None) => return vanished(view),
        Err(error) => return StepResult::Failed(error),
    }
    match backend.write(change).await {
        Ok(Some(now)) => done(view, now),
        Ok(None) => vanished(view),
        Err(error) if error.class == Class::Lost => match backend.read(after.kind(), id).await {
            Ok(Some(seen)) if seen.body == *after => done(view, seen),
            Ok(Some(seen)) => {
                view.put(seen);
                StepResult::Failed(error)
            }
            _ => StepResult::Failed(error),
        },
        Err(error) if error.class == Class::Missing => match backend.read(after.kind(), id).await {
            Ok(Some(_)) => StepResult::Failed(Error::new(Class::Denied, error.message)),
            _ => vanished(view),
        },
        Err(error) => {
            // A part of it can have been changed, such as all members of a group but the refused one.
            if after.kind() == Kind::Group
                && let Ok(Some(seen)) = backend.read(Kind::Group, id).await
            {
                view.put(seen);
            }
            StepResult::Failed(error)
        }
    }
}

async fn delete(
    view: &AccountView,
    change: &Change,
    id: &Id,
    before: &Body,
    is_unclaimed: impl Fn() -> bool,
) -> StepResult {
    let backend = &*view.backend;
    match backend.read(before.kind(), id).await {
        Ok(Some(seen)) if seen.body != *before || !is_unclaimed() => return moved(view, seen),
        Ok(Some(_)) => {}
        Ok(None) => return vanished(view),
        Err(error) => return StepResult::Failed(error),
    }
    match backend.write(change).await {
        Ok(_) => {
            view.remove(before.kind(), id);
            StepResult::Done(None)
        }
        Err(error) if matches!(error.class, Class::Missing | Class::Lost) => {
            match backend.read(before.kind(), id).await {
                Ok(Some(_)) if error.class == Class::Missing => {
                    StepResult::Failed(Error::new(Class::Denied, error.message))
                }
                Ok(None) if error.class == Class::Lost => {
                    view.invalidate();
                    StepResult::Moved(Moved::Removed)
                }
                Ok(None) => vanished(view),
                Ok(Some(_)) | Err(_) => StepResult::Failed(error),
            }
        }
        Err(error) => StepResult::Failed(error),
    }
}

fn done(view: &AccountView, observed: Observed) -> StepResult {
    view.put(observed.clone());
    StepResult::Done(Some(observed))
}

fn moved(view: &AccountView, observed: Observed) -> StepResult {
    view.put(observed);
    StepResult::Moved(Moved::Changed)
}

/// Not visible any more: deleted or hidden. Only a new snapshot with its proofs can tell which.
fn vanished(view: &AccountView) -> StepResult {
    view.invalidate();
    StepResult::Moved(Moved::Changed)
}

/// What the object manages after the executed steps. What can have been created stays as an intent.
fn held_after(plan: &Plan, results: &[StepResult]) -> Vec<Held> {
    plan.held_after(|index, step, held| match (&step.change, &results[index]) {
        (Change::Delete { .. }, StepResult::Done(_)) | (_, StepResult::Moved(Moved::Foreign)) => None,
        (_, result) if step.releases && result.is_done() => None,
        (
            Change::Create { after, .. } | Change::Update { after, .. },
            StepResult::Done(Some(now)) | StepResult::Unchanged(now),
        ) => {
            // The mark of a state that differs from the desired one would hide the difference.
            let revision = now.revision.clone().filter(|_| now.body.satisfies(after));
            let state = HeldState::Present { id: now.id.clone(), revision };
            Some(Held { state, key: now.key.clone(), fingerprint: step.fingerprint.clone(), ..held })
        }
        // The result of a later try says nothing about an earlier one.
        (Change::Create { .. }, StepResult::Failed(error)) if error.class != Class::Lost && !step.resumed => {
            Some(refused(held))
        }
        // Never closed, and no earlier try took anything: what is recorded as taken must not be restored.
        (Change::Update { before: Body::Restriction(before), .. }, StepResult::Failed(error))
            if error.class != Class::Lost
                && held.fingerprint != step.fingerprint
                && held.taken.as_ref() == Some(&before.open) =>
        {
            Some(refused(held))
        }
        _ => Some(held),
    })
}

fn refused(held: Held) -> Held {
    let chosen = held.recorded_id().cloned();
    Held { state: HeldState::Refused { chosen }, ..held }
}

#[cfg(test)]
mod tests;
