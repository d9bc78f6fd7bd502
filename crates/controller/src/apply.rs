//! Carries a plan out. The only place that writes to a back end: every write is a change of a plan, and each is looked at once more
//! right before it overwrites or removes anything.

use futures::{StreamExt, stream};

use super::{
    changes,
    managed::Managed,
    outcome::{Cause, End, Moved, Outcome},
    tenants::Session,
};
use rolewright_backends::{Class, Error};
use rolewright_core::model::{Body, Change, Id, Key, Observed, Verb};
use rolewright_core::planner::{Claimant, Held, HeldState, OtherClaims, Plan, Step};

/// How many steps are under way at one time. The tenant's budget may allow fewer.
const AT_ONCE: usize = 4;

/// Looks once more, by its id, for each held thing that a plan takes to be gone: a list that left something out must not make a second
/// one, nor cost the object what it has recorded. True when any is there; the view shows it again then.
///
/// # Errors
/// Whatever kept one from being looked at.
pub async fn find_left_out(session: &Session, plan: &Plan) -> Result<bool, Error> {
    let looked: Vec<Result<Option<Observed>, Error>> = stream::iter(plan.absent().to_vec())
        .map(|(kind, id)| async move { session.backend.read(kind, &id).await })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut found = false;
    for seen in looked {
        if let Some(seen) = seen? {
            session.put(seen);
            found = true;
        }
    }
    Ok(found)
}

/// Carries a plan out: creates, then updates, then removals.
pub async fn carry_out<K: Managed>(session: &Session, plan: &Plan, object: &K, hash: &str) -> Outcome {
    let (item, claimant) = (object.item(), object.claimant());
    let cause = Cause { item: &item, generation: object.meta().generation.unwrap_or_default(), hash };
    let steps = plan.steps();
    let mut ends: Vec<End> = steps.iter().map(|_| End::Skipped).collect();
    for verb in [Verb::Create, Verb::Update, Verb::Delete] {
        let able = |index: &usize| {
            let step = &steps[*index];
            step.change.verb() == verb && step.after.is_none_or(|after| matches!(ends[after], End::Done(_)))
        };
        let round: Vec<usize> = (0..steps.len()).filter(able).collect();
        let done: Vec<(usize, End)> = stream::iter(round)
            .map(|index| {
                let (cause, claimant) = (&cause, &claimant);
                async move {
                    let step = &steps[index];
                    let end = take(session, step, plan.held_of(step), claimant).await;
                    changes::log(&session.tenant.id, cause, step, &end);
                    (index, end)
                }
            })
            .buffer_unordered(AT_ONCE)
            .collect()
            .await;
        for (index, end) in done {
            ends[index] = end;
        }
    }
    let held = held_after(plan, &ends);
    let named = steps.iter().zip(&ends).filter_map(|(step, end)| match end {
        End::Failed(error) => Some((plan.held_of(step).name.clone()?, error.clone())),
        _ => None,
    });
    Outcome { held, named: named.collect(), ends }
}

async fn take(session: &Session, step: &Step, held: &Held, claimant: &Claimant) -> End {
    // Another object may have asked for what goes since the plan was made.
    let wanted_by_none = |id: &Id| {
        let claims = session.tenant.claims.lock();
        claims.other_claims(claimant, held.kind, &held.key, Some(id)) == OtherClaims::None
    };
    match &step.change {
        Change::Create { after, .. } => create(session, step, after, &held.key).await,
        Change::Update { id, before, after, .. } => {
            let stands = || !step.releases || wanted_by_none(id);
            update(session, &step.change, id, before, after, stands, is_first_closing(step)).await
        }
        Change::Delete { id, before, .. } => {
            delete(session, &step.change, id, before, || wanted_by_none(id)).await
        }
    }
}

/// Whether a step closes a resource for an object that has not tried to before: what it takes has to be just what was recorded.
fn is_first_closing(step: &Step) -> bool {
    step.change.before().is_some_and(Body::is_open) && !step.resumed && !step.releases
}

async fn create(session: &Session, step: &Step, after: &Body, key: &Key) -> End {
    let backend = &*session.backend;
    if !backend.dialect().refuses_duplicates(after.kind()) {
        match backend.find(after).await {
            Ok(None) => {}
            Ok(Some(seen)) => return there_already(session, step, seen),
            Err(error) => return End::Failed(error),
        }
    }
    match backend.write(&step.change).await {
        Ok(Some(made)) => done(session, made),
        Ok(None) => lost_create(session, after, key).await,
        Err(error) => match error.class {
            Class::Lost => lost_create(session, after, key).await,
            Class::Conflict => match backend.find(after).await {
                Ok(Some(seen)) => there_already(session, step, seen),
                Ok(None) => End::Failed(Error::new(
                    Class::Conflict,
                    format!(
                        "the back end says that there is one already ({}), and the key cannot see it: \
                         give the key the right to read it, or remove it by hand",
                        error.message
                    ),
                )),
                Err(error) => End::Failed(error),
            },
            _ => End::Failed(error),
        },
    }
}

