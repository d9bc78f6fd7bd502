//! What keeps a plan from being executed now: a pause, mode Plan, a role that is only planned, contested drift. Pure.

use rolewright_api::{Mode, Reason};
use rolewright_core::{
    model::Id,
    planner::{self, Held},
};
use tokio::time::Instant;

use super::{
    plan::Decision,
    policy::{mode, whose_mode},
};
use crate::{
    account::Link,
    object::ManagedObject,
    readiness::{Readiness, contested},
};

/// Why the plan is withheld, if it is. `next_correction`: when drift of a contested object can be corrected next.
pub fn guard<K: ManagedObject>(
    object: &K,
    link: &Link,
    decision: &Decision,
    next_correction: Option<Instant>,
    now: Instant,
) -> Option<Readiness> {
    let plan = &decision.plan;
    let intent = || match decision.intent() {
        intent if intent.is_empty() => String::new(),
        intent => format!(": would {intent}"),
    };
    let is_forced = decision.resolved.is_forced;
    let paused_by = paused_by(object, link).filter(|_| link.paused || !is_forced);
    if let Some(owner) = paused_by.filter(|_| !is_settled(object, decision)) {
        return Some(Readiness::new(
            Reason::Paused,
            format!("paused until the annotation rolewright.dev/pause is removed{owner}{}", intent()),
        ));
    }
    if plan.is_empty() && ids(plan.held()) == ids(&decision.recorded) {
        return None;
    }
    let mode = if is_forced { link.mode } else { mode(object, link.mode) };
    if mode == Mode::Plan && !(object.is_being_deleted() && plan.is_empty()) {
        let message = format!("{}{}", whose_mode(object, link.mode), intent());
        return Some(Readiness::new(Reason::Planned, message));
    }
    if decision.depends_on_planned_role() {
        return Some(Readiness::new(
            Reason::DependencyNotReady,
            format!(
                "waits for its Role, which manages no role yet: see there for the reason. Then{}",
                intent()
            ),
        ));
    }
    let corrects_drift = plan.steps().iter().any(|step| step.cause == planner::Cause::Drift);
    if corrects_drift && next_correction.is_some_and(|next| now < next) {
        return Some(contested());
    }
    None
}

/// Whether nothing is to be done: an object in sync stays ready while it is paused, also if it waits for subjects.
pub fn is_settled<K: ManagedObject>(object: &K, decision: &Decision) -> bool {
    let plan = &decision.plan;
    let has_work = object.is_being_deleted() || !plan.is_empty() || !plan.absent().is_empty();
    !has_work
        && plan.findings().iter().all(|finding| decision.resolved.awaits(finding))
        && ids(plan.held()) == ids(&decision.recorded)
}

/// Where the pause annotation is, as the end of a message. None if the object is not paused.
pub fn paused_by<K: ManagedObject>(object: &K, link: &Link) -> Option<String> {
    match (object.is_paused(), link.paused) {
        (true, _) => Some(String::new()),
        (false, true) => Some(format!(" from {}", object.backend_title())),
        (false, false) => None,
    }
}

fn ids(held: &[Held]) -> Vec<Option<Id>> {
    let mut ids: Vec<Option<Id>> = held.iter().map(|held| held.id().cloned()).collect();
    ids.sort_unstable();
    ids
}
