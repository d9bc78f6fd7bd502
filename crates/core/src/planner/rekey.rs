//! Updates managed entries to new ids and keys. Some back ends change the id or key of a thing, such as the grant of an invited user
//! who accepts; the snapshot reports it, and the record follows before the plan is made.

use std::collections::HashSet;

use super::input::{Held, HeldState};
use crate::model::{Key, Kind, Snapshot};

/// Updates managed entries to the present ids and keys. If two entries then describe one thing, the one that had the key already stays.
pub fn rekey(held: Vec<Held>, observed: &Snapshot) -> Vec<Held> {
    // This runs for every object in every sweep, and nearly always there is nothing to do.
    if !observed.has_rekeyed_things() {
        return held;
    }
    let is_rekeyed = |held: &Held| observed.successor(held.kind, &held.key).is_some();
    let mut known: HashSet<(Kind, Key)> =
        held.iter().filter(|held| !is_rekeyed(held)).map(|held| (held.kind, held.key.clone())).collect();
    let update = |mut held: Held| {
        let Some((now, key)) = observed.successor(held.kind, &held.key) else { return Some(held) };
        if let HeldState::Present { id, .. } = &mut held.state {
            *id = now.clone();
        }
        held.key = key.clone();
        known.insert((held.kind, held.key.clone())).then_some(held)
    };
    held.into_iter().filter_map(update).collect()
}
