//! What [`plan`] decides, case by case.

use super::{
    testing::{
        TestDialect, World, carry_out, grant, held, issues, message, named, observed, planned, policy,
        recorded, role, verbs, want,
    },
    *,
};
use crate::model::{Body, Change, Grant, Id, Kind, Proof, RoleRef, Verb};

const ONE_ROLE: TestDialect = TestDialect::OneRoleAScope;
const NO_SCOPES: TestDialect = TestDialect::NoScopes;

fn unresolved(name: Option<&str>) -> Want {
    Want::unresolved(name.map(str::to_owned), Issue::NotFound, "there is nobody of that name")
}

#[test]
fn what_is_not_there_is_made_and_the_intent_comes_first() {
    let plan = planned(&World::new(NO_SCOPES), &[Want::new(None, role("a", &["read"]))], &[], Adopt::Never);
    assert_eq!(verbs(&plan), [Verb::Create]);
    let intent = &plan.held()[plan.steps()[0].entry];
    assert!(intent.pending());
    assert_eq!(intent.fingerprint, role("a", &["read"]).fingerprint());
}

#[test]
fn an_intent_that_came_true_is_known_again_whatever_the_adopt_policy() {
    let body = role("a", &["read"]);
    let world = World::new(NO_SCOPES).with("A", body.clone());
    let intent = held(NO_SCOPES, None, &body, None);
    let plan = planned(&world, &[Want::new(None, body)], &[intent], Adopt::Never);
    assert!(plan.is_empty() && plan.findings().is_empty());
    assert_eq!(plan.held()[0].id, Some(Id::new("A")));
    assert_eq!(plan.held()[0].origin, Origin::Created);
}

#[test]
fn what_the_back_end_refused_to_make_is_not_taken_for_ones_own() {
    let body = role("a", &["read"]);
    let world = World::new(NO_SCOPES).with("A", body.clone());
    let refused = Held { refused: true, ..held(NO_SCOPES, None, &body, None) };
    let plan = planned(&world, &[Want::new(None, body)], std::slice::from_ref(&refused), Adopt::Never);
    assert_eq!(issues(&plan), [Issue::Conflict]);
    let plan = planned(&world, &[], &[refused], Adopt::Never);
    assert!(plan.is_empty() && plan.held().is_empty());
}

#[test]
fn what_may_still_be_made_is_not_taken_to_be_absent() {
    let (body, other) = (role("a", &["read"]), role("b", &["read"]));
    let unsettled = Held { unsettled: true, ..held(NO_SCOPES, None, &body, None) };
    for wants in [vec![], vec![Want::new(None, other)]] {
        let plan = planned(&World::new(NO_SCOPES), &wants, std::slice::from_ref(&unsettled), Adopt::Never);
        assert!(plan.is_empty() && plan.held()[0].pending(), "{plan:?}");
        assert_eq!(issues(&plan), [Issue::Waiting]);
    }
    // The same create is asked for again where nothing comes of that but a refusal.
    let (again, intent) = ([Want::new(None, body.clone())], std::slice::from_ref(&unsettled));
    let plan = planned(&World::new(NO_SCOPES), &again, intent, Adopt::Never);
    assert!(plan.steps()[0].resumed);
    let plan = planned(&World::new(TestDialect::MakesTwice), &again, intent, Adopt::Never);
    assert_eq!((plan.is_empty(), issues(&plan)), (true, vec![Issue::Waiting]));
    // What was changed in the spec meanwhile is no create of the same.
    let edited = [Want::new(None, role("a", &["write"]))];
    let plan = planned(&World::new(NO_SCOPES), &edited, intent, Adopt::Never);
    assert_eq!((plan.is_empty(), issues(&plan)), (true, vec![Issue::Waiting]));
    assert_eq!(plan.held()[0].fingerprint, body.fingerprint(), "else it would not be known for ours");
}

#[test]
fn what_could_be_made_twice_is_made_only_where_it_is_proven_that_there_is_none() {
    let wants = [Want::new(None, role("a", &["read"]))];
    let made = |dialect, proof| {
        let world = World::new(dialect).prove(Kind::Role, proof);
        let plan = planned(&world, &wants, &[], Adopt::Never);
        (plan.steps().len(), plan.held().len())
    };
    assert_eq!(made(NO_SCOPES, Proof::Nowhere), (1, 1));
    assert_eq!(made(TestDialect::MakesTwice, Proof::Everywhere), (1, 1));
    assert_eq!(made(TestDialect::MakesTwice, Proof::Nowhere), (0, 0));
}

