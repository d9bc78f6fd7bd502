//! Groups that a binding owns: their members and roles.

use std::collections::BTreeSet;

use super::support::{
    TestDialect, World, desired, group, issues, message, named, planned, present, role, verbs,
};
use crate::model::{Body, Verb};
use crate::planner::{Adopt, Cause, Issue, Plan};

const PLAIN: TestDialect = TestDialect::NoScopes;

fn details(plan: &Plan) -> Vec<String> {
    let [step] = plan.steps() else { panic!("not one step: {:?}", plan.steps()) };
    step.change.details()
}

#[test]
fn group_is_created_with_its_members_and_role() {
    let items = [desired(group(&["r"], Some(&["alice", "bob"])))];
    let plan = planned(&World::new(PLAIN), &items, &[], Adopt::IfIdentical);
    assert_eq!(verbs(&plan), [Verb::Create]);
    assert_eq!(details(&plan), ["+ role the r", "+ the alice", "+ the bob"]);
}

#[test]
fn other_members_and_roles_are_drift() {
    let spec = group(&["r"], Some(&["alice"]));
    let world = World::new(PLAIN).with("g", group(&["r", "other"], Some(&["alice", "mallory"])));
    let plan = planned(&world, &[desired(spec.clone())], &[present(PLAIN, "g", &spec, None)], Adopt::Never);
    assert_eq!(details(&plan), ["- role the other", "- the mallory"]);
    assert_eq!(plan.steps()[0].cause, Cause::Drift);
}

#[test]
fn members_managed_elsewhere_are_not_changed() {
    let spec = group(&["r"], None);
    let world = World::new(PLAIN).with("g", group(&["other"], Some(&["alice"])));
    let plan = planned(&world, &[desired(spec.clone())], &[present(PLAIN, "g", &spec, None)], Adopt::Never);
    assert_eq!(details(&plan), ["+ role the r", "- role the other"]);
    let Body::Group(after) = plan.steps()[0].change.body() else { panic!("not a group") };
    assert_eq!(after.members, Some(BTreeSet::from([named("user", "alice")])));
    let equal = World::new(PLAIN).with("g", group(&["r"], Some(&["alice"])));
    assert!(
        planned(&equal, &[desired(spec.clone())], &[present(PLAIN, "g", &spec, None)], Adopt::Never)
            .is_empty()
    );
}

#[test]
fn role_of_a_group_is_not_deleted() {
    let reader = role("reader", &["read"]);
    let world = World::new(PLAIN).with("R", reader.clone()).with("g", group(&["R"], Some(&["alice"])));
    let plan = planned(&world, &[], &[present(PLAIN, "R", &reader, None)], Adopt::Never);
    assert_eq!((issues(&plan), plan.is_empty()), (vec![Issue::Blocked], true));
    assert!(message(&plan).contains("rw-readers"), "{}", message(&plan));
}
