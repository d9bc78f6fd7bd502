//! The comparison of one object during a sweep: does it need a reconcile, and has what it manages vanished? Pure.

use kube::ResourceExt;
use rolewright_api::HeldState;
use rolewright_backends::Needs;
use rolewright_core::{
    model::{Absence, Id, Snapshot},
    planner::{self, Held},
};

use super::{Decision, Resolve, needs};
use crate::{
    account::Link,
    act::{plan_status, settled, subject_states},
    convert::held_from_status,
    object::ManagedObject,
};

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
    /// External things that are recorded as present.
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
            self.managed += 1;
            let is_absent = snapshot.by_id(held.kind, id).is_none()
                && snapshot.absence(held.kind, held.key.place().as_ref()) == Absence::Proven;
            self.vanished += usize::from(is_absent);
        }
    }

    /// Whether so many vanished at once that the snapshot is suspect.
    pub fn is_suspicious(self) -> bool {
        const AT_LEAST: usize = 5;
        self.vanished >= AT_LEAST && self.vanished * 4 >= self.managed
    }
}

/// Whether a reconcile would change the status of an object or the back end. A plan that the status shows was withheld, or it failed and
/// has its own time for the next try. `contested`: others keep changing what the object manages.
pub fn differs<K: ManagedObject>(object: &K, link: &Link, decision: &Decision, contested: bool) -> bool {
    let status = object.status();
    let serial = status.and_then(|status| status.serial).unwrap_or_default();
    let uid = object.uid().unwrap_or_default();
    let plan = plan_status(&decision.plan, &link.view.account.id, &uid, serial);
    if plan.as_ref() != status.and_then(|status| status.plan.as_ref()) {
        return true;
    }
    if plan.is_some() || object.is_paused() || link.paused {
        return false;
    }
    if object.is_being_deleted() {
        return decision.plan.held().is_empty();
    }
    // Another thing than the recorded one has its key, and equals the desired state: it is adopted without a change.
    let planned = decision.plan.held().iter().map(Held::recorded_id);
    if !object.held().iter().map(|held| held.id.as_deref()).eq(planned.map(|id| id.map(Id::as_str))) {
        return true;
    }
    let condition =
        |type_: &str| status.and_then(|status| status.conditions.iter().find(|one| one.type_ == type_));
    let ready = settled(object, decision, contested);
    let unverified = ready.reason.ready() && decision.plan.is_unverified();
    condition("Ready").is_none_or(|now| now.reason != ready.reason.as_str() || now.message != ready.message)
        || condition("Verified").is_some() != unverified
        || subject_states(object, decision, None) != object.subjects()
}