#[test]
fn what_is_taken_over_in_the_place_of_a_held_thing_does_not_make_that_forgotten() {
    let body = role("a", &["read"]);
    let world = World::new(NO_SCOPES).with("B", body.clone());
    let entry = [held(NO_SCOPES, Some("A"), &body, None)];
    let plan = planned(&world, &[Want::new(None, body)], &entry, Adopt::IfIdentical);
    assert_eq!(plan.held()[0].id, Some(Id::new("B")));
    assert_eq!(plan.gone(), [(Kind::Role, Id::new("A"))], "it is looked for before it is let go");
}

#[test]
fn never_adopting_makes_what_is_there_a_conflict_even_when_it_is_the_same() {
    let body = role("a", &["read"]);
    let world = World::new(NO_SCOPES).with("A", body.clone());
    let plan = planned(&world, &[Want::new(None, body)], &[], Adopt::Never);
    assert!(plan.is_empty() && plan.held().is_empty());
    assert_eq!(
        message(&plan),
        "Role a is there already and held by no object; adopt: Never forbids taking it over"
    );
}

#[test]
fn adopting_the_identical_takes_over_without_a_write() {
    let body = role("a", &["read"]);
    let world = World::new(NO_SCOPES).with("A", body.clone());
    let plan = planned(&world, &[Want::new(None, body)], &[], Adopt::IfIdentical);
    assert!(plan.is_empty() && plan.findings().is_empty());
    assert_eq!((&plan.held()[0].id, plan.held()[0].origin), (&Some(Id::new("A")), Origin::Adopted));
}

#[test]
fn adopting_the_identical_says_what_differs() {
    let world = World::new(NO_SCOPES).with("A", role("a", &["read", "delete"]));
    let plan = planned(&world, &[Want::new(None, role("a", &["read"]))], &[], Adopt::IfIdentical);
    assert!(plan.is_empty() && plan.held().is_empty());
    assert!(message(&plan).contains("it differs (- delete)"), "{}", message(&plan));
}

#[test]
fn always_adopting_takes_over_and_makes_equal_and_the_holding_is_recorded_before_the_write() {
    let world = World::new(NO_SCOPES).with("A", role("a", &["delete"]));
    let plan = planned(&world, &[Want::new(None, role("a", &["read"]))], &[], Adopt::Always);
    assert_eq!(verbs(&plan), [Verb::Update]);
    assert_eq!(plan.steps()[0].cause, Cause::Spec);
    assert_eq!((&plan.held()[0].id, plan.held()[0].origin), (&Some(Id::new("A")), Origin::Adopted));
}

#[test]
fn what_the_vendor_owns_is_not_taken_over_even_when_it_is_the_same() {
    let body = role("a", &["read"]);
    let mut world = World::new(NO_SCOPES).with("A", body.clone());
    world.things.get_mut(&Id::new("A")).unwrap().read_only = Some("a predefined role".to_owned());
    let plan = planned(&world, &[Want::new(None, body)], &[], Adopt::Always);
    assert_eq!(message(&plan), "a is a predefined role and cannot be written: choose another name");
    assert!(plan.is_empty() && plan.held().is_empty());
}

#[test]
fn what_is_held_and_came_to_be_the_vendors_is_neither_changed_nor_removed() {
    let body = role("a", &["read"]);
    let mut world = World::new(NO_SCOPES).with("A", body.clone());
    world.things.get_mut(&Id::new("A")).unwrap().read_only = Some("a predefined role".to_owned());
    let entry = [held(NO_SCOPES, Some("A"), &body, None)];
    let plan = planned(&world, &[Want::new(None, role("a", &["write"]))], &entry, Adopt::Always);
    assert!(plan.is_empty());
    assert_eq!(issues(&plan), [Issue::Invalid]);
    let plan = planned(&world, &[], &entry, Adopt::Always);
    assert!(plan.is_empty() && plan.held().len() == 1);
    assert_eq!(issues(&plan), [Issue::Blocked]);
}

