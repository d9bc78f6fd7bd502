//! What an object claims in its account: the things that it manages and those that it desires.

use kube::ResourceExt;
use rolewright_core::{
    model::{Dialect, Id, Key, Kind},
    planner::{self, Claim, Claimant, Claims, Desired, DesiredKeys, Held, Plan},
};

use crate::{
    account::{Account, Link},
    convert::held_from_status,
    object::{ManagedObject, ObjectRef},
};

/// The claim of an object before its plan is known.
pub fn new<K: ManagedObject>(
    object: &K,
    desired: &[Desired],
    held: &[Held],
    dialect: &dyn Dialect,
    can_act: bool,
) -> Claim {
    let active = can_act && !object.is_being_deleted();
    build(object, planner::desired_keys(desired, held, dialect), held, active)
}

fn build<K: ManagedObject>(object: &K, desired: DesiredKeys, held: &[Held], active: bool) -> Claim {
    Claim {
        title: object.title(),
        namespace: object.namespace().unwrap_or_default(),
        desired,
        managed: held.iter().map(|held| (held.kind, held.key.clone(), held.id().cloned())).collect(),
        taken: held.iter().filter_map(|held| Some((held.key.clone(), held.taken.clone()?))).collect(),
        active,
        is_being_deleted: object.is_being_deleted(),
    }
}

/// Narrows a claim to what the plan keeps or creates. What the plan releases belongs to the others from now on: of several objects
/// that release the same thing at once, the last one sees that it is the last.
pub fn narrow(claim: &mut Claim, plan: &Plan) {
    let is_kept = |(kind, key, id): &(Kind, Key, Option<Id>)| {
        let same = |held: &Held| {
            held.kind == *kind && (held.key == *key || (id.is_some() && held.id() == id.as_ref()))
        };
        plan.held().iter().any(same)
    };
    claim.managed.retain(is_kept);
    // No other object can create what this one is about to create. What it is about to adopt counts once that is recorded.
    let intents = plan.held().iter().filter(|held| !held.is_present());
    claim.managed.extend(intents.map(|held| (held.kind, held.key.clone(), None)));
    claim.managed.sort();
    claim.managed.dedup();
}

/// Sets the claim of an object. Returns the claimants whose standing can have changed.
pub fn register<K: ManagedObject>(
    claims: &mut Claims,
    account: &Account,
    object: &K,
    claim: Claim,
) -> Vec<Claimant> {
    let claimant = object.claimant();
    account.objects.lock().insert(claimant.clone(), object.reference());
    claims.set(claimant, claim)
}

/// Registers what an object manages by its status alone: for objects whose own Backend was not reconciled yet.
pub fn register_held<K: ManagedObject>(object: &K, account: &Account) {
    if account.objects.lock().contains_key(&object.claimant()) {
        return;
    }
    let held: Vec<Held> = object.held().iter().filter_map(held_from_status).collect();
    let claim = build(object, DesiredKeys::default(), &held, false);
    register(&mut account.claims.lock(), account, object, claim);
}

/// Removes the claims of a deleted object. Returns the objects whose standing can have changed.
pub fn forget<K: ManagedObject>(object: &K, link: &Link) -> Vec<ObjectRef> {
    let account = &link.view.account;
    let claimant = object.claimant();
    let touched = account.claims.lock().remove(&claimant);
    account.objects.lock().remove(&claimant);
    account.objects_of(&touched)
}
