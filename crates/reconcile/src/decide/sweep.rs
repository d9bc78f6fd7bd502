//! What a sweep must read for an object, and whether what the object manages vanished. Pure.

use rolewright_api::HeldState;
use rolewright_backends::Needs;
use rolewright_core::{
    model::{Absence, Snapshot},
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
    needs
}

/// How many managed things there were, and how many of them vanished.
#[derive(Clone, Copy, Debug, Default)]
pub struct Vanished {
    /// External things that are recorded as present, without those that could not be read.
    pub managed: usize,
    /// Those that are proven to be absent now.
    pub vanished: usize,
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
            self.managed += 1;
            let is_absent = !is_seen && snapshot.absence(held.kind, place.as_ref()) == Absence::Proven;
            self.vanished += usize::from(is_absent);
        }
    }

    /// Whether so many vanished at once that the snapshot is suspect.
    pub fn is_suspicious(self) -> bool {
        const AT_LEAST: usize = 5;
        self.vanished >= AT_LEAST && self.vanished * 4 >= self.managed
    }
}
