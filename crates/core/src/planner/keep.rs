//! What stays held although no want stands on it: a name that stands for nothing, or for somebody else than before, takes nothing away.

use std::collections::{HashMap, HashSet};

use super::{
    claims::Asks,
    input::{Held, Want, Wish},
};
use crate::model::{Body, IdentityRules};

/// What is kept of what an object holds.
pub(super) struct Kept {
    /// For each held entry, whether it is kept.
    pub entries: Vec<bool>,
    /// Names of subjects that stand for another account than the one whose grant is held, and that account's id.
    pub rebound: HashMap<String, String>,
}

/// Says what is kept. Unknown is not absent: what is held under the name of an unresolved want is kept, and all of it when no want is
/// resolved.
pub(super) fn kept(wants: &[Want], held: &[Held]) -> Kept {
    let mut unknown: HashSet<Option<&str>> = HashSet::new();
    let mut subjects: HashMap<&str, HashSet<&str>> = HashMap::new();
    for want in wants {
        match (&want.wish, want.name.as_deref()) {
            (Wish::Unresolved(..), name) => {
                unknown.insert(name);
            }
            (Wish::Body(Body::Grant(grant)), Some(name)) => {
                subjects.entry(name).or_default().insert(grant.subject.id.as_str());
            }
            (Wish::Body(_), _) => {}
        }
    }
    let all = unknown.contains(&None)
        || (!wants.is_empty() && wants.iter().all(|want| matches!(want.wish, Wish::Unresolved(..))));
    let mut held_for: HashMap<&str, HashSet<&str>> = HashMap::new();
    for entry in held.iter().filter(|entry| !entry.refused) {
        if let (Some(name), Some(subject)) = (entry.name.as_deref(), entry.subject()) {
            held_for.entry(name).or_default().insert(subject);
        }
    }
    // A user and a service account may go by one name: it is rebound only where it stands for somebody who is not held under it.
    let is_new =
        |name: &str, now: &HashSet<&str>| held_for.get(name).is_some_and(|held| !now.is_subset(held));
    let mut rebound = HashMap::new();
    let mut keep = |entry: &Held| {
        if all {
            return true;
        }
        let Some(name) = entry.name.as_deref() else { return false };
        if unknown.contains(&Some(name)) {
            return true;
        }
        match (entry.subject(), subjects.get(name)) {
            (Some(subject), Some(now)) if !entry.refused && !now.contains(subject) && is_new(name, now) => {
                rebound.insert(name.to_owned(), subject.to_owned());
                true
            }
            _ => false,
        }
    };
    let entries = held.iter().map(&mut keep).collect();
    Kept { entries, rebound }
}

/// What an object asks for, as its [`Claim`](super::Claim) says it: its wants by natural key, and what it keeps holding although a
/// name in its spec stands for nothing now.
pub fn asks(wants: &[Want], held: &[Held], identity: &dyn IdentityRules) -> Asks {
    let kept = kept(wants, held);
    let still = held.iter().zip(kept.entries).filter(|(_, kept)| *kept).map(|(held, _)| held);
    let still = still.map(|held| ((held.kind, held.key.clone()), held.fingerprint.clone()));
    let wanted = wants.iter().filter_map(|want| match &want.wish {
        Wish::Body(body) => Some(((body.kind(), identity.key(body)), want.fingerprint()?.clone())),
        Wish::Unresolved(..) => None,
    });
    // Of two for one key the wanted one.
    still.chain(wanted).collect()
}
