//! What an object claims in its account: the things that it manages and those that it desires.

use std::collections::BTreeSet;

use rolewright_core::{
    model::{Body, Dialect, Id, Key, Kind, Reach, Snapshot},
    planner::{self, Claim, Desired, DesiredBody, DesiredKeys, Held, Plan, Standing},
};

use crate::{
    account::{Account, AccountView},
    convert::held_from_status,
    object::ManagedObject,
};

/// The claim of an object before its plan is known. `snapshot`: what the view shows.
pub fn new<K: ManagedObject>(
    object: &K,
    desired: &[Desired],
    held: &[Held],
    view: &AccountView,
    snapshot: &Snapshot,
    can_act: bool,
) -> Claim {
    let dialect = view.backend.dialect();
    let reach = reach(desired, dialect);
    let desired = planner::desired_keys(desired, held, dialect, snapshot);
    Claim {
        reach,
        credential: Some(view.digest.clone()),
        active: can_act && !object.is_being_deleted(),
        ..build(object, desired, held)
    }
}

/// What the desired role gives access to. Nothing for a role that names so many resources that an index of them would need megabytes.
fn reach(desired: &[Desired], dialect: &dyn Dialect) -> Box<[Reach]> {
    const MAX_REACH: usize = 256;
    let roles = desired.iter().filter_map(|item| match &item.body {
        DesiredBody::Resolved(Body::Role(role)) => Some(role),
        _ => None,
    });
    let mut reach = BTreeSet::new();
    for rule in roles.flat_map(|role| &role.rules) {
        reach.extend(dialect.reach(rule));
        if reach.len() > MAX_REACH {
            return Box::default();
        }
    }
    reach.into_iter().collect()
}

/// The claim of an object that cannot act.
fn build<K: ManagedObject>(object: &K, desired: DesiredKeys, held: &[Held]) -> Claim {
    // What the back end refused to create is not managed.
    let managed = held.iter().filter(|held| !held.is_refused());
    let reference = object.reference();
    Claim {
        backend: object.backend(),
        object: reference,
        credential: None,
        desired,
        managed: managed.map(|held| (held.kind, held.key.clone(), held.id().cloned())).collect(),
        reach: Box::default(),
        taken: held.iter().filter_map(|held| Some((held.key.clone(), held.taken.clone()?))).collect(),
        active: false,
        is_being_deleted: object.is_being_deleted(),
        is_requested: false,
        complete: None,
    }
}

/// Narrows a claim to what the plan keeps or creates. What the plan releases belongs to the others from now on: of several objects
/// that release the same thing at once, the last one sees that it is the last. What the object could have and its plan does not take,
/// such as a role that it must not adopt, it keeps from nobody.
pub fn narrow(claim: &mut Claim, plan: &Plan, desired: &[Desired], recorded: &[Held], dialect: &dyn Dialect) {
    let is_kept = |(kind, key, id): &(Kind, Key, Option<Id>)| {
        let same = |held: &Held| {
            held.kind == *kind && (held.key == *key || (id.is_some() && held.id() == id.as_ref()))
        };
        plan.held().iter().any(same)
    };
    claim.managed.retain(is_kept);
    // No other object can create what this one is about to create. What it is about to adopt counts once that is recorded. The next try
    // of a refused create stops nobody: it will most likely be refused again.
    let was_refused = |intent: &Held| {
        let same = |held: &Held| held.is_refused() && held.kind == intent.kind && held.key == intent.key;
        recorded.iter().any(same)
    };
    let intents = plan.held().iter().filter(|held| !held.is_present() && !was_refused(held));
    claim.managed.extend(intents.map(|held| (held.kind, held.key.clone(), None)));
    claim.managed.sort();
    claim.managed.dedup();
    if !plan.to_read().is_empty() {
        // The plan is made again after these reads.
        return;
    }
    for item in desired.iter().filter(|item| matches!(item.standing, Standing::Free | Standing::NextOwner)) {
        let DesiredBody::Resolved(body) = &item.body else { continue };
        let slot = (body.kind(), dialect.key(body));
        let is_taken = |held: &Held| held.kind == slot.0 && (held.key == slot.1 || held.kind == Kind::Role);
        if !plan.held().iter().any(is_taken) {
            claim.desired.refuse(&slot);
        }
    }
}

/// Registers what an object manages by its status alone: for objects whose own Backend was not reconciled yet.
pub fn register_held<K: ManagedObject>(object: &K, account: &Account, is_requested: bool) {
    let mut claims = account.claims.lock();
    if claims.get(&object.claimant()).is_some() {
        return;
    }
    let held: Vec<Held> = object.held().iter().filter_map(held_from_status).collect();
    // What its spec desires is not known. Most likely it is what was last applied.
    let desired = match object.is_being_deleted() {
        true => DesiredKeys::default(),
        false => planner::recorded_keys(&held),
    };
    claims.set(object.claimant(), Claim { is_requested, ..build(object, desired, &held) });
}

#[cfg(test)]
mod tests {
    use rolewright_backends::grafana::VENDOR;
    use rolewright_core::model::{Effect, Role, Rule};

    use super::*;

    fn reach_of(folders: usize) -> usize {
        let rule = |number: usize| Rule {
            effect: Effect::Allow,
            action: "folders:read".to_owned(),
            resource: Some(format!("folders:uid:{number}")),
        };
        let role = Role {
            name: "long".to_owned(),
            display_name: None,
            description: None,
            rules: (0..folders).map(rule).collect(),
            settings: Default::default(),
            unreadable: false,
        };
        reach(&[Desired::new(None, Body::Role(role))], VENDOR.dialect).len()
    }

    #[test]
    fn role_that_names_very_many_resources_is_not_indexed() {
        assert_eq!(reach_of(256), 256);
        assert_eq!(reach_of(257), 0);
    }
}