#[test]
fn drift_is_told_from_a_change_of_the_spec() {
    let (spec, drifted) = (role("a", &["read"]), role("a", &["delete"]));
    let world = World::new(NO_SCOPES).with("A", drifted);
    let entry = [held(NO_SCOPES, Some("A"), &spec, None)];
    assert_eq!(
        planned(&world, &[Want::new(None, spec)], &entry, Adopt::Never).steps()[0].cause,
        Cause::Drift
    );
    let changed = [Want::new(None, role("a", &["write"]))];
    assert_eq!(planned(&world, &changed, &entry, Adopt::Never).steps()[0].cause, Cause::Spec);
}

#[test]
fn what_is_proven_gone_is_made_again_or_held_no_longer_and_the_plan_says_what_it_was() {
    let body = role("a", &["read"]);
    let entry = [held(NO_SCOPES, Some("A"), &body, None)];
    let gone = [(Kind::Role, Id::new("A"))];
    let plan = planned(&World::new(NO_SCOPES), &[Want::new(None, body)], &entry, Adopt::Never);
    let [step] = plan.steps() else { panic!("{plan:?}") };
    assert_eq!((step.cause, plan.gone()), (Cause::Drift, &gone[..]));
    assert!(plan.held()[0].pending());
    let plan = planned(&World::new(NO_SCOPES), &[], &entry, Adopt::Never);
    assert_eq!((plan.steps().len(), plan.held().len(), plan.gone()), (0, 0, &gone[..]));
}

#[test]
fn what_is_not_seen_and_not_proven_gone_is_neither_made_again_nor_let_go() {
    let body = role("a", &["read"]);
    let world = World::new(NO_SCOPES).prove(Kind::Role, Proof::Nowhere);
    let entry = [held(NO_SCOPES, Some("A"), &body, None)];
    for wants in [vec![Want::new(None, body)], Vec::new()] {
        let plan = planned(&world, &wants, &entry, Adopt::Always);
        assert!(plan.is_empty());
        assert_eq!(issues(&plan), [Issue::NotVisible]);
        assert_eq!(plan.held()[0].id, Some(Id::new("A")));
    }
}

#[test]
fn absence_is_proven_place_by_place() {
    let (here, there) = (grant("R", "alice", Some("p")), grant("R", "alice", Some("q")));
    let world = World::new(ONE_ROLE).prove(Kind::Grant, Proof::Within([Id::new("p")].into()));
    let entries =
        [held(ONE_ROLE, Some("1"), &here, Some("alice")), held(ONE_ROLE, Some("2"), &there, Some("alice"))];
    let plan = planned(&world, &[], &entries, Adopt::Never);
    assert_eq!(plan.held().iter().filter_map(|held| held.id.clone()).collect::<Vec<_>>(), [Id::new("2")]);
    assert_eq!(issues(&plan), [Issue::NotVisible]);
}

#[test]
fn a_hidden_role_is_not_given_up_because_another_has_the_name_that_the_spec_changes_to() {
    let (a, b) = (role("a", &["read"]), role("b", &["read"]));
    let world = World::new(NO_SCOPES).prove(Kind::Role, Proof::Nowhere).with("B", b.clone());
    let plan = planned(&world, &[Want::new(None, b)], &[held(NO_SCOPES, Some("A"), &a, None)], Adopt::Always);
    assert!(plan.is_empty());
    assert_eq!(plan.held()[0].id, Some(Id::new("A")));
    assert_eq!(issues(&plan), [Issue::NotVisible]);
}

#[test]
fn a_hidden_role_that_may_be_renamed_is_not_given_up_because_another_has_its_name() {
    let spec = role("a", &["read"]);
    let world = World::new(NO_SCOPES).prove(Kind::Role, Proof::Nowhere).with("other", spec.clone());
    let entry = [held(NO_SCOPES, Some("A"), &spec, None)];
    for wants in [vec![Want::new(None, spec)], Vec::new()] {
        let plan = planned(&world, &wants, &entry, Adopt::Always);
        assert_eq!((plan.held(), issues(&plan)), (&entry[..], vec![Issue::NotVisible]));
    }
}

