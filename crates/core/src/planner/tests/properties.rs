//! The invariants of [`plan`], each on random cases.

use std::collections::{BTreeSet, HashSet};

use proptest::{collection::vec, prelude::*, sample::Index};

use super::{
    cases::{Case, Setting, case, setting},
    support::{End, Refusal, execute, execute_if, policy, recorded},
};
use crate::model::{Absence, Body, Change, Grant, Id, IdentityRules, Key, Kind};
use crate::planner::{
    Adopt, Desired, DesiredBody, Held, Issue, OtherClaims, Plan, Problem, Removal, Standing, Step, plan,
};

fn findings(plan: &Plan) -> BTreeSet<(Option<String>, Issue)> {
    plan.findings().iter().map(|finding| (finding.name.clone(), finding.issue)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn second_plan_is_empty_without_new_findings(case in case()) {
        let setting = setting(&case);
        let mut world = setting.world.clone();
        let first = setting.plan();
        let ends = execute(&mut world, &first);
        let held = recorded(&first, &ends);
        let second = setting.plan_on(&world, &held);
        let refused = ends.iter().any(|end| !matches!(end, End::Done(_)));
        prop_assert!(second.is_empty() || refused, "{:?} then {:?}", first, second);
        prop_assert!(refused || findings(&second).is_subset(&findings(&first)), "{:?} then {:?}", first, second);
        let same = second.held().len() == held.len() && held.iter().all(|entry| second.held().contains(entry));
        prop_assert!(refused || same, "the record changes: {:?}, {:?}", held, second.held());
    }

    #[test]
    fn the_order_of_the_input_does_not_matter(case in case(), turns in vec(any::<Index>(), 8)) {
        let setting = setting(&case);
        let (mut desired, mut held) = (setting.desired.clone(), setting.held.clone());
        for (place, turn) in turns.iter().enumerate() {
            if !desired.is_empty() {
                let other = turn.index(desired.len());
                desired.swap(place % setting.desired.len(), other);
            }
            if !held.is_empty() {
                let other = turn.index(held.len());
                held.swap(place % setting.held.len(), other);
            }
        }
        let policy = policy(&setting.dialect, setting.adopt, setting.removal);
        let turned = plan(&desired, &setting.world.snapshot_backwards(), &held, &policy);
        prop_assert_eq!(setting.plan(), turned);
    }

    #[test]
    fn only_managed_or_adopted_things_are_written(case in case()) {
        let setting = setting(&case);
        let snapshot = setting.world.snapshot();
        let managed = setting.managed_things();
        let mut writable = managed.clone();
        for (item, body) in setting.resolved() {
            let adopted = match item.standing {
                Standing::NextOwner => true,
                Standing::Free => setting.adopt == Adopt::Always,
                _ => false,
            };
            let existing = snapshot.by_key(body.kind(), &setting.dialect.key(body));
            writable.extend(existing.filter(|_| adopted).map(|existing| existing.id.clone()));
        }
        for step in setting.plan().steps() {
            match &step.change {
                Change::Create { .. } => {}
                Change::Update { id, .. } => prop_assert!(writable.contains(id), "{id} is not managed"),
                Change::Delete { id, .. } => prop_assert!(managed.contains(id), "{id} is not managed"),
            }
        }
    }

    #[test]
    fn unmanaged_undesired_things_do_not_change(case in case()) {
        let setting = setting(&case);
        let mut world = setting.world.clone();
        setting.settle(&mut world, setting.held.clone());
        let managed = setting.managed_things();
        let keys: HashSet<(Kind, Key)> = setting.resolved().map(|(_, body)| setting.key(body)).collect();
        for (id, thing) in &setting.world.things {
            if !managed.contains(id) && !keys.contains(&(thing.body.kind(), thing.key.clone())) {
                prop_assert_eq!(world.things.get(id), Some(thing));
            }
        }
    }

    #[test]
    fn no_grant_is_deleted_before_its_replacement_exists(case in case(), fails in vec(any::<bool>(), 12)) {
        let setting = setting(&case);
        let mut world = setting.world.clone();
        let plan = setting.plan();
        let wanted: Vec<&Body> = setting.resolved().map(|(_, body)| body).collect();
        let mut broken = None;
        execute_if(&mut world, &plan, |index, world| {
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
    fn unproven_absence_neither_recreates_nor_releases(case in case()) {
        let setting = setting(&case);
        let snapshot = setting.world.snapshot();
        let plan = setting.plan();
        for held in setting.held.iter() {
            let Some(id) = held.id() else { continue };
            let place = held.key.get("scope").or_else(|| held.key.get("resource")).map(Id::new);
            let proven = snapshot.absence(held.kind, place.as_ref()) == Absence::Proven
                || held.kind != Kind::Role && snapshot.by_key(held.kind, &held.key).is_some();
            if snapshot.by_id(held.kind, id).is_some() || proven {
                continue;
            }
            let desired = setting.resolved().any(|(_, body)| {
                body.kind() == held.kind && (held.kind == Kind::Role || setting.dialect.key(body) == held.key)
            });
            let may_release = !desired && (setting.removal == Removal::Retain || matches!(held.other_claims, OtherClaims::Shared(_)));
            let kept = plan.held().iter().any(|kept| kept.id() == Some(id));
            prop_assert!(kept || may_release, "{id} was released");
            for step in plan.steps() {
                if let Change::Create { after, .. } = &step.change {
                    let again = held.kind == Kind::Role || setting.dialect.key(after) == held.key;
                    prop_assert!(!again, "{} is created again", after.title());
                }
            }
        }
    }

    #[test]
    fn pending_create_of_unknown_outcome_is_not_forgotten(case in case()) {
        let setting = setting(&case);
        let mut world = setting.world.clone();
        let pending: Vec<&Held> = setting.held.iter().filter(|held| !held.is_present() && !held.is_refused()).collect();
        let snapshot = world.snapshot();
        let unknown = |held: &&Held| {
            let place = held.key.get("scope").or_else(|| held.key.get("resource")).map(Id::new);
            snapshot.absence(held.kind, place.as_ref()) == Absence::Unproven
                && snapshot.by_key(held.kind, &held.key).is_none()
                && held.other_claims == OtherClaims::None
        };
        if setting.removal == Removal::Delete {
            let plan = setting.plan();
            for held in pending.into_iter().filter(unknown) {
                prop_assert!(plan.held().iter().any(|kept| kept.key == held.key), "{} was forgotten", held.key);
            }
        }
        setting.settle(&mut world, setting.held.clone());
    }

    #[test]
    fn read_only_things_are_never_written(case in case()) {
        let setting = setting(&case);
        for step in setting.plan().steps() {
            if let Some(id) = step.change.id() {
                prop_assert_eq!(&setting.world.things[id].read_only, &None);
            }
        }
    }

    #[test]
    fn unresolved_names_in_the_spec_write_and_release_nothing(case in case(), together in any::<bool>()) {
        let mut setting = setting(&case);
        if setting.desired.is_empty() {
            return Ok(());
        }
        let problem = || Problem::new(Issue::NotFound, "no such name");
        let names: HashSet<String> = setting.desired.iter().filter_map(|item| item.name.clone()).collect();
        if together {
            setting.desired = vec![Desired::all_unresolved(names.clone(), problem())];
        }
        else {
            setting.desired.iter_mut().for_each(|item| item.body = DesiredBody::Unresolved(problem()));
        }
        let plan = setting.plan();
        let in_spec = |held: &Held| held.name.as_ref().is_none_or(|name| names.contains(name));
        let changed = |step: &Step| !in_spec(plan.held_of(step));
        prop_assert!(plan.steps().iter().all(changed), "{:?}", plan.steps());
        let stays: Vec<&Held> = setting.held.iter().filter(|held| in_spec(held)).collect();
        prop_assert!(stays.iter().all(|held| plan.held().contains(held)));
    }

    #[test]
    fn retained_things_are_never_deleted(case in case()) {
        let setting = setting(&Case { removal: Removal::Retain, ..case });
        let deletes = setting.plan().steps().iter().any(|step| matches!(step.change, Change::Delete { .. }));
        prop_assert!(!deletes);
    }

    #[test]
    fn crash_at_any_step_leads_to_the_same_state(case in case()) {
        let setting = setting(&case);
        let plan = setting.plan();
        let mut uninterrupted = setting.world.clone();
        setting.settle(&mut uninterrupted, setting.held.clone());
        for crash in 0..=plan.steps().len() {
            let mut world = setting.world.clone();
            execute_if(&mut world, &plan, |index, _| index < crash);
            let last = setting.settle(&mut world, plan.held().to_vec());
            prop_assert_eq!(world.bodies(), uninterrupted.bodies(), "after a crash at step {}", crash);
            for (item, body) in setting.resolved() {
                let (kind, key) = setting.key(body);
                let unmet = last.findings().iter().any(|finding| finding.name == item.name) || !last.is_empty();
                let duplicates = setting.world.with_key(kind, &key).len() > 1;
                if !unmet && !duplicates {
                    let things = world.with_key(kind, &key);
                    prop_assert_eq!(things.len(), 1, "{}", body.title());
                    prop_assert_eq!(&things[0].body, body);
                    prop_assert!(last.held().iter().any(|held| held.id() == Some(&things[0].id)), "{}", body.title());
                }
            }
        }
    }

    #[test]
    fn refused_create_is_never_recognized_as_own(case in case()) {
        let setting = setting(&case);
        let mut world = setting.world.clone();
        let plan = setting.plan();
        let ends = execute(&mut world, &plan);
        let held = recorded(&plan, &ends);
        // The thing in the way becomes visible, and the object is deleted.
        world.hidden.clear();
        let deleted = Setting { desired: Vec::new(), held, world: world.clone(), ..setting };
        let removed = deleted.plan().steps().iter().filter_map(|step| step.change.id().cloned()).collect::<BTreeSet<_>>();
        for (step, end) in plan.steps().iter().zip(&ends) {
            if matches!(step.change, Change::Create { .. }) && *end == End::Refused(Refusal::Taken) {
                let in_the_way = world.with_key(step.change.body().kind(), &case.dialect.key(step.change.body()));
                prop_assert!(in_the_way.iter().all(|thing| !removed.contains(&thing.id)));
            }
        }
    }
}
