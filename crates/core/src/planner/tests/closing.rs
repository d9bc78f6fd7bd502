//! Resources that are closed by taking default permissions away: the plan records what it takes, and a removal restores it.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::support::{
    TestDialect, World, desired, execute_and_record, issues, message, named, planned, policy,
};
use crate::model::{Body, Change, Defaults, Id, Kind, Proof, Restriction};
use crate::planner::{Adopt, Cause, Desired, Held, Issue, OtherClaims, Plan, Removal, Standing, plan};

const CLOSES: TestDialect = TestDialect::ClosesDefaults;

fn defaults(of: &[(&str, &str)]) -> Defaults {
    of.iter().map(|(whose, what)| ((*whose).to_owned(), (*what).to_owned())).collect()
}

fn resource(open: Defaults) -> Body {
    Body::Restriction(Restriction { resource: named("project", "f"), open })
}

fn world(open: &[(&str, &str)]) -> World {
    World::new(CLOSES).with("f", resource(defaults(open)))
}

fn items() -> [Desired; 1] {
    [desired(resource(Defaults::new()))]
}

fn open_now(world: &World) -> Defaults {
    match &world.things[&Id::new("f")].body {
        Body::Restriction(restriction) => restriction.open.clone(),
        other => panic!("{other:?}"),
    }
}

/// Closes the resource and returns the entry.
fn closed(world: &mut World) -> Vec<Held> {
    let plan = planned(world, &items(), &[], Adopt::IfIdentical);
    execute_and_record(world, &plan)
}

/// Deletes the object, which opens the resource, and returns the plan.
fn open_again(world: &mut World, held: &[Held]) -> Plan {
    let plan = planned(world, &[], held, Adopt::IfIdentical);
    execute_and_record(world, &plan);
    plan
}

fn taken(held: &[Held]) -> Option<&Defaults> {
    let [entry] = held else { panic!("not one entry: {held:?}") };
    entry.taken.as_ref()
}

/// The only step.
fn step(plan: &Plan) -> (&Change, Cause) {
    let [step] = plan.steps() else { panic!("not one step: {:?}", plan.steps()) };
    (&step.change, step.cause)
}

const BOTH: [(&str, &str); 2] = [("Viewer", "View"), ("Editor", "Edit")];

#[test]
fn defaults_are_recorded_before_closing_and_restored_later() {
    let mut world = world(&BOTH);
    let plan = planned(&world, &items(), &[], Adopt::Never);
    assert_eq!(taken(plan.held()), Some(&defaults(&BOTH)), "before any write");
    assert_eq!(step(&plan).0.details(), ["- Edit for Editor", "- View for Viewer"]);
    let held = execute_and_record(&mut world, &plan);
    assert!(open_now(&world).is_empty());
    assert!(planned(&world, &items(), &held, Adopt::Never).is_empty());
    let plan = open_again(&mut world, &held);
    assert_eq!(step(&plan).0.details(), ["+ Edit for Editor", "+ View for Viewer"]);
    assert_eq!(open_now(&world), defaults(&BOTH));
}

#[test]
fn default_set_by_others_in_between_stays() {
    let mut world = world(&BOTH);
    let held = closed(&mut world);
    world.put("f", resource(defaults(&[("Viewer", "Edit")])));
    open_again(&mut world, &held);
    assert_eq!(open_now(&world), defaults(&[("Viewer", "Edit"), ("Editor", "Edit")]));
}

#[test]
fn closed_resource_is_adopted_and_stays_closed() {
    let mut world = world(&[]);
    let held = closed(&mut world);
    assert_eq!(taken(&held), Some(&Defaults::new()));
    let plan = open_again(&mut world, &held);
    assert!(plan.is_empty() && plan.held().is_empty(), "{plan:?}");
    let plan = planned(&world, &items(), &[], Adopt::Never);
    assert_eq!(issues(&plan), [Issue::Conflict]);
}

#[test]
fn default_opened_after_closing_is_drift_and_not_restored() {
    let mut world = world(&[("Viewer", "View")]);
    let held = closed(&mut world);
    world.put("f", resource(defaults(&BOTH)));
    let plan = planned(&world, &items(), &held, Adopt::IfIdentical);
    assert_eq!(step(&plan).1, Cause::Drift);
    let held = execute_and_record(&mut world, &plan);
    assert_eq!(taken(&held), Some(&defaults(&[("Viewer", "View")])));
}

#[test]
fn reassigned_resource_name_closes_and_opens_nothing() {
    let mut world = world(&BOTH);
    let held = closed(&mut world);
    let other = Body::Restriction(Restriction { resource: named("project", "g"), open: defaults(&BOTH) });
    world.put("g", other);
    let items = [desired(Body::Restriction(Restriction::new(named("project", "g"))))];
    let plan = planned(&world, &items, &held, Adopt::Always);
    assert_eq!((issues(&plan), plan.is_empty(), plan.held()), (vec![Issue::Conflict], true, &held[..]));
    assert!(message(&plan).contains("manages f"), "{}", message(&plan));
}

#[test]
fn closed_resource_is_handed_over_even_with_retain() {
    let mut world = world(&BOTH);
    let mut held = closed(&mut world);
    held[0].other_claims = OtherClaims::Waiting("ResourceRestriction team-a/b".to_owned());
    let plan = plan(&[], &world.snapshot(), &held, &policy(&CLOSES, Adopt::IfIdentical, Removal::Retain));
    assert_eq!((issues(&plan), plan.held().len()), (vec![Issue::Waiting], 1));
    held[0].other_claims = OtherClaims::None;
    let plan = crate::planner::plan(
        &[],
        &world.snapshot(),
        &held,
        &policy(&CLOSES, Adopt::IfIdentical, Removal::Retain),
    );
    assert!(plan.is_empty() && plan.held().is_empty());
}