#[test]
fn a_hidden_grant_is_known_to_be_gone_when_another_has_its_key() {
    let spec = grant("R", "alice", Some("p"));
    let world = World::new(ONE_ROLE).prove(Kind::Grant, Proof::Nowhere).with("other", spec.clone());
    let entry = [held(ONE_ROLE, Some("G"), &spec, Some("alice"))];
    let plan = planned(&world, &[want("alice", spec)], &entry, Adopt::IfIdentical);
    assert_eq!(plan.held()[0].id, Some(Id::new("other")));
    assert!(planned(&world, &[], &entry, Adopt::IfIdentical).held().is_empty());
}

#[test]
fn what_is_held_is_listed_in_one_order_from_plan_to_plan() {
    let mut world = World::new(NO_SCOPES);
    let wants = [
        want("x", grant("R", "3", None)),
        want("y", grant("R", "1", None)),
        want("z", grant("R", "2", None)),
    ];
    let first = planned(&world, &wants, &[], Adopt::Never);
    let ends = carry_out(&mut world, &first, |_, _| true);
    let recorded = recorded(&first, &ends);
    assert_eq!(planned(&world, &wants, &recorded, Adopt::Never).held(), recorded);
}

#[test]
fn an_intent_under_the_old_name_is_not_forgotten_when_the_spec_changes_the_name() {
    let (a, b) = (role("a", &["read"]), role("b", &["read"]));
    let intent = [held(NO_SCOPES, None, &a, None)];
    let made = World::new(NO_SCOPES).with("A", a);
    let plan = planned(&made, &[Want::new(None, b.clone())], &intent, Adopt::Never);
    assert!(matches!(&plan.steps()[0].change, Change::Update { id, .. } if *id == Id::new("A")));
    let unknown = World::new(NO_SCOPES).prove(Kind::Role, Proof::Nowhere);
    let plan = planned(&unknown, &[Want::new(None, b)], &intent, Adopt::Never);
    assert!(plan.is_empty());
    assert_eq!(plan.held(), intent);
}

#[test]
fn a_role_renamed_by_hand_is_the_same_role_by_its_id() {
    let spec = role("a", &["read"]);
    let world = World::new(NO_SCOPES).with("A", role("renamed", &["read"]));
    let entry = [held(NO_SCOPES, Some("A"), &spec, None)];
    let plan = planned(&world, &[Want::new(None, spec)], &entry, Adopt::Never);
    let [step] = plan.steps() else { panic!("{plan:?}") };
    assert_eq!((step.change.id(), step.cause), (Some(&Id::new("A")), Cause::Drift));
    assert_eq!(step.change.details(), ["name: \"renamed\" -> \"a\""]);
}

#[test]
fn a_role_is_not_renamed_to_a_name_that_another_has() {
    let (a, b) = (role("a", &["read"]), role("b", &["read"]));
    let world = World::new(NO_SCOPES).with("A", a.clone()).with("B", b.clone());
    let plan = planned(&world, &[Want::new(None, b)], &[held(NO_SCOPES, Some("A"), &a, None)], Adopt::Always);
    assert!(plan.is_empty());
    assert_eq!(message(&plan), "b is already the name of another thing in the back end");
}

#[test]
fn a_name_that_two_things_have_is_a_conflict_and_never_a_guess() {
    let body = role("a", &["read"]);
    let world = World::new(TestDialect::ManyRolesAScope).with("A1", body.clone()).with("A2", body.clone());
    let wants = [Want::new(None, body.clone())];
    assert_eq!(issues(&planned(&world, &wants, &[], Adopt::Always)), [Issue::Conflict]);
    let intent = [held(world.dialect, None, &body, None)];
    for wants in [&wants[..], &[]] {
        let plan = planned(&world, wants, &intent, Adopt::Always);
        assert!(plan.is_empty() && plan.held() == intent, "{plan:?}");
        assert_eq!(issues(&plan), [Issue::Conflict]);
    }
    let held = [held(world.dialect, Some("A2"), &body, None)];
    assert!(planned(&world, &wants, &held, Adopt::Never).findings().is_empty());
}