/// What is to be made is there: by an earlier try, or somebody else made it.
fn there_already(session: &Session, step: &Step, seen: Observed) -> End {
    session.put(seen);
    End::Moved(if step.resumed { Moved::Changed } else { Moved::Foreign })
}

/// An answer that was lost is resolved by looking, never by asking again.
async fn lost_create(session: &Session, after: &Body, key: &Key) -> End {
    // What was read before cannot prove that it is not there.
    session.distrust();
    let why = match session.backend.find(after).await {
        Ok(Some(seen)) if seen.body.satisfies(after) => return done(session, seen),
        Ok(Some(seen)) => return moved(session, seen),
        Ok(None) => {
            "the answer to a create was lost, and what it was to make is not to be seen yet".to_owned()
        }
        Err(error) => error.message,
    };
    session.tenant.creates.lose(after.kind(), key);
    End::Failed(Error::new(Class::Lost, why))
}

async fn update(
    session: &Session,
    change: &Change,
    id: &Id,
    before: &Body,
    after: &Body,
    stands: impl Fn() -> bool,
    first: bool,
) -> End {
    let backend = &*session.backend;
    match backend.read(before.kind(), id).await {
        Ok(Some(seen)) if first && seen.body != *before => {
            session.put(seen);
            return End::Moved(Moved::Foreign);
        }
        Ok(Some(seen)) if seen.body == *after => return done(session, seen),
        Ok(Some(seen)) if seen.body != *before || !stands() => return moved(session, seen),
        Ok(Some(_)) => {}
        Ok(None) => return vanished(session),
        Err(error) => return End::Failed(error),
    }
    match backend.write(change).await {
        Ok(Some(now)) => done(session, now),
        Ok(None) => vanished(session),
        Err(error) if error.class == Class::Lost => match backend.read(after.kind(), id).await {
            Ok(Some(seen)) if seen.body == *after => done(session, seen),
            Ok(Some(seen)) => {
                session.put(seen);
                End::Failed(error)
            }
            _ => End::Failed(error),
        },
        Err(error) if error.class == Class::Missing => match backend.read(after.kind(), id).await {
            Ok(Some(_)) => End::Failed(Error::new(Class::Denied, error.message)),
            _ => vanished(session),
        },
        Err(error) => End::Failed(error),
    }
}

async fn delete(
    session: &Session,
    change: &Change,
    id: &Id,
    before: &Body,
    wanted_by_none: impl Fn() -> bool,
) -> End {
    let backend = &*session.backend;
    match backend.read(before.kind(), id).await {
        Ok(Some(seen)) if seen.body != *before || !wanted_by_none() => return moved(session, seen),
        Ok(Some(_)) => {}
        Ok(None) => return vanished(session),
        Err(error) => return End::Failed(error),
    }
    match backend.write(change).await {
        Ok(_) => {
            session.remove(before.kind(), id);
            End::Done(None)
        }
        Err(error) if matches!(error.class, Class::Missing | Class::Lost) => {
            match backend.read(before.kind(), id).await {
                Ok(Some(_)) if error.class == Class::Missing => {
                    End::Failed(Error::new(Class::Denied, error.message))
                }
                Ok(None) if error.class == Class::Lost => {
                    session.distrust();
                    End::Moved(Moved::Removed)
                }
                Ok(None) => vanished(session),
                Ok(Some(_)) | Err(_) => End::Failed(error),
            }
        }
        Err(error) => End::Failed(error),
    }
}

fn done(session: &Session, observed: Observed) -> End {
    session.put(observed.clone());
    End::Done(Some(observed))
}

fn moved(session: &Session, observed: Observed) -> End {
    session.put(observed);
    End::Moved(Moved::Changed)
}

/// Not seen any more: gone or hidden. Only a new snapshot, with its proofs, can tell.
fn vanished(session: &Session) -> End {
    session.distrust();
    End::Moved(Moved::Changed)
}

/// What the object manages after the steps. A thing that may have been created stays pending.
fn held_after(plan: &Plan, ends: &[End]) -> Vec<Held> {
    plan.held_after(|index, step, held| match (&step.change, &ends[index]) {
        (Change::Delete { .. }, End::Done(_)) | (_, End::Moved(Moved::Foreign)) => None,
        (_, End::Done(_)) if step.releases => None,
        (Change::Create { after, .. } | Change::Update { after, .. }, End::Done(Some(now))) => {
            // Without this filter, the recorded mark would hide that the thing differs from the spec.
            let revision = now.revision.clone().filter(|_| now.body.satisfies(after));
            let state = HeldState::Present { id: now.id.clone(), revision };
            Some(Held { state, key: now.key.clone(), fingerprint: step.fingerprint.clone(), ..held })
        }
        // The outcome of a later attempt does not show the outcome of an earlier one.
        (Change::Create { .. }, End::Failed(error)) if error.class != Class::Lost && !step.resumed => {
            Some(refused(held))
        }
        // The resource was never closed, so the recorded defaults must not be restored.
        (Change::Update { before: Body::Restriction(before), .. }, End::Failed(error))
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
