//! Groups that a binding owns: its members and its role, and nothing else.

use std::collections::BTreeSet;

use super::{
    Adopt, Cause, Issue, Plan, Want,
    testing::{TestDialect, World, held, issues, message, named, planned, role, verbs},
};
use crate::model::{Body, Group, RoleRef, Verb};

const PLAIN: TestDialect = TestDialect::NoScopes;

fn group(roles: &[&str], members: Option<&[&str]>) -> Body {
    Body::Group(Group {
        name: "rw-readers".to_owned(),
        roles: roles.iter().map(|role| RoleRef::Existing(named("role", role))).collect(),
        members: members.map(|members| members.iter().map(|member| named("user", member)).collect()),
    })
}

fn details(plan: &Plan) -> Vec<String> {
    let [step] = plan.steps() else { panic!("not one step: {:?}", plan.steps()) };
    step.change.details()
}

#[test]
fn a_group_is_made_with_its_members_and_its_role() {
    let wants = [Want::new(None, group(&["r"], Some(&["alice", "bob"])))];
    let plan = planned(&World::new(PLAIN), &wants, &[], Adopt::IfIdentical);
    assert_eq!(verbs(&plan), [Verb::Create]);
    assert_eq!(details(&plan), ["+ role the r", "+ the alice", "+ the bob"]);
}

#[test]
fn whoever_else_is_in_it_and_whatever_else_it_gives_is_drift() {
    let wish = group(&["r"], Some(&["alice"]));
    let world = World::new(PLAIN).with("g", group(&["r", "other"], Some(&["alice", "mallory"])));
    let plan = planned(
        &world,
        &[Want::new(None, wish.clone())],
        &[held(PLAIN, Some("g"), &wish, None)],
        Adopt::Never,
    );
    assert_eq!(details(&plan), ["- role the other", "- the mallory"]);
    assert_eq!(plan.steps()[0].cause, Cause::Drift);
}

#[test]
fn members_that_are_for_somebody_else_to_say_are_left_alone() {
    let wish = group(&["r"], None);
    let world = World::new(PLAIN).with("g", group(&["other"], Some(&["alice"])));
    let plan = planned(
        &world,
        &[Want::new(None, wish.clone())],
        &[held(PLAIN, Some("g"), &wish, None)],
        Adopt::Never,
    );
    assert_eq!(details(&plan), ["+ role the r", "- role the other"]);
    let Body::Group(after) = plan.steps()[0].change.body() else { panic!("not a group") };
    assert_eq!(after.members, Some(BTreeSet::from([named("user", "alice")])));
    let equal = World::new(PLAIN).with("g", group(&["r"], Some(&["alice"])));
    assert!(
        planned(
            &equal,
            &[Want::new(None, wish.clone())],
            &[held(PLAIN, Some("g"), &wish, None)],
            Adopt::Never
        )
        .is_empty()
    );
}

#[test]
fn a_role_that_a_group_gives_is_not_removed() {
    let reader = role("reader", &["read"]);
    let world = World::new(PLAIN).with("R", reader.clone()).with("g", group(&["R"], Some(&["alice"])));
    let plan = planned(&world, &[], &[held(PLAIN, Some("R"), &reader, None)], Adopt::Never);
    assert_eq!((issues(&plan), plan.is_empty()), (vec![Issue::Blocked], true));
    assert!(message(&plan).contains("rw-readers"), "{}", message(&plan));
}
