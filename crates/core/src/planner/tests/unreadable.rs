//! Roles whose rules the back end does not show, and roles that cannot be renamed.

use super::support::{
    TestDialect, World, desired, issues, message, pending, planned, present, refused, role,
};
use crate::model::{Body, Change, Id};
use crate::planner::{Adopt, Cause, Desired, Held, Issue, Plan};

const PLAIN: TestDialect = TestDialect::NoScopes;

/// A role without its rules, as a back end shows it that hides them.
fn hidden(name: &str, description: Option<&str>) -> Body {
    let Body::Role(mut shown) = role(name, &[]) else { unreachable!() };
    shown.unreadable = true;
    shown.description = description.map(str::to_owned);
    Body::Role(shown)
}

fn items(actions: &[&str]) -> [Desired; 1] {
    [desired(role("writer", actions))]
}

/// The entry after a role with these actions was applied.
fn applied(actions: &[&str]) -> [Held; 1] {
    [present(PLAIN, "W", &role("writer", actions), None)]
}

fn update(plan: &Plan) -> (&Change, Cause) {
    match plan.steps() {
        [step] if matches!(step.change, Change::Update { .. }) => (&step.change, step.cause),
        steps => panic!("not one update: {steps:?}"),
    }
}

#[test]
fn hidden_rules_count_as_applied_and_are_unverified() {
    let world = World::new(PLAIN).with("W", hidden("writer", None));
    let plan = planned(&world, &items(&["read"]), &applied(&["read"]), Adopt::Never);
    assert!(plan.is_empty() && plan.findings().is_empty() && plan.is_unverified(), "{plan:?}");
    let shown = World::new(PLAIN).with("W", role("writer", &["read"]));
    assert!(!planned(&shown, &items(&["read"]), &applied(&["read"]), Adopt::Never).is_unverified());
}

#[test]
fn changed_spec_or_description_causes_one_update() {
    let world = World::new(PLAIN).with("W", hidden("writer", None));
    let plan = planned(&world, &items(&["read", "write"]), &applied(&["read"]), Adopt::Never);
    assert_eq!(update(&plan).1, Cause::Spec);
    let world = World::new(PLAIN).with("W", hidden("writer", Some("changed by hand")));
    let plan = planned(&world, &items(&["read"]), &applied(&["read"]), Adopt::Never);
    let (change, cause) = update(&plan);
    assert_eq!(cause, Cause::Drift);
    let details = change.details();
    assert!(details.iter().any(|line| line.contains("does not show")), "{details:?}");
}

#[test]
fn role_with_hidden_rules_is_not_identical() {
    let world = World::new(PLAIN).with("W", hidden("writer", None));
    for adopt in [Adopt::Never, Adopt::IfIdentical] {
        let plan = planned(&world, &items(&["read"]), &[], adopt);
        assert_eq!((issues(&plan), plan.is_empty()), (vec![Issue::Conflict], true), "{adopt:?}");
    }
    let plan = planned(&world, &items(&["read"]), &[], Adopt::Always);
    assert_eq!(update(&plan).1, Cause::Spec);
}

/// A world with a hidden role that has the mark of a role with these actions.
fn marked(actions: &[&str], description: Option<&str>) -> World {
    let mut world = World::new(PLAIN).with("W", hidden("writer", description));
    world.mark("W", role("writer", actions).fingerprint());
    world
}

#[test]
fn role_that_has_the_mark_of_its_spec_is_adopted() {
    let world = marked(&["read"], None);
    let plan = planned(&world, &items(&["read"]), &[], Adopt::IfIdentical);
    assert!(plan.is_empty() && plan.findings().is_empty() && plan.is_unverified(), "{plan:?}");
    // From now on the status records it.
    let held = plan.held().to_vec();
    assert!(planned(&world, &items(&["read"]), &held, Adopt::IfIdentical).is_empty());
    assert_eq!(issues(&planned(&world, &items(&["read"]), &[], Adopt::Never)), [Issue::Conflict]);
    for other in [marked(&["write"], None), marked(&["read"], Some("another one"))] {
        assert_eq!(issues(&planned(&other, &items(&["read"]), &[], Adopt::IfIdentical)), [Issue::Conflict]);
    }
}

#[test]
fn mark_of_another_spec_shows_that_others_set_the_rules() {
    let plan = planned(&marked(&["write"], None), &items(&["read"]), &applied(&["read"]), Adopt::Never);
    assert_eq!(update(&plan).1, Cause::Drift);
}

#[test]
fn marked_role_whose_creation_was_not_recorded_stays() {
    let intent = [pending(PLAIN, &role("writer", &["read"]), None)];
    let plan = planned(&marked(&["read"], None), &items(&["read"]), &intent, Adopt::Never);
    assert!(plan.is_empty() && plan.findings().is_empty(), "{plan:?}");
}

#[test]
fn pending_role_is_recognized_by_name_and_set_again() {
    let world = World::new(PLAIN).with("W", hidden("writer", None));
    let intent = [pending(PLAIN, &role("writer", &["read"]), None)];
    let plan = planned(&world, &items(&["read"]), &intent, Adopt::Never);
    assert_eq!(update(&plan).0.id(), Some(&Id::new("W")));
    let refused = [refused(PLAIN, &role("writer", &["read"]), None)];
    assert_eq!(issues(&planned(&world, &items(&["read"]), &refused, Adopt::Never)), [Issue::Conflict]);
}

#[test]
fn rename_is_refused_where_roles_cannot_be_renamed() {
    let fixed = TestDialect::KeepsNames;
    let old = role("reader", &["read"]);
    let world = World::new(fixed).with("R", old.clone());
    let plan = planned(&world, &items(&["read"]), &[present(fixed, "R", &old, None)], Adopt::Always);
    assert_eq!((issues(&plan), plan.is_empty()), (vec![Issue::Invalid], true));
    assert!(message(&plan).contains("manages reader, but its spec names writer"), "{}", message(&plan));
}