#[test]
fn after_a_crash_newly_opened_defaults_are_recorded_too() {
    let before = world(&[("Viewer", "View")]);
    let intended = planned(&before, &items(), &[], Adopt::IfIdentical).held().to_vec();
    let plan = planned(&world(&BOTH), &items(), &intended, Adopt::IfIdentical);
    assert_eq!((step(&plan).1, taken(plan.held())), (Cause::Spec, Some(&defaults(&BOTH))));
    // The write was executed without an answer: the record of the defaults stays.
    let plan = planned(&world(&[]), &items(), &intended, Adopt::IfIdentical);
    assert!(plan.is_empty());
    assert_eq!(taken(plan.held()), Some(&defaults(&[("Viewer", "View")])));
}

#[test]
fn next_owner_inherits_the_defaults_to_restore() {
    let mut world = world(&BOTH);
    closed(&mut world);
    let mut item = desired(resource(Defaults::new()));
    item.standing = Standing::NextOwner;
    item.inherited = Some(defaults(&BOTH));
    let plan = planned(&world, std::slice::from_ref(&item), &[], Adopt::IfIdentical);
    assert!(plan.is_empty());
    assert_eq!(taken(plan.held()), Some(&defaults(&BOTH)));
    // A default that was opened after the previous manager closed the resource is drift.
    world.put("f", resource(defaults(&[("Viewer", "Admin")])));
    let plan = planned(&world, &[item], &[], Adopt::IfIdentical);
    assert_eq!((step(&plan).1, taken(plan.held())), (Cause::Drift, Some(&defaults(&BOTH))));
}

#[test]
fn closed_resource_is_adopted_with_its_kept_defaults() {
    let mut world = world(&BOTH);
    closed(&mut world);
    let mut item = desired(resource(Defaults::new()));
    item.inherited = Some(defaults(&BOTH));
    let plan = planned(&world, &[item], &[], Adopt::IfIdentical);
    assert!(plan.is_empty());
    assert_eq!(taken(plan.held()), Some(&defaults(&BOTH)));
    open_again(&mut world, plan.held());
    assert_eq!(open_now(&world), defaults(&BOTH));
}

#[test]
fn unread_resource_is_read_and_missing_one_is_not_created() {
    let nothing = World::new(CLOSES);
    let plan =
        planned(&nothing.clone().prove(Kind::Restriction, Proof::Nowhere), &items(), &[], Adopt::Always);
    assert_eq!((plan.to_read(), plan.is_empty()), (&[(Kind::Restriction, Id::new("f"))][..], true));
    let plan = planned(&nothing, &items(), &[], Adopt::Always);
    assert_eq!((issues(&plan), plan.is_empty()), (vec![Issue::NotFound], true));
    assert!(message(&plan).contains("project the f"), "{}", message(&plan));
    // The resource is deleted, and with it everything to restore.
    let held = closed(&mut world(&BOTH));
    let plan = planned(&nothing, &items(), &held, Adopt::Always);
    assert_eq!((issues(&plan), plan.is_empty()), (vec![Issue::NotFound], true));
    assert!(planned(&nothing, &[], &held, Adopt::Always).held().is_empty());
    let hidden = nothing.prove(Kind::Restriction, Proof::Nowhere);
    assert_eq!(planned(&hidden, &[], &held, Adopt::Always).to_read(), [(Kind::Restriction, Id::new("f"))]);
    // A read by id did not return it.
    let mut snapshot = hidden.snapshot();
    snapshot.mark_missing(Kind::Restriction, Id::new("f"));
    let policy = policy(&CLOSES, Adopt::Always, Removal::Delete);
    let plan = crate::planner::plan(&[], &snapshot, &held, &policy);
    assert_eq!((issues(&plan), plan.held().len()), (vec![Issue::NotVisible], 1));
    let plan = crate::planner::plan(&items(), &snapshot, &[], &policy);
    assert_eq!((issues(&plan), plan.to_read()), (vec![Issue::NotFound], &[][..]));
}

proptest! {
    /// Changes by others while the resource is closed stay; all other defaults are restored.
    #[test]
    fn principals_end_with_their_later_or_original_defaults(
        before in any_defaults(),
        during in any_defaults(),
        corrected in any::<bool>(),
        later in any_defaults(),
    ) {
        let mut world = World::new(CLOSES).with("f", resource(before.clone()));
        let mut held = closed(&mut world);
        world.put("f", resource(during));
        if corrected {
            let plan = planned(&world, &items(), &held, Adopt::IfIdentical);
            held = execute_and_record(&mut world, &plan);
            prop_assert!(open_now(&world).is_empty());
        }
        world.put("f", resource(later.clone()));
        open_again(&mut world, &held);
        let mut expected = before;
        expected.extend(later);
        prop_assert_eq!(open_now(&world), expected);
    }
}

fn any_defaults() -> impl Strategy<Value = Defaults> {
    let whose = prop::sample::select(vec!["Viewer", "Editor"]).prop_map(str::to_owned);
    let what = prop::sample::select(vec!["View", "Edit", "Admin"]).prop_map(str::to_owned);
    prop::collection::btree_map(whose, what, 0..3).prop_map(|it: BTreeMap<String, String>| it)
}
