//! The laws of [`plan`], each held against random worlds, holdings and wants.

use std::collections::{BTreeSet, HashSet};

use proptest::{collection::vec, prelude::*, sample::Index};

use super::{
    cases::{Case, Setting, case, setting},
    testing::{self, End, Refusal, carry_out, recorded},
    *,
};
use crate::model::{Absence, Body, Change, Grant, Id, IdentityRules, Key, Kind};

fn findings(plan: &Plan) -> BTreeSet<(Option<String>, Issue)> {
    plan.findings().iter().map(|finding| (finding.name.clone(), finding.issue)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn planning_after_carrying_out_gives_nothing_to_do_and_nothing_new_to_say(case in case()) {
        let setting = setting(&case);
        let mut world = setting.world.clone();
        let first = setting.plan();
        let ends = carry_out(&mut world, &first, |_, _| true);
        let held = recorded(&first, &ends);
        let second = setting.plan_on(&world, &held);
        let refused = ends.iter().any(|end| !matches!(end, End::Done(_)));
        prop_assert!(second.is_empty() || refused, "{:?} then {:?}", first, second);
        prop_assert!(refused || findings(&second).is_subset(&findings(&first)), "{:?} then {:?}", first, second);
        let same = second.held().len() == held.len() && held.iter().all(|entry| second.held().contains(entry));
        prop_assert!(refused || same, "what is recorded is as it will be: {:?}, {:?}", held, second.held());
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(case in case(), turns in vec(any::<Index>(), 8)) {
        let setting = setting(&case);
        let (mut wants, mut held) = (setting.wants.clone(), setting.held.clone());
        for (place, turn) in turns.iter().enumerate() {
            if !wants.is_empty() {
                let other = turn.index(wants.len());
                wants.swap(place % setting.wants.len(), other);
            }
            if !held.is_empty() {
                let other = turn.index(held.len());
                held.swap(place % setting.held.len(), other);
            }
        }
        let policy = testing::policy(&setting.dialect, setting.adopt, setting.removal);
        let turned = plan(&wants, &setting.world.snapshot_backwards(), &held, &policy);
        prop_assert_eq!(setting.plan(), turned);
    }

    #[test]
    fn only_what_is_held_or_rightly_taken_over_is_written_and_only_what_is_held_is_removed(case in case()) {
        let setting = setting(&case);
        let snapshot = setting.world.snapshot();
        let held = setting.things_held();
        let mut writable = held.clone();
        for (want, body) in setting.bodies() {
            let taken_over = match want.standing {
                Standing::Heir => true,
                Standing::Free => setting.adopt == Adopt::Always,
                _ => false,
            };
            let there = snapshot.by_key(body.kind(), &setting.dialect.key(body));
            writable.extend(there.filter(|_| taken_over).map(|there| there.id.clone()));
        }
        for step in setting.plan().steps() {
            match &step.change {
                Change::Create { .. } => {}
                Change::Update { id, .. } => prop_assert!(writable.contains(id), "{id} is not held"),
                Change::Delete { id, .. } => prop_assert!(held.contains(id), "{id} is not held"),
            }
        }
    }

    #[test]
    fn what_is_not_held_and_not_wanted_is_there_afterwards_as_it_was(case in case()) {
        let setting = setting(&case);
        let mut world = setting.world.clone();
        setting.settle(&mut world, setting.held.clone());
        let held = setting.things_held();
        let keys: HashSet<(Kind, Key)> = setting.bodies().map(|(_, body)| setting.key(body)).collect();
        for (id, thing) in &setting.world.things {
            if !held.contains(id) && !keys.contains(&(thing.body.kind(), thing.key.clone())) {
                prop_assert_eq!(world.things.get(id), Some(thing));
            }
        }
    }

    #[test]
    fn nothing_is_removed_before_what_replaces_it_is_there(case in case(), fails in vec(any::<bool>(), 12)) {
        let setting = setting(&case);
        let mut world = setting.world.clone();
        let plan = setting.plan();
        let wanted: Vec<&Body> = setting.bodies().map(|(_, body)| body).collect();
        let mut broken = None;
        carry_out(&mut world, &plan, |index, world| {
            if let Change::Delete { before: Body::Grant(before), .. } = &plan.steps()[index].change {
                let same = |body: &&&Body| matches!(body, Body::Grant(Grant { subject, .. }) if *subject == before.subject);
                let there = |body: &Body| world.things.values().any(|thing| thing.body == *body);
                broken = broken.take().or(wanted.iter().filter(same).find(|body| !there(body)).map(|body| body.title()));
            }
            !fails[index % fails.len()]
        });
        prop_assert_eq!(broken, None);
    }

    #[test]
    fn what_is_not_proven_absent_is_neither_made_again_nor_forgotten(case in case()) {
        let setting = setting(&case);
        let snapshot = setting.world.snapshot();
        let plan = setting.plan();
        for held in setting.held.iter() {
            let Some(id) = &held.id else { continue };
            let place = held.key.get("scope").or_else(|| held.key.get("resource")).map(Id::new);
            let proven = snapshot.absence(held.kind, place.as_ref()) == Absence::Proven
                || held.kind != Kind::Role && snapshot.by_key(held.kind, &held.key).is_some();
            if snapshot.by_id(held.kind, id).is_some() || proven {
                continue;
            }
            let asked_for = setting.bodies().any(|(_, body)| {
                body.kind() == held.kind && (held.kind == Kind::Role || setting.dialect.key(body) == held.key)
            });
            let may_let_go = !asked_for && (setting.removal == Removal::Retain || matches!(held.others, Others::Hold(_)));
            let kept = plan.held().iter().any(|kept| kept.id.as_ref() == Some(id));
            prop_assert!(kept || may_let_go, "{id} was forgotten");
            for step in plan.steps() {
                if let Change::Create { after, .. } = &step.change {
                    let again = held.kind == Kind::Role || setting.dialect.key(after) == held.key;
                    prop_assert!(!again, "{} is made again", after.title());
                }
            }
        }
    }

    #[test]
    fn an_intent_that_may_have_come_true_is_not_forgotten(case in case()) {
        let setting = setting(&case);
        let mut world = setting.world.clone();
        let intents: Vec<&Held> = setting.held.iter().filter(|held| held.pending() && !held.refused).collect();
        let snapshot = world.snapshot();
        let unknown = |held: &&Held| {
            let place = held.key.get("scope").or_else(|| held.key.get("resource")).map(Id::new);
            snapshot.absence(held.kind, place.as_ref()) == Absence::Unproven
                && snapshot.by_key(held.kind, &held.key).is_none()
                && held.others == Others::None
        };
        if setting.removal == Removal::Delete {
            let plan = setting.plan();
            for held in intents.into_iter().filter(unknown) {
                prop_assert!(plan.held().iter().any(|kept| kept.key == held.key), "{} was forgotten", held.key);
            }
        }
        setting.settle(&mut world, setting.held.clone());
    }

    #[test]
    fn what_the_vendor_owns_is_never_written(case in case()) {
        let setting = setting(&case);
        for step in setting.plan().steps() {
            if let Some(id) = step.change.id() {
                prop_assert_eq!(&setting.world.things[id].read_only, &None);
            }
        }
    }

    #[test]
    fn an_object_of_which_nothing_can_be_resolved_writes_nothing_and_lets_go_of_nothing(case in case()) {
        let mut setting = setting(&case);
        for want in &mut setting.wants {
            want.wish = Wish::Unresolved(Issue::NotFound, "who?".to_owned());
        }
        if setting.wants.is_empty() {
            return Ok(());
        }
        let plan = setting.plan();
        prop_assert!(plan.is_empty());
        prop_assert_eq!(plan.held().len(), setting.held.len());
        prop_assert!(setting.held.iter().all(|held| plan.held().contains(held)));
    }

    #[test]
    fn what_is_to_be_retained_is_never_removed(case in case()) {
        let setting = setting(&Case { removal: Removal::Retain, ..case });
        let deletes = setting.plan().steps().iter().any(|step| matches!(step.change, Change::Delete { .. }));
        prop_assert!(!deletes);
    }

    #[test]
    fn a_crash_at_any_step_leaves_what_no_crash_would_have_left(case in case()) {
        let setting = setting(&case);
        let plan = setting.plan();
        let mut smooth = setting.world.clone();
        setting.settle(&mut smooth, setting.held.clone());
        for crash in 0..=plan.steps().len() {
            let mut world = setting.world.clone();
            carry_out(&mut world, &plan, |index, _| index < crash);
            let last = setting.settle(&mut world, plan.held().to_vec());
            prop_assert_eq!(world.bodies(), smooth.bodies(), "after a crash at step {}", crash);
            for (want, body) in setting.bodies() {
                let (kind, key) = setting.key(body);
                let unmet = last.findings().iter().any(|finding| finding.name == want.name) || !last.is_empty();
                let twins = setting.world.of_key(kind, &key).len() > 1;
                if !unmet && !twins {
                    let there = world.of_key(kind, &key);
                    prop_assert_eq!(there.len(), 1, "{}", body.title());
                    prop_assert_eq!(&there[0].body, body);
                    prop_assert!(last.held().iter().any(|held| held.id.as_ref() == Some(&there[0].id)), "{}", body.title());
                }
            }
        }
    }

    #[test]
    fn a_refused_create_is_never_taken_for_ones_own(case in case()) {
        let setting = setting(&case);
        let mut world = setting.world.clone();
        let plan = setting.plan();
        let ends = carry_out(&mut world, &plan, |_, _| true);
        let held = recorded(&plan, &ends);
        // What was in the way comes into sight, and the object goes.
        world.hidden.clear();
        let gone = Setting { wants: Vec::new(), held, world: world.clone(), ..setting };
        let removed = gone.plan().steps().iter().filter_map(|step| step.change.id().cloned()).collect::<BTreeSet<_>>();
        for (step, end) in plan.steps().iter().zip(&ends) {
            if matches!(step.change, Change::Create { .. }) && *end == End::Refused(Refusal::Taken) {
                let in_the_way = world.of_key(step.change.body().kind(), &case.dialect.key(step.change.body()));
                prop_assert!(in_the_way.iter().all(|thing| !removed.contains(&thing.id)));
            }
        }
    }
}
