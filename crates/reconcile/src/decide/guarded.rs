//! What an object remembers of its guards from one reconcile to the next, so that neither time nor another mode lets a withheld plan pass.
//! Pure.

use rolewright_api::Guarded;
use rolewright_core::planner::{Issue, Plan};

use super::plan::Decision;
use crate::object::ManagedObject;

/// Whether removals of the present spec exceeded these limits before.
pub fn has_exceeded<K: ManagedObject>(object: &K, limits: &str) -> bool {
    let known = object.status().and_then(|status| status.guarded.as_deref());
    known.is_some_and(|known| {
        Some(known.generation) == object.meta().generation && known.limits.as_deref() == Some(limits)
    })
}

/// A new subject that does not exist. If another one leaves the spec, it is probably the same person with a misspelt name. A subject that
/// was not found before is not new, unless removals wait because of it.
pub fn misspelt<K: ManagedObject>(object: &K, decision: &Decision) -> Option<String> {
    if object.is_being_deleted() {
        return None;
    }
    let waited_for = object.status().and_then(|status| status.guarded.as_ref()?.misspelt.as_deref());
    // Of a subject that is only pending it is not known whether it exists.
    let is_known = |name: &str| {
        let mut listed = object.subjects().iter().filter(|subject| subject.called() == name);
        listed.any(|subject| subject.state != rolewright_api::SubjectState::Pending)
    };
    let missing = decision.plan.findings().iter().filter(|finding| finding.issue == Issue::NotFound);
    let mut names = missing.filter_map(|finding| finding.name.as_deref());
    names.find(|name| !is_known(name) || waited_for == Some(name)).map(str::to_owned)
}

/// Whether a step takes something from a subject that the spec does not name any more.
pub fn drops_subject(decision: &Decision, plan: &Plan, step: usize) -> bool {
    let loss = &plan.losses()[step];
    match &plan.held_of(&plan.steps()[step]).name {
        Some(name) => {
            loss.count > 0 && !decision.resolved.desired.iter().any(|item| item.name.as_ref() == Some(name))
        }
        // A group loses members.
        None => !loss.subjects.is_empty(),
    }
}

/// What the object remembers. `decision`: what is still to be done; `is_limited`: the limits withhold a part of it.
pub fn guarded<K: ManagedObject>(
    object: &K,
    decision: &Decision,
    limits: &str,
    is_limited: bool,
) -> Option<Guarded> {
    let plan = &decision.plan;
    let removes = plan.losses().iter().any(|loss| loss.count > 0);
    let drops = (0..plan.steps().len()).any(|step| drops_subject(decision, plan, step));
    let limits = (is_limited || removes && has_exceeded(object, limits)).then(|| limits.to_owned());
    let misspelt = misspelt(object, decision).filter(|_| drops);
    (limits.is_some() || misspelt.is_some()).then(|| Guarded {
        generation: object.meta().generation.unwrap_or_default(),
        limits,
        misspelt,
    })
}
