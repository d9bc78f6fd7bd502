//! Managed things that stay although no desired item matches them. A name in the spec that cannot be resolved, or that now refers to
//! another account, removes nothing. A name that the spec no longer has is removed, whatever the other names are.

use std::collections::{HashMap, HashSet};

use super::{
    candidates::candidates,
    claims::{DesiredKeys, DesiredThing},
    input::{Desired, DesiredBody, Held},
};
use crate::model::{Body, IdentityRules, Snapshot};

/// The managed things that stay.
pub(super) struct Retained {
    /// For each managed thing, whether it stays.
    pub entries: Vec<bool>,
    /// Names of subjects that now refer to another account than the managed grant, with the id of the account of that grant.
    pub reassigned: HashMap<String, String>,
}

/// Determines which managed things stay: those under a name that is in the spec and cannot be resolved. A thing without a name, such as
/// a role or a group, stays while no item is resolved.
pub(super) fn retained(desired: &[Desired], held: &[Held]) -> Retained {
    let mut unresolved: HashSet<&str> = HashSet::new();
    let mut subjects: HashMap<&str, HashSet<&str>> = HashMap::new();
    let mut all = false;
    for item in desired {
        match (&item.body, item.name.as_deref()) {
            (DesiredBody::Unresolved(_), None) => all = true,
            (DesiredBody::Unresolved(_), Some(name)) => {
                unresolved.insert(name);
            }
            (DesiredBody::AllUnresolved(_, names), _) => unresolved.extend(names.iter().map(String::as_str)),
            (DesiredBody::Resolved(Body::Grant(grant)), Some(name)) => {
                subjects.entry(name).or_default().insert(grant.subject.id.as_str());
            }
            (DesiredBody::Resolved(_), _) => {}
        }
    }
    let none_resolved = !desired.is_empty() && desired.iter().all(|item| item.fingerprint().is_none());
    let mut managed: HashMap<&str, HashSet<&str>> = HashMap::new();
    for entry in held.iter().filter(|entry| !entry.is_refused()) {
        if let (Some(name), Some(subject)) = (entry.name.as_deref(), entry.subject()) {
            managed.entry(name).or_default().insert(subject);
        }
    }
    // A user and a service account can share a name. So a name is reassigned only if it refers to an account without a managed grant.
    let is_reassigned =
        |name: &str, now: &HashSet<&str>| managed.get(name).is_some_and(|before| !now.is_subset(before));
    let mut reassigned = HashMap::new();
    let mut stays = |entry: &Held| {
        if all {
            return true;
        }
        let Some(name) = entry.name.as_deref() else { return none_resolved };
        if unresolved.contains(name) {
            return true;
        }
        match (entry.subject(), subjects.get(name)) {
            (Some(subject), Some(now))
                if !entry.is_refused() && !now.contains(subject) && is_reassigned(name, now) =>
            {
                reassigned.insert(name.to_owned(), subject.to_owned());
                true
            }
            _ => false,
        }
    };
    let entries = held.iter().map(&mut stays).collect();
    Retained { entries, reassigned }
}

/// What an object desires, for its [`Claim`](super::Claim): its resolved items, and the managed things that stay although a name in its
/// spec cannot be resolved now. `observed` is what the object's own credential can read.
pub fn desired_keys(
    desired: &[Desired],
    held: &[Held],
    identity: &dyn IdentityRules,
    observed: &Snapshot,
) -> DesiredKeys {
    let retained = retained(desired, held);
    let stays = held.iter().zip(retained.entries).filter(|(_, stays)| *stays).map(|(held, _)| held);
    let stays = stays.map(|held| {
        let seen = held.id().filter(|id| observed.by_id(held.kind, id).is_some()).cloned();
        let fingerprint = held.fingerprint.clone();
        let thing = DesiredThing { fingerprint, seen, refused: held.is_refused() };
        ((held.kind, held.key.clone()), thing)
    });
    let resolved = desired.iter().filter_map(|item| {
        let DesiredBody::Resolved(body) = &item.body else { return None };
        let (kind, key, fingerprint) = (body.kind(), identity.key(body), item.fingerprint()?.clone());
        let seen = candidates(item, &key, held, observed).into_iter().next();
        let was_refused = |held: &Held| {
            held.is_refused() && held.kind == kind && held.key == key && held.fingerprint == fingerprint
        };
        let refused = held.iter().any(was_refused);
        Some(((kind, key), DesiredThing { fingerprint, seen, refused }))
    });
    // The last one wins: a resolved item replaces a managed thing with the same key.
    stays.chain(resolved).collect()
}

/// What an object most likely desires while its spec cannot be resolved: what its status records.
pub fn recorded_keys(held: &[Held]) -> DesiredKeys {
    let recorded = held.iter().filter(|held| !held.is_refused()).map(|held| {
        let thing = DesiredThing { fingerprint: held.fingerprint.clone(), seen: None, refused: false };
        ((held.kind, held.key.clone()), thing)
    });
    recorded.collect()
}
