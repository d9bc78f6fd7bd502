//! Events for adoptions and executed changes. Events report what happened, conditions what is still so.

use rolewright_core::{
    model::{Body, Change, Kind, Verb},
    planner::{self, Held, Step, past},
};
use rolewright_reconcile::{
    act::{Moved, Outcome, StepResult},
    decide::{Decision, Resolve},
};

use super::Reconcile;
use crate::kube::{Cached, Severity};

impl<K: Resolve + Cached> Reconcile<'_, K> {
    /// Events for what existed and is managed from now on.
    pub(super) fn report_adoptions(&self, decision: &Decision) {
        for held in decision.adoptions().filter(|held| held.origin == planner::Origin::Adopted) {
            let what = match held.name.as_deref().or_else(|| held.key.get("name")) {
                Some(subject) if held.kind == Kind::Grant => format!("the grant of {subject}"),
                Some(name) => format!("the {} {name}", held.kind.to_string().to_lowercase()),
                None => format!("the {}", held.kind.to_string().to_lowercase()),
            };
            let note =
                format!("{what} existed already, and this object manages it from now on ({})", held.key);
            self.ctx.events.publish(self.object.object_ref(&()), Severity::Normal, "Adopted", &note);
        }
    }

    /// One Event for the grants that the object released and that stay, because another object manages them too.
    pub(super) fn report_still_shared(&self, decision: &Decision) {
        const MAX_NAMED: usize = 5;
        let all = &decision.still_shared;
        if all.is_empty() {
            return;
        }
        let mut note = all.iter().take(MAX_NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
        if all.len() > MAX_NAMED {
            note.push_str(&format!("; and {} more", all.len() - MAX_NAMED));
        }
        self.ctx.events.publish(self.object.object_ref(&()), Severity::Warning, "StillGranted", &note);
    }

    /// Events and metrics for executed changes; counts corrections of drift.
    pub(super) fn report_changes(&self, decision: &Decision, outcome: &Outcome) {
        let mut corrected = false;
        for (step, result) in decision.plan.steps().iter().zip(&outcome.results) {
            self.ctx.metrics.change(step.change.body().kind(), step.change.verb(), result);
            let is_lost = matches!(result, StepResult::Moved(Moved::Removed));
            if !is_lost && !matches!(result, StepResult::Done(_)) {
                continue;
            }
            let drift = step.cause == planner::Cause::Drift;
            corrected |= drift;
            let (reason, mut note) = event(step, drift);
            let held = decision.plan.held_of(step);
            let restored = if step.releases { restored_by_others(&step.change, held) } else { Vec::new() };
            if !restored.is_empty() {
                note = format!("{note}; others restored {} meanwhile, which stays", restored.join(" and "));
            }
            if is_lost {
                note.push_str(" (the answer was lost; it is no longer visible)");
            }
            self.ctx.events.publish(self.object.object_ref(&()), Severity::Normal, reason, &note);
        }
        if corrected {
            self.ctx.corrections.add(&self.reference);
        }
    }
}

/// Of the defaults that were taken from a resource for an object, those that others restored themselves.
fn restored_by_others(change: &Change, held: &Held) -> Vec<String> {
    let (Some(Body::Restriction(before)), Some(taken)) = (change.before(), &held.taken) else {
        return Vec::new();
    };
    let restored = before.open.iter().filter(|(whose, _)| taken.contains_key(*whose));
    restored.map(|(whose, permission)| format!("{permission} for {whose}")).collect()
}

fn event(step: &Step, drift: bool) -> (&'static str, String) {
    let change = &step.change;
    let body = change.body();
    let reason = match (change.verb(), body.kind()) {
        _ if drift => "DriftCorrected",
        (Verb::Create, Kind::Role) => "Created",
        (Verb::Create, Kind::Grant | Kind::Group) => "Granted",
        (Verb::Update, Kind::Restriction) if step.releases => "Unrestricted",
        (Verb::Create | Verb::Update, Kind::Restriction) => "Restricted",
        (Verb::Update, _) => "Updated",
        (Verb::Delete, Kind::Role) => "Deleted",
        (Verb::Delete, Kind::Grant | Kind::Group) => "Revoked",
        (Verb::Delete, Kind::Restriction) => "Unrestricted",
    };
    let note = match change.verb() {
        Verb::Create if drift => format!("{} (it was deleted outside Rolewright)", past(step)),
        Verb::Update if drift => format!("{} (it was changed outside Rolewright)", past(step)),
        _ => past(step),
    };
    (reason, note)
}
