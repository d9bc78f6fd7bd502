//! Events for what was taken over and what was done, never for what is still so.

use super::{
    assess::Assessment,
    context::Stored,
    events::Tone,
    outcome::{End, Moved, Outcome},
    resolve::Resolve,
    verdict,
    work::Work,
};
use rolewright_core::model::{Body, Change, Kind, Verb};
use rolewright_core::planner::{self, Held, Step};

impl<K: Resolve + Stored> Work<'_, K> {
    /// Events for what was there and is held from now on.
    pub(super) fn tell_taken_over(&self, assessment: &Assessment) {
        let recorded = |held: &Held| assessment.recorded.iter().any(|entry| entry.id() == held.id());
        let adopted =
            |held: &&Held| held.origin == planner::Origin::Adopted && held.is_present() && !recorded(held);
        for held in assessment.plan.held().iter().filter(adopted) {
            let called = held.name.as_deref().or_else(|| held.key.get("name"));
            let note = match called {
                Some(name) => format!("took over the {} {name} ({})", held.kind, held.key),
                None => format!("took over the {} ({})", held.kind, held.key),
            };
            self.ctx.events.tell(&*self.object, Tone::Normal, "Adopted", &note);
        }
    }

    /// Events for what was done, and the count of corrections.
    pub(super) fn tell(&self, assessment: &Assessment, outcome: &Outcome) {
        let mut corrected = false;
        for (step, end) in assessment.plan.steps().iter().zip(&outcome.ends) {
            self.ctx.metrics.change(step.change.body().kind(), step.change.verb(), end);
            let lost = matches!(end, End::Moved(Moved::Removed));
            if !lost && !matches!(end, End::Done(_)) {
                continue;
            }
            let drift = step.cause == planner::Cause::Drift;
            corrected |= drift;
            let (reason, mut note) = event(step, drift);
            let held = assessment.plan.held_of(step);
            let stays = if step.releases { given_by_others(&step.change, held) } else { Vec::new() };
            if !stays.is_empty() {
                note = format!("{note}; somebody else gave {} meanwhile, which stays", stays.join(" and "));
            }
            if lost {
                note.push_str(" (the answer was lost; it is not seen any more)");
            }
            self.ctx.events.tell(&*self.object, Tone::Normal, reason, &note);
        }
        if corrected {
            self.ctx.corrections.add(&self.item);
            if self.ctx.corrections.contested(&self.item).is_some() {
                self.ctx.events.tell(
                    &*self.object,
                    Tone::Warning,
                    "Contested",
                    &verdict::contested().message,
                );
            }
        }
    }
}

/// Of what was taken away for an object, what others have given back themselves.
fn given_by_others(change: &Change, held: &Held) -> Vec<String> {
    let (Some(Body::Restriction(before)), Some(taken)) = (change.before(), &held.taken) else {
        return Vec::new();
    };
    let again = before.open.iter().filter(|(whose, _)| taken.contains_key(*whose));
    again.map(|(whose, permission)| format!("{permission} for {whose}")).collect()
}

fn event(step: &Step, drift: bool) -> (&'static str, String) {
    let change = &step.change;
    let body = change.body();
    let details = change.details().join("; ");
    let note = match change {
        _ if details.is_empty() => format!("{} {}", body.kind(), body.title()),
        _ => format!("{} {}: {details}", body.kind(), body.title()),
    };
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
    let note = match change {
        Change::Create { .. } if drift => format!("{note} (it had been removed)"),
        _ => note,
    };
    (reason, note)
}