#[test]
fn a_role_with_grants_is_not_removed_and_they_are_named() {
    let body = role("a", &["read"]);
    let mut world = World::new(NO_SCOPES).with("A", body.clone()).with("other", role("b", &[]));
    world.put("G0", grant("other", "someone", None));
    for number in 1..=7 {
        world.put(&format!("G{number}"), grant("A", &format!("user-{number}"), None));
    }
    let plan = planned(&world, &[], &[held(NO_SCOPES, Some("A"), &body, None)], Adopt::Never);
    assert!(plan.is_empty() && plan.held().len() == 1);
    assert_eq!(issues(&plan), [Issue::Blocked]);
    assert!(message(&plan).starts_with("a is still held by the user-1 as the A; the user-2 as the A;"));
    assert!(message(&plan).ends_with("; and 2 more"));
}

#[test]
fn another_role_is_one_update_where_a_grant_can_be_changed() {
    let before = grant("R1", "alice", Some("p"));
    let world = World::new(ONE_ROLE).with("G", before.clone());
    let entry = [held(ONE_ROLE, Some("G"), &before, Some("alice"))];
    let plan = planned(&world, &[want("alice", grant("R2", "alice", Some("p")))], &entry, Adopt::Never);
    assert_eq!(verbs(&plan), [Verb::Update]);
    assert_eq!(plan.rows()[0].details, ["role: the R1 -> the R2"]);
}

#[test]
fn another_role_is_granted_before_the_old_one_goes_where_a_grant_cannot_be_changed() {
    let before = grant("R1", "alice", None);
    let world = World::new(NO_SCOPES).with("G", before.clone());
    let entry = [held(NO_SCOPES, Some("G"), &before, Some("alice"))];
    let plan = planned(&world, &[want("alice", grant("R2", "alice", None))], &entry, Adopt::Never);
    assert_eq!(verbs(&plan), [Verb::Create, Verb::Delete]);
    assert_eq!(plan.steps()[1].after, Some(0));
}

#[test]
fn the_old_role_stays_while_the_new_one_cannot_be_granted() {
    let before = grant("R1", "alice", None);
    let world = World::new(NO_SCOPES).with("G", before.clone()).with("foreign", grant("R2", "alice", None));
    let entry = [held(NO_SCOPES, Some("G"), &before, Some("alice"))];
    let plan = planned(&world, &[want("alice", grant("R2", "alice", None))], &entry, Adopt::Never);
    assert!(plan.is_empty());
    assert_eq!(plan.held(), entry);
    assert_eq!(issues(&plan), [Issue::Conflict]);
}

#[test]
fn the_old_role_stays_while_the_new_one_is_only_planned() {
    let before = grant("R1", "alice", None);
    let mut world = World::new(NO_SCOPES).with("G", before.clone());
    let body = Body::Grant(Grant {
        role: RoleRef::Planned("new".to_owned()),
        subject: named("user", "alice"),
        scope: None,
    });
    let entry = [held(NO_SCOPES, Some("G"), &before, Some("alice"))];
    let plan = planned(&world, &[want("alice", body)], &entry, Adopt::Never);
    assert_eq!(verbs(&plan), [Verb::Create, Verb::Delete]);
    carry_out(&mut world, &plan, |_, _| true);
    assert!(world.things.contains_key(&Id::new("G")));
}

#[test]
fn a_name_that_stands_for_another_account_now_changes_nothing() {
    let before = grant("R", "account-1", None);
    let world = World::new(NO_SCOPES).with("G", before.clone());
    let entry = [held(NO_SCOPES, Some("G"), &before, Some("alice@example.com"))];
    let now = grant("R", "account-2", None);
    let wants = [want("alice@example.com", now.clone())];
    let plan = planned(&world, &wants, &entry, Adopt::Always);
    assert!(plan.is_empty());
    assert_eq!(plan.held(), entry);
    assert!(
        message(&plan)
            .starts_with("alice@example.com now stands for account-2, and the grant is held for account-1")
    );
    // Nor when the old account is listed under another name: the next plan must not have forgotten.
    let both = [want("alice@example.com", now), want("account-1", before)];
    let plan = planned(&world, &both, &entry, Adopt::Always);
    let again = planned(&world, &both, plan.held(), Adopt::Always);
    assert!(plan.is_empty() && again.is_empty(), "{again:?}");
    assert_eq!(plan.held().len(), 1);
    assert_eq!(issues(&again), [Issue::Conflict]);
}

