//! What changes take away, and the part of a plan that is executed when the rest waits.

use std::collections::BTreeSet;

use super::support::{
    TestDialect, World, create, delete, desired, desired_for, grant, group, named, planned, present,
    restriction, role, update, verbs,
};
use crate::model::{Body, Change, Effect, Id, Kind, Named, Proof, Rule, Verb};
use crate::planner::{Adopt, Desired, Held, Loss, Plan};

const PLAIN: TestDialect = TestDialect::NoScopes;

fn denying(body: Body, action: &str) -> Body {
    let Body::Role(mut role) = body else { unreachable!("it is a role") };
    role.rules.insert(Rule { effect: Effect::Deny, action: action.to_owned(), resource: None });
    Body::Role(role)
}

fn count(change: &Change) -> usize {
    Loss::of(change, |_| None).count
}

#[test]
fn only_what_takes_access_away_is_a_removal() {
    let id = || Id::new("x");
    let reader = role("reader", &["read", "list"]);
    for (change, expected) in [
        (create(None, reader.clone()), 0),
        (create(None, grant("R", "alice", None)), 0),
        (create(None, group(&["r"], Some(&["alice"]))), 0),
        (create(None, restriction("churn")), 1),
        (update(id(), reader.clone(), role("writer", &["read", "list", "write"])), 0),
        (update(id(), reader.clone(), role("reader", &["read"])), 1),
        (update(id(), reader.clone(), role("reader", &["write"])), 2),
        (update(id(), reader.clone(), denying(reader.clone(), "write")), 1),
        (update(id(), denying(reader.clone(), "write"), reader.clone()), 0),
        (update(id(), grant("R", "alice", None), grant("S", "alice", None)), 1),
        (update(id(), restriction("churn"), restriction("churn")), 1),
        (update(id(), group(&["r"], Some(&["a", "b"])), group(&["r"], Some(&["b", "c"]))), 1),
        (update(id(), group(&["r", "s"], Some(&["a", "b"])), group(&["r"], Some(&["a"]))), 3),
        (update(id(), group(&["r"], Some(&["a", "b"])), group(&["s"], None)), 2),
        (update(id(), group(&["r"], Some(&["a"])), group(&["r", "s"], None)), 0),
        (delete(id(), group(&["r", "s"], Some(&["a", "b"]))), 4),
        (delete(id(), group(&[], Some(&[]))), 1),
        (delete(id(), grant("R", "alice", None)), 1),
        (delete(id(), reader.clone()), 1),
        (delete(id(), restriction("churn")), 1),
    ] {
        assert_eq!(count(&change), expected, "{change:?}");
    }
}

#[test]
fn losses_name_subjects_and_roles() {
    let names = |named: &BTreeSet<Named>| named.iter().map(|it| it.id.to_string()).collect::<Vec<_>>();
    let lost = |change: &Change| {
        let loss = Loss::of(change, |_| Some(BTreeSet::from([named("user", "holder")])));
        (names(&loss.subjects), names(&loss.roles))
    };
    let texts = |subjects: &[&str], roles: &[&str]| {
        let owned = |texts: &[&str]| texts.iter().map(ToString::to_string).collect::<Vec<_>>();
        (owned(subjects), owned(roles))
    };
    let id = || Id::new("x");
    assert_eq!(lost(&delete(id(), grant("R", "alice", None))), texts(&["alice"], &["R"]));
    let narrowed = update(id(), role("reader", &["read"]), role("reader", &[]));
    assert_eq!(lost(&narrowed), texts(&["holder"], &["x"]));
    let left = update(id(), group(&["r"], Some(&["a", "b"])), group(&["r"], Some(&["b"])));
    assert_eq!(lost(&left), texts(&["a"], &["r"]));
    assert_eq!(lost(&create(None, grant("R", "alice", None))), texts(&[], &[]));
}

#[test]
fn permission_of_a_role_without_holders_is_no_removal() {
    let (before, after) = (role("reader", &["read", "list"]), role("reader", &["read"]));
    let entry = [present(PLAIN, "R", &before, None)];
    let count = |world: World| {
        let plan = planned(&world.with("R", before.clone()), &[desired(after.clone())], &entry, Adopt::Never);
        plan.losses().iter().map(|loss| loss.count).sum::<usize>()
    };
    assert_eq!(count(World::new(PLAIN)), 0);
    assert_eq!(count(World::new(PLAIN).with("G", grant("R", "alice", None))), 1);
    assert_eq!(count(World::new(PLAIN).with("G", grant("S", "alice", None))), 0);
    let unproven = World::new(PLAIN).prove(Kind::Grant, Proof::Nowhere);
    assert_eq!(count(unproven), 1, "nobody knows who has the role");
}

/// A binding of `names` whose role changes from R to S, and whose last subject leaves.
fn replacement(names: &[&str]) -> (World, Vec<Held>, Plan) {
    let mut world = World::new(PLAIN);
    let mut entries = Vec::new();
    for name in names {
        let body = grant("R", name, None);
        world.put(&format!("G-{name}"), body.clone());
        entries.push(present(PLAIN, &format!("G-{name}"), &body, Some(name)));
    }
    let stay = &names[..names.len() - 1];
    let items: Vec<Desired> = stay.iter().map(|name| desired_for(name, grant("S", name, None))).collect();
    let plan = planned(&world, &items, &entries, Adopt::Never);
    (world, entries, plan)
}

#[test]
fn part_of_a_plan_leaves_no_trace_of_the_rest() {
    let (_, entries, plan) = replacement(&["alice", "bob", "carol"]);
    assert_eq!(verbs(&plan), [Verb::Create, Verb::Create, Verb::Delete, Verb::Delete, Verb::Delete]);
    let nothing = plan.only(&[false; 5], &entries);
    assert!(nothing.is_empty());
    assert_eq!(nothing.held(), entries);
    let all = plan.only(&[true; 5], &entries);
    assert_eq!(all, plan);
    // Of alice only: the create, and the delete that waits for it.
    let of_alice: Vec<bool> =
        plan.steps().iter().map(|step| step.change.body().title().contains("alice")).collect();
    let part = plan.only(&of_alice, &entries);
    assert_eq!(verbs(&part), [Verb::Create, Verb::Delete]);
    assert_eq!((part.steps()[1].after, part.losses().len(), part.held().len()), (Some(0), 2, 4));
    for step in part.steps() {
        assert!(part.held_of(step).name.as_deref() == Some("alice"), "{step:?}");
    }
    // A removal does not happen without its replacement.
    let without_creates: Vec<bool> =
        plan.steps().iter().map(|step| step.change.verb() == Verb::Delete).collect();
    assert_eq!(verbs(&plan.only(&without_creates, &entries)), [Verb::Delete], "carol leaves");
}
