//! Resources that are restricted by taking defaults away: what is taken is recorded first, and given back in the end.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{
    Adopt, Cause, Held, Issue, Others, Plan, Removal, Standing, Want, plan,
    testing::{TestDialect, World, carry_out, issues, message, named, planned, policy, recorded},
};
use crate::model::{Body, Change, Defaults, Id, Kind, Proof, Restriction};

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

fn wants() -> [Want; 1] {
    [Want::new(None, resource(Defaults::new()))]
}

fn open_now(world: &World) -> Defaults {
    match &world.things[&Id::new("f")].body {
        Body::Restriction(restriction) => restriction.open.clone(),
        other => panic!("{other:?}"),
    }
}

fn done(world: &mut World, plan: &Plan) -> Vec<Held> {
    let ends = carry_out(world, plan, |_, _| true);
    recorded(plan, &ends)
}

fn closed(world: &mut World) -> Vec<Held> {
    let plan = planned(world, &wants(), &[], Adopt::IfIdentical);
    done(world, &plan)
}

fn open_again(world: &mut World, held: &[Held]) -> Plan {
    let plan = planned(world, &[], held, Adopt::IfIdentical);
    done(world, &plan);
    plan
}

fn taken(held: &[Held]) -> Option<&Defaults> {
    let [entry] = held else { panic!("not one entry: {held:?}") };
    entry.taken.as_ref()
}

fn step(plan: &Plan) -> (&Change, Cause) {
    let [step] = plan.steps() else { panic!("not one step: {:?}", plan.steps()) };
    (&step.change, step.cause)
}

const BOTH: [(&str, &str); 2] = [("Viewer", "View"), ("Editor", "Edit")];

#[test]
fn what_is_taken_away_is_recorded_before_it_is_and_given_back_in_the_end() {
    let mut world = world(&BOTH);
    let plan = planned(&world, &wants(), &[], Adopt::Never);
    assert_eq!(taken(plan.held()), Some(&defaults(&BOTH)), "before anything is carried out");
    assert_eq!(step(&plan).0.details(), ["- Edit for Editor", "- View for Viewer"]);
    let held = done(&mut world, &plan);
    assert!(open_now(&world).is_empty());
    assert!(planned(&world, &wants(), &held, Adopt::Never).is_empty());
    let plan = open_again(&mut world, &held);
    assert_eq!(step(&plan).0.details(), ["+ Edit for Editor", "+ View for Viewer"]);
    assert_eq!(open_now(&world), defaults(&BOTH));
}

#[test]
fn what_somebody_gave_back_in_between_stays_as_they_gave_it() {
    let mut world = world(&BOTH);
    let held = closed(&mut world);
    world.put("f", resource(defaults(&[("Viewer", "Edit")])));
    open_again(&mut world, &held);
    assert_eq!(open_now(&world), defaults(&[("Viewer", "Edit"), ("Editor", "Edit")]));
}

#[test]
fn a_resource_that_was_closed_already_is_taken_over_and_stays_closed() {
    let mut world = world(&[]);
    let held = closed(&mut world);
    assert_eq!(taken(&held), Some(&Defaults::new()));
    let plan = open_again(&mut world, &held);
    assert!(plan.is_empty() && plan.held().is_empty(), "{plan:?}");
    let plan = planned(&world, &wants(), &[], Adopt::Never);
    assert_eq!(issues(&plan), [Issue::Conflict]);
}

#[test]
fn what_somebody_opens_while_it_is_closed_is_drift_and_not_given_back() {
    let mut world = world(&[("Viewer", "View")]);
    let held = closed(&mut world);
    world.put("f", resource(defaults(&BOTH)));
    let plan = planned(&world, &wants(), &held, Adopt::IfIdentical);
    assert_eq!(step(&plan).1, Cause::Drift);
    let held = done(&mut world, &plan);
    assert_eq!(taken(&held), Some(&defaults(&[("Viewer", "View")])));
}

#[test]
fn a_name_that_stands_for_another_resource_by_now_closes_and_opens_nothing() {
    let mut world = world(&BOTH);
    let held = closed(&mut world);
    let other = Body::Restriction(Restriction { resource: named("project", "g"), open: defaults(&BOTH) });
    world.put("g", other);
    let wants = [Want::new(None, Body::Restriction(Restriction::new(named("project", "g"))))];
    let plan = planned(&world, &wants, &held, Adopt::Always);
    assert_eq!((issues(&plan), plan.is_empty(), plan.held()), (vec![Issue::Conflict], true, &held[..]));
    assert!(message(&plan).contains("f is held"), "{}", message(&plan));
}

#[test]
fn who_waits_for_it_is_handed_what_was_taken_even_where_it_would_stay() {
    let mut world = world(&BOTH);
    let mut held = closed(&mut world);
    held[0].others = Others::Wait("ResourceRestriction team-a/b".to_owned());
    let plan = plan(&[], &world.snapshot(), &held, &policy(&CLOSES, Adopt::IfIdentical, Removal::Retain));
    assert_eq!((issues(&plan), plan.held().len()), (vec![Issue::Waiting], 1));
    held[0].others = Others::None;
    let plan =
        super::plan(&[], &world.snapshot(), &held, &policy(&CLOSES, Adopt::IfIdentical, Removal::Retain));
    assert!(plan.is_empty() && plan.held().is_empty());
}