#[test]
fn every_grant_that_is_held_under_a_rebound_name_is_kept() {
    let (old, new) = (grant("R1", "account-1", None), grant("R2", "account-1", None));
    let world = World::new(NO_SCOPES).with("G1", old.clone()).with("G2", new.clone());
    let entries =
        [held(NO_SCOPES, Some("G1"), &old, Some("alice")), held(NO_SCOPES, Some("G2"), &new, Some("alice"))];
    let plan = planned(&world, &[want("alice", grant("R2", "account-2", None))], &entries, Adopt::Never);
    assert!(plan.is_empty() && plan.held().len() == 2);
}

#[test]
fn a_user_and_a_service_account_may_go_by_one_name() {
    let (user, robot) = (grant("R", "user-bob", None), grant("R", "robot-bob", None));
    let wants = [want("bob", user.clone()), want("bob", robot.clone())];
    let mut world = World::new(NO_SCOPES);
    let plan = planned(&world, &wants, &[], Adopt::Never);
    let ends = carry_out(&mut world, &plan, |_, _| true);
    let entries = recorded(&plan, &ends);
    let plan = planned(&world, &wants, &entries, Adopt::Never);
    assert!(plan.is_empty() && plan.findings().is_empty(), "{plan:?}");
    let plan = planned(&world, &wants[..1], &entries, Adopt::Never);
    assert_eq!(verbs(&plan), [Verb::Delete]);
    assert_eq!(plan.steps()[0].change.body(), &robot);
}

#[test]
fn two_names_for_one_account_are_one_grant() {
    let wants =
        [want("alice@example.com", grant("R", "alice", None)), want("alice", grant("R", "alice", None))];
    let plan = planned(&World::new(NO_SCOPES), &wants, &[], Adopt::Never);
    assert_eq!(verbs(&plan), [Verb::Create]);
    assert_eq!(plan.held().len(), 1);
    let world = World::new(NO_SCOPES).with("G", grant("R", "alice", None));
    let plan = planned(&world, &wants, &[], Adopt::Never);
    assert_eq!(plan.findings().len(), 2, "each name is told: {:?}", plan.findings());
}

#[test]
fn one_place_asked_for_in_two_ways_is_invalid() {
    let wants = [want("a", grant("R1", "alice", Some("p"))), want("b", grant("R2", "alice", Some("p")))];
    let plan = planned(&World::new(ONE_ROLE), &wants, &[], Adopt::Never);
    assert_eq!((verbs(&plan), issues(&plan)), (vec![Verb::Create], vec![Issue::Invalid]));
}

#[test]
fn a_subject_that_cannot_be_resolved_keeps_its_grant_and_the_others_get_theirs() {
    let alice = grant("R", "alice", None);
    let world = World::new(NO_SCOPES).with("G", alice.clone());
    let entry = [held(NO_SCOPES, Some("G"), &alice, Some("alice"))];
    let wants = [unresolved(Some("alice")), want("bob", grant("R", "bob", None))];
    let plan = planned(&world, &wants, &entry, Adopt::Never);
    assert_eq!((verbs(&plan), issues(&plan)), (vec![Verb::Create], vec![Issue::NotFound]));
    assert_eq!(plan.held().len(), 2);
}

#[test]
fn an_unresolved_name_does_not_hide_a_grant_from_another_name_of_the_same_account() {
    let alice = grant("R", "alice", None);
    let world = World::new(NO_SCOPES).with("G", alice.clone());
    let entry = [held(NO_SCOPES, Some("G"), &alice, Some("alice"))];
    let plan = planned(&world, &[unresolved(Some("alice")), want("the id", alice)], &entry, Adopt::Never);
    assert_eq!(issues(&plan), [Issue::NotFound]);
    assert_eq!(plan.held().len(), 1);
}

#[test]
fn where_no_subject_can_be_resolved_nothing_is_removed() {
    let alice = grant("R", "alice", None);
    let world = World::new(NO_SCOPES).with("G", alice.clone());
    let entry = [held(NO_SCOPES, Some("G"), &alice, Some("alice"))];
    for wants in [[unresolved(Some("alicia"))], [unresolved(None)]] {
        let plan = planned(&world, &wants, &entry, Adopt::Never);
        assert!(plan.is_empty());
        assert_eq!(plan.held(), entry);
    }
    assert_eq!(verbs(&planned(&world, &[], &entry, Adopt::Never)), [Verb::Delete]);
}

