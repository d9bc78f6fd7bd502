//! The comparison of a sweep: whether an object needs a reconcile. Pure.

use rolewright_api::{EXPIRING, PlanStatus, SubjectState, SubjectStatus};
use rolewright_core::{
    model::Id,
    planner::{Finding, Held, Issue},
};

use super::report::{plan_status, settled, subject_states};
use crate::{
    account::Link,
    decide::{self, Decision},
    object::ManagedObject,
    restore,
};

/// Whether an object in sync keeps its status: all that is wrong is that a part of what it manages could not be read. The Backend reports
/// that, and nothing new is known of the object. Subjects that it waits for are in its status already.
pub fn keeps_status<K: ManagedObject>(object: &K, decision: &Decision) -> bool {
    let plan = &decision.plan;
    let findings = plan.findings();
    let is_unread = |finding: &Finding| finding.issue == Issue::Unread;
    let shows_missing = |subject: &SubjectStatus, name: &str| {
        subject.state == SubjectState::NotFound && subject.called() == name
    };
    let is_known_to_be_missing = |finding: &Finding| {
        let name = finding.name.as_deref().filter(|_| decision.resolved.awaits(finding));
        name.is_some_and(|name| object.subjects().iter().any(|subject| shows_missing(subject, name)))
    };
    object.is_in_sync()
        && !object.is_being_deleted()
        && plan.is_empty()
        && plan.absent().is_empty()
        && findings.iter().any(is_unread)
        && findings.iter().all(|finding| is_unread(finding) || is_known_to_be_missing(finding))
}

/// Whether a reconcile would change the status of an object or the back end. A plan that the status shows was withheld, or it failed and
/// has its own time for the next try. `contested`: others keep changing what the object manages.
pub fn differs<K: ManagedObject>(object: &K, link: &Link, decision: &Decision, contested: bool) -> bool {
    let status = object.status();
    let serial = status.and_then(|status| status.serial).unwrap_or_default();
    let plan = plan_status(object, link, decision, serial);
    let shown = status.and_then(|status| status.plan.as_deref()).cloned();
    // How long it waits is no difference.
    if plan != shown.map(|shown| PlanStatus { waiting: None, ..shown }) {
        return true;
    }
    let is_paused = object.is_paused() || link.paused;
    if plan.is_some() || is_paused && !decide::is_settled(object, decision) {
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
    if keeps_status(object, decision) {
        return false;
    }
    if restore::to_keep(object, &decision.plan, link.view.account.id.as_str()).is_some() {
        return true;
    }
    let condition =
        |type_: &str| status.and_then(|status| status.conditions.iter().find(|one| one.type_ == type_));
    let ready = settled(object, link, decision, contested);
    let unverified = ready.reason.ready() && decision.plan.is_unverified();
    condition("Ready").is_none_or(|now| now.reason != ready.reason.as_str() || now.message != ready.message)
        || condition("Verified").is_some() != unverified
        || condition(EXPIRING).is_some() != decision.resolved.validity.ends_soon().is_some()
        || subject_states(object, decision, None) != object.subjects()
        || decision.resolved.names != object.names()
}