#[test]
fn after_a_crash_before_the_write_what_is_open_by_then_is_recorded_too() {
    let before = world(&[("Viewer", "View")]);
    let intended = planned(&before, &wants(), &[], Adopt::IfIdentical).held().to_vec();
    let plan = planned(&world(&BOTH), &wants(), &intended, Adopt::IfIdentical);
    assert_eq!((step(&plan).1, taken(plan.held())), (Cause::Spec, Some(&defaults(&BOTH))));
    // The write was done and its answer never came: nothing is lost of what was taken.
    let plan = planned(&world(&[]), &wants(), &intended, Adopt::IfIdentical);
    assert!(plan.is_empty());
    assert_eq!(taken(plan.held()), Some(&defaults(&[("Viewer", "View")])));
}

#[test]
fn who_is_handed_a_closed_resource_gives_back_what_was_taken_for_the_one_before() {
    let mut world = world(&BOTH);
    closed(&mut world);
    let mut want = Want::new(None, resource(Defaults::new()));
    want.standing = Standing::Heir;
    want.inherited = Some(defaults(&BOTH));
    let plan = planned(&world, std::slice::from_ref(&want), &[], Adopt::IfIdentical);
    assert!(plan.is_empty());
    assert_eq!(taken(plan.held()), Some(&defaults(&BOTH)));
    // Opened against the holder before, and so against this one.
    world.put("f", resource(defaults(&[("Viewer", "Admin")])));
    let plan = planned(&world, &[want], &[], Adopt::IfIdentical);
    assert_eq!((step(&plan).1, taken(plan.held())), (Cause::Drift, Some(&defaults(&BOTH))));
}

#[test]
fn a_resource_that_was_not_looked_at_is_read_and_one_that_is_not_there_is_not_made() {
    let nothing = World::new(CLOSES);
    let plan =
        planned(&nothing.clone().prove(Kind::Restriction, Proof::Nowhere), &wants(), &[], Adopt::Always);
    assert_eq!((plan.unread(), plan.is_empty()), (&[(Kind::Restriction, Id::new("f"))][..], true));
    let plan = planned(&nothing, &wants(), &[], Adopt::Always);
    assert_eq!((issues(&plan), plan.is_empty()), (vec![Issue::NotFound], true));
    assert!(message(&plan).contains("project the f"), "{}", message(&plan));
    // The resource goes, and with it what there was to give back.
    let held = closed(&mut world(&BOTH));
    let plan = planned(&nothing, &wants(), &held, Adopt::Always);
    assert_eq!((issues(&plan), plan.is_empty()), (vec![Issue::NotFound], true));
    assert!(planned(&nothing, &[], &held, Adopt::Always).held().is_empty());
    let hidden = nothing.prove(Kind::Restriction, Proof::Nowhere);
    assert_eq!(planned(&hidden, &[], &held, Adopt::Always).unread(), [(Kind::Restriction, Id::new("f"))]);
    // It was asked for by itself, and not seen.
    let mut snapshot = hidden.snapshot();
    snapshot.mark_missing(Kind::Restriction, Id::new("f"));
    let policy = policy(&CLOSES, Adopt::Always, Removal::Delete);
    let plan = super::plan(&[], &snapshot, &held, &policy);
    assert_eq!((issues(&plan), plan.held().len()), (vec![Issue::NotVisible], 1));
    let plan = super::plan(&wants(), &snapshot, &[], &policy);
    assert_eq!((issues(&plan), plan.unread()), (vec![Issue::NotFound], &[][..]));
}

proptest! {
    /// Whatever somebody does while it is closed: in the end they have what they gave, and everybody else what they had.
    #[test]
    fn nobody_ends_with_less_than_was_taken_or_other_than_was_given(
        before in any_defaults(),
        during in any_defaults(),
        put_right in any::<bool>(),
        behind in any_defaults(),
    ) {
        let mut world = World::new(CLOSES).with("f", resource(before.clone()));
        let mut held = closed(&mut world);
        world.put("f", resource(during));
        if put_right {
            let plan = planned(&world, &wants(), &held, Adopt::IfIdentical);
            held = done(&mut world, &plan);
            prop_assert!(open_now(&world).is_empty());
        }
        world.put("f", resource(behind.clone()));
        open_again(&mut world, &held);
        let mut expected = before;
        expected.extend(behind);
        prop_assert_eq!(open_now(&world), expected);
    }
}

fn any_defaults() -> impl Strategy<Value = Defaults> {
    let whose = prop::sample::select(vec!["Viewer", "Editor"]).prop_map(str::to_owned);
    let what = prop::sample::select(vec!["View", "Edit", "Admin"]).prop_map(str::to_owned);
    prop::collection::btree_map(whose, what, 0..3).prop_map(|it: BTreeMap<String, String>| it)
}