#[test]
fn what_is_retained_is_let_go_without_a_look() {
    let body = role("a", &["read"]);
    let world = World::new(NO_SCOPES).prove(Kind::Role, Proof::Nowhere).with("A", body.clone());
    let entry = [held(NO_SCOPES, Some("A"), &body, None)];
    let plan = plan(&[], &world.snapshot(), &entry, &policy(&NO_SCOPES, Adopt::Never, Removal::Retain));
    assert!(plan.is_empty() && plan.held().is_empty() && plan.findings().is_empty());
}

#[test]
fn one_thing_recorded_twice_is_not_removed_while_it_is_wanted() {
    let body = grant("R", "alice", None);
    let world = World::new(NO_SCOPES).with("G", body.clone());
    let twice =
        [held(NO_SCOPES, Some("G"), &body, Some("alice")), held(NO_SCOPES, None, &body, Some("alice"))];
    let plan = planned(&world, &[want("alice", body)], &twice, Adopt::Never);
    assert!(plan.is_empty());
    assert_eq!(plan.held().len(), 1);
}

#[test]
fn a_plans_hash_stays_the_same_and_tells_plans_tenants_objects_and_serials_apart() {
    let hash = |wants: &[Want], tenant: &str, uid: &str, serial: i64| {
        planned(&World::new(NO_SCOPES), wants, &[], Adopt::Never).hash(tenant, uid, serial)
    };
    let wants = [want("alice", grant("R", "alice", None)), want("bob", grant("R", "bob", None))];
    let turned = [wants[1].clone(), wants[0].clone()];
    let first = hash(&wants, "t", "u", 1);
    assert_eq!(first, "bc3a873e443f0a06", "an approval outlives an upgrade of the operator");
    assert_eq!(first, hash(&turned, "t", "u", 1));
    let other = [
        hash(&wants[..1], "t", "u", 1),
        hash(&wants, "t2", "u", 1),
        hash(&wants, "t", "u2", 1),
        hash(&wants, "t", "u", 2),
    ];
    assert!(other.iter().all(|other| *other != first));
}

#[test]
fn a_plans_hash_does_not_hang_on_what_people_call_a_subject() {
    let mut world = World::new(NO_SCOPES);
    let body = grant("R", "alice", None);
    let Body::Grant(mut called) = body.clone() else { unreachable!("it is a grant") };
    called.subject.name = "Alice".to_owned();
    world.things.insert(Id::new("G"), observed(NO_SCOPES, "G", Body::Grant(called)));
    let entry = [held(NO_SCOPES, Some("G"), &body, Some("alice"))];
    let renamed = planned(&world, &[], &entry, Adopt::Never).hash("t", "u", 1);
    world.put("G", body);
    assert_eq!(renamed, planned(&world, &[], &entry, Adopt::Never).hash("t", "u", 1));
}

#[test]
fn each_of_250_subjects_keeps_the_old_role_until_it_has_the_new_one() {
    let names: Vec<String> = (0..250).map(|number| format!("user-{number}")).collect();
    let bodies = |role: &str| names.iter().map(|name| grant(role, name, None)).collect::<Vec<_>>();
    let mut world = World::new(NO_SCOPES);
    let mut entries = Vec::new();
    for (name, body) in names.iter().zip(bodies("R1")) {
        world.put(&format!("G-{name}"), body.clone());
        entries.push(held(NO_SCOPES, Some(&format!("G-{name}")), &body, Some(name)));
    }
    let wants: Vec<Want> = names.iter().zip(bodies("R2")).map(|(name, body)| want(name, body)).collect();
    let plan = planned(&world, &wants, &entries, Adopt::Never);
    assert_eq!(plan.summary().to_string(), "+250 ~0 -250");
    for step in &plan.steps()[250..] {
        let granted = plan.steps()[step.after.expect("each waits for its replacement")].change.body();
        let subject = |body: &Body| match body {
            Body::Grant(grant) => grant.subject.id.clone(),
            _ => unreachable!("all are grants"),
        };
        assert_eq!(subject(granted), subject(step.change.body()));
    }
}
