//! The existing things that a plan can use for one desired item. Other objects' claims on any of them decide about the item.

use super::input::{Desired, DesiredBody, Held};
use crate::model::{Id, Key, Kind, Snapshot};

/// The ids of the observed things that a plan can use for an item with this natural key, the most likely one first: the recorded one,
/// the one that the spec names by id; or else the one with the natural key, and the one with a derived id.
pub fn candidates(item: &Desired, key: &Key, held: &[Held], observed: &Snapshot) -> Vec<Id> {
    let DesiredBody::Resolved(body) = &item.body else { return Vec::new() };
    let kind = body.kind();
    // An object manages one role, whatever its name is now.
    let is_recorded =
        |held: &&Held| held.kind == kind && !held.is_refused() && (kind == Kind::Role || held.key == *key);
    let recorded = held.iter().filter(is_recorded).filter_map(Held::recorded_id);
    let chosen =
        |given| item.chosen.iter().filter(move |chosen| chosen.given == given).map(|chosen| &chosen.id);
    let by_id = |id: &&Id| observed.by_id(kind, id).is_some();
    let is_given = item.chosen.as_ref().is_some_and(|chosen| chosen.given);
    let by_key = observed.by_key(kind, key).map(|seen| &seen.id).filter(|_| !is_given);
    let known = recorded.chain(chosen(true)).filter(by_id).chain(by_key).chain(chosen(false).filter(by_id));
    let mut ids: Vec<Id> = Vec::new();
    for id in known {
        if !ids.contains(id) {
            ids.push(id.clone());
        }
    }
    ids
}
