//! Roles whose permissions the back end does not show, and roles that cannot be renamed.

use super::{
    Adopt, Cause, Held, Issue, Plan, Want,
    testing::{TestDialect, World, held, issues, message, planned, role},
};
use crate::model::{Body, Change, Id};

const PLAIN: TestDialect = TestDialect::NoScopes;

/// A role as a back end shows it that hides what it permits.
fn hidden(name: &str, description: Option<&str>) -> Body {
    let Body::Role(mut shown) = role(name, &[]) else { unreachable!() };
    shown.unreadable = true;
    shown.description = description.map(str::to_owned);
    Body::Role(shown)
}

fn wants(actions: &[&str]) -> [Want; 1] {
    [Want::new(None, role("writer", actions))]
}

/// What is held after these actions were applied.
fn applied(actions: &[&str]) -> [Held; 1] {
    [held(PLAIN, Some("W"), &role("writer", actions), None)]
}

fn update(plan: &Plan) -> (&Change, Cause) {
    match plan.steps() {
        [step] if matches!(step.change, Change::Update { .. }) => (&step.change, step.cause),
        steps => panic!("not one update: {steps:?}"),
    }
}

#[test]
fn what_was_last_applied_is_taken_to_be_there_and_said_to_be_unverified() {
    let world = World::new(PLAIN).with("W", hidden("writer", None));
    let plan = planned(&world, &wants(&["read"]), &applied(&["read"]), Adopt::Never);
    assert!(plan.is_empty() && plan.findings().is_empty() && plan.is_unverified(), "{plan:?}");
    let shown = World::new(PLAIN).with("W", role("writer", &["read"]));
    assert!(!planned(&shown, &wants(&["read"]), &applied(&["read"]), Adopt::Never).is_unverified());
}

#[test]
fn another_wish_or_another_text_is_written_once() {
    let world = World::new(PLAIN).with("W", hidden("writer", None));
    let plan = planned(&world, &wants(&["read", "write"]), &applied(&["read"]), Adopt::Never);
    assert_eq!(update(&plan).1, Cause::Spec);
    let world = World::new(PLAIN).with("W", hidden("writer", Some("changed by hand")));
    let plan = planned(&world, &wants(&["read"]), &applied(&["read"]), Adopt::Never);
    let (change, cause) = update(&plan);
    assert_eq!(cause, Cause::Drift);
    let told = change.details();
    assert!(told.iter().any(|line| line.contains("does not show")), "{told:?}");
}

#[test]
fn what_cannot_be_read_is_different_from_what_is_wanted() {
    let world = World::new(PLAIN).with("W", hidden("writer", None));
    for adopt in [Adopt::Never, Adopt::IfIdentical] {
        let plan = planned(&world, &wants(&["read"]), &[], adopt);
        assert_eq!((issues(&plan), plan.is_empty()), (vec![Issue::Conflict], true), "{adopt:?}");
    }
    let plan = planned(&world, &wants(&["read"]), &[], Adopt::Always);
    assert_eq!(update(&plan).1, Cause::Spec);
}

#[test]
fn a_creation_that_was_begun_is_known_by_its_name_and_set_once_more() {
    let world = World::new(PLAIN).with("W", hidden("writer", None));
    let intent = [held(PLAIN, None, &role("writer", &["read"]), None)];
    let plan = planned(&world, &wants(&["read"]), &intent, Adopt::Never);
    assert_eq!(update(&plan).0.id(), Some(&Id::new("W")));
    let refused = [Held { refused: true, ..intent[0].clone() }];
    assert_eq!(issues(&planned(&world, &wants(&["read"]), &refused, Adopt::Never)), [Issue::Conflict]);
}

#[test]
fn where_roles_keep_their_names_a_new_one_is_refused() {
    let fixed = TestDialect::KeepsNames;
    let old = role("reader", &["read"]);
    let world = World::new(fixed).with("R", old.clone());
    let plan = planned(&world, &wants(&["read"]), &[held(fixed, Some("R"), &old, None)], Adopt::Always);
    assert_eq!((issues(&plan), plan.is_empty()), (vec![Issue::Invalid], true));
    assert!(message(&plan).contains("holds reader, and its spec says writer"), "{}", message(&plan));
}
