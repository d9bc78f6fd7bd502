//! What a sweep must read for an object, and whether what the object manages vanished. Pure.

use std::{
    collections::{BTreeSet, HashSet},
    hash::{DefaultHasher, Hash, Hasher},
};

use rolewright_api::HeldState;
use rolewright_backends::Needs;
use rolewright_core::{
    model::{Absence, Id, Kind, Snapshot, sha256_hex},
    planner,
};

use super::{policy::needs, resolve::Resolve};
use crate::{account::Link, convert::held_from_status, object::ManagedObject};

/// What a sweep must read for an object: its needs, and hints for what it manages and lists do not show.
pub fn sweep_needs<K: Resolve>(object: &K, link: &Link) -> Needs {
    let mut needs = needs(object, link);
    let dialect = link.view.backend.dialect();
    let managed = object.held().iter().filter_map(held_from_status);
    needs.hints.extend(managed.filter_map(|held| dialect.hint(held.kind, &held.key, held.id())));
    if object.is_authoritative() {
        // The grants of its role to others are read, also before it manages one itself.
        let claims = link.view.account.claims.lock();
        let desired = claims.get(&object.claimant()).into_iter().flat_map(|claim| claim.desired.keys());
        needs.hints.extend(desired.filter_map(|(kind, key)| dialect.hint(*kind, key, None)));
    }
    needs
}

/// The managed things, and which of them vanished. One that several objects manage counts once.
#[derive(Clone, Debug, Default)]
pub struct Vanished {
    /// Hashes of the external things that are recorded as present, without those that could not be read.
    managed: HashSet<u64>,
    /// Those that are proven to be absent now.
    vanished: BTreeSet<(Kind, Id)>,
}

impl Vanished {
    /// Counts what one object manages.
    pub fn count<K: ManagedObject>(&mut self, object: &K, snapshot: &Snapshot) {
        let present = object.held().iter().filter(|held| held.state == HeldState::Present);
        for held in planner::rekey(present.filter_map(held_from_status).collect(), snapshot) {
            let Some(id) = held.id() else { continue };
            let (place, is_seen) = (held.key.place(), snapshot.by_id(held.kind, id).is_some());
            if !is_seen && snapshot.unread(held.kind, Some(id), place.as_ref(), None).is_some() {
                continue;
            }
            let mut hasher = DefaultHasher::new();
            (held.kind, id).hash(&mut hasher);
            self.managed.insert(hasher.finish());
            if !is_seen && snapshot.absence(held.kind, place.as_ref()) == Absence::Proven {
                self.vanished.insert((held.kind, id.clone()));
            }
        }
    }

    /// How many there were.
    pub fn managed(&self) -> usize {
        self.managed.len()
    }

    /// How many of them vanished.
    pub fn absent(&self) -> usize {
        self.vanished.len()
    }

    /// Whether so many vanished at once that the snapshot is suspect.
    pub fn is_suspicious(&self) -> bool {
        const AT_LEAST: usize = 5;
        self.absent() >= AT_LEAST && self.absent() * 4 >= self.managed()
    }

    /// Whether all of this vanished before already.
    pub fn is_within(&self, known: &Self) -> bool {
        self.vanished.is_subset(&known.vanished)
    }

    /// Names exactly what vanished. A user acknowledges it with this token, and nothing else.
    pub fn token(&self) -> String {
        let all: Vec<String> = self.vanished.iter().map(|(kind, id)| format!("{kind} {id}")).collect();
        sha256_hex(all.join("\n").as_bytes())[..12].to_owned()
    }
}
