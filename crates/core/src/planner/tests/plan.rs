//! Decisions of [`plan`], case by case.

use super::support::{
    TestDialect, World, all_unresolved, desired, desired_for, execute, execute_and_record, first_id, grant,
    issues, message, named, observed, pending, planned, policy, present, refused, role, unresolved,
    unsettled, verbs,
};
use crate::model::{Body, Change, Grant, Id, Kind, Proof, RoleRef, Verb};
use crate::planner::{Adopt, Cause, Desired, Issue, Origin, Removal, plan};

const ONE_ROLE: TestDialect = TestDialect::OneRoleAScope;
const NO_SCOPES: TestDialect = TestDialect::NoScopes;

#[test]
fn missing_thing_is_created_with_a_recorded_intent() {
    let plan = planned(&World::new(NO_SCOPES), &[desired(role("a", &["read"]))], &[], Adopt::Never);
    assert_eq!(verbs(&plan), [Verb::Create]);
    let intent = plan.held_of(&plan.steps()[0]);
    assert!(!intent.is_present());
    assert_eq!(intent.fingerprint, role("a", &["read"]).fingerprint());
}

#[test]
fn own_unrecorded_create_is_recognized_with_adopt_never() {
    let body = role("a", &["read"]);
    let world = World::new(NO_SCOPES).with("A", body.clone());
    let intent = pending(NO_SCOPES, &body, None);
    let plan = planned(&world, &[desired(body)], &[intent], Adopt::Never);
    assert!(plan.is_empty() && plan.findings().is_empty());
    assert_eq!(first_id(&plan), Some("A"));
    assert_eq!(plan.held()[0].origin, Origin::Created);
}

#[test]
fn refused_create_is_not_recognized_as_own() {
    let body = role("a", &["read"]);
    let world = World::new(NO_SCOPES).with("A", body.clone());
    let refused = refused(NO_SCOPES, &body, None);
    let plan = planned(&world, &[desired(body)], std::slice::from_ref(&refused), Adopt::Never);
    assert_eq!(issues(&plan), [Issue::Conflict]);
    let plan = planned(&world, &[], &[refused], Adopt::Never);
    assert!(plan.is_empty() && plan.held().is_empty());
}

#[test]
fn unanswered_create_does_not_count_as_absent() {
    let (body, other) = (role("a", &["read"]), role("b", &["read"]));
    let unsettled = unsettled(NO_SCOPES, &body, None);
    for items in [vec![], vec![desired(other)]] {
        let plan = planned(&World::new(NO_SCOPES), &items, std::slice::from_ref(&unsettled), Adopt::Never);
        assert!(plan.is_empty() && !plan.held()[0].is_present(), "{plan:?}");
        assert_eq!(issues(&plan), [Issue::Waiting]);
    }
    // The same create is repeated only where the back end refuses a duplicate.
    let (again, intent) = ([desired(body.clone())], std::slice::from_ref(&unsettled));
    let plan = planned(&World::new(NO_SCOPES), &again, intent, Adopt::Never);
    assert!(plan.steps()[0].resumed);
    let plan = planned(&World::new(TestDialect::MakesTwice), &again, intent, Adopt::Never);
    assert_eq!((plan.is_empty(), issues(&plan)), (true, vec![Issue::Waiting]));
    // A changed spec is another create.
    let edited = [desired(role("a", &["write"]))];
    let plan = planned(&World::new(NO_SCOPES), &edited, intent, Adopt::Never);
    assert_eq!((plan.is_empty(), issues(&plan)), (true, vec![Issue::Waiting]));
    assert_eq!(plan.held()[0].fingerprint, body.fingerprint(), "it identifies the unanswered create");
}

#[test]
fn create_needs_proof_where_duplicates_are_accepted() {
    let items = [desired(role("a", &["read"]))];
    let counts = |dialect, proof| {
        let world = World::new(dialect).prove(Kind::Role, proof);
        let plan = planned(&world, &items, &[], Adopt::Never);
        (plan.steps().len(), plan.held().len())
    };
    assert_eq!(counts(NO_SCOPES, Proof::Nowhere), (1, 1));
    assert_eq!(counts(TestDialect::MakesTwice, Proof::Everywhere), (1, 1));
    assert_eq!(counts(TestDialect::MakesTwice, Proof::Nowhere), (0, 0));
}

#[test]
fn adopting_a_replacement_reports_the_old_thing_absent() {
    let body = role("a", &["read"]);
    let world = World::new(NO_SCOPES).with("B", body.clone());
    let entry = [present(NO_SCOPES, "A", &body, None)];
    let plan = planned(&world, &[desired(body)], &entry, Adopt::IfIdentical);
    assert_eq!(first_id(&plan), Some("B"));
    assert_eq!(
        plan.absent(),
        [(Kind::Role, Id::new("A"))],
        "the controller looks for it before it records this"
    );
}

#[test]
fn adopt_never_conflicts_with_an_identical_thing() {
    let body = role("a", &["read"]);
    let world = World::new(NO_SCOPES).with("A", body.clone());
    let plan = planned(&world, &[desired(body)], &[], Adopt::Never);
    assert!(plan.is_empty() && plan.held().is_empty());
    assert_eq!(
        message(&plan),
        "Role a already exists, and no object manages it; spec.adopt: Never forbids adopting it"
    );
}

#[test]
fn identical_thing_is_adopted_without_a_write() {
    let body = role("a", &["read"]);
    let world = World::new(NO_SCOPES).with("A", body.clone());
    let plan = planned(&world, &[desired(body)], &[], Adopt::IfIdentical);
    assert!(plan.is_empty() && plan.findings().is_empty());
    assert_eq!((first_id(&plan), plan.held()[0].origin), (Some("A"), Origin::Adopted));
}

#[test]
fn adopt_if_identical_reports_the_difference() {
    let world = World::new(NO_SCOPES).with("A", role("a", &["read", "delete"]));
    let plan = planned(&world, &[desired(role("a", &["read"]))], &[], Adopt::IfIdentical);
    assert!(plan.is_empty() && plan.held().is_empty());
    assert!(message(&plan).contains("differs from the spec (- delete)"), "{}", message(&plan));
}

#[test]
fn adopt_always_records_the_thing_before_the_update() {
    let world = World::new(NO_SCOPES).with("A", role("a", &["delete"]));
    let plan = planned(&world, &[desired(role("a", &["read"]))], &[], Adopt::Always);
    assert_eq!(verbs(&plan), [Verb::Update]);
    assert_eq!(plan.steps()[0].cause, Cause::Spec);
    assert_eq!((first_id(&plan), plan.held()[0].origin), (Some("A"), Origin::Adopted));
}

#[test]
fn read_only_thing_is_never_adopted() {
    let body = role("a", &["read"]);
    let mut world = World::new(NO_SCOPES).with("A", body.clone());
    world.things.get_mut(&Id::new("A")).unwrap().read_only = Some("a predefined role".to_owned());
    let plan = planned(&world, &[desired(body)], &[], Adopt::Always);
    assert_eq!(message(&plan), "a is a predefined role and cannot be changed: choose another name");
    assert!(plan.is_empty() && plan.held().is_empty());
}

#[test]
fn managed_thing_that_became_read_only_stays() {
    let body = role("a", &["read"]);
    let mut world = World::new(NO_SCOPES).with("A", body.clone());
    world.things.get_mut(&Id::new("A")).unwrap().read_only = Some("a predefined role".to_owned());
    let entry = [present(NO_SCOPES, "A", &body, None)];
    let plan = planned(&world, &[desired(role("a", &["write"]))], &entry, Adopt::Always);
    assert!(plan.is_empty());
    assert_eq!(issues(&plan), [Issue::Invalid]);
    let plan = planned(&world, &[], &entry, Adopt::Always);
    assert!(plan.is_empty() && plan.held().len() == 1);
    assert_eq!(issues(&plan), [Issue::Blocked]);
}

#[test]
fn drift_and_spec_change_have_different_causes() {
    let (spec, drifted) = (role("a", &["read"]), role("a", &["delete"]));
    let world = World::new(NO_SCOPES).with("A", drifted);
    let entry = [present(NO_SCOPES, "A", &spec, None)];
    assert_eq!(planned(&world, &[desired(spec)], &entry, Adopt::Never).steps()[0].cause, Cause::Drift);
    let changed = [desired(role("a", &["write"]))];
    assert_eq!(planned(&world, &changed, &entry, Adopt::Never).steps()[0].cause, Cause::Spec);
}

#[test]
fn absent_thing_is_recreated_or_released_and_reported() {
    let body = role("a", &["read"]);
    let entry = [present(NO_SCOPES, "A", &body, None)];
    let absent = [(Kind::Role, Id::new("A"))];
    let plan = planned(&World::new(NO_SCOPES), &[desired(body)], &entry, Adopt::Never);
    let [step] = plan.steps() else { panic!("{plan:?}") };
    assert_eq!((step.cause, plan.absent()), (Cause::Drift, &absent[..]));
    assert!(!plan.held()[0].is_present());
    let plan = planned(&World::new(NO_SCOPES), &[], &entry, Adopt::Never);
    assert_eq!((plan.steps().len(), plan.held().len(), plan.absent()), (0, 0, &absent[..]));
}

#[test]
fn invisible_thing_is_neither_recreated_nor_released() {
    let body = role("a", &["read"]);
    let world = World::new(NO_SCOPES).prove(Kind::Role, Proof::Nowhere);
    let entry = [present(NO_SCOPES, "A", &body, None)];
    for items in [vec![desired(body)], Vec::new()] {
        let plan = planned(&world, &items, &entry, Adopt::Always);
        assert!(plan.is_empty());
        assert_eq!(issues(&plan), [Issue::NotVisible]);
        assert_eq!(first_id(&plan), Some("A"));
    }
}

#[test]
fn absence_is_proven_place_by_place() {
    let (here, there) = (grant("R", "alice", Some("p")), grant("R", "alice", Some("q")));
    let world = World::new(ONE_ROLE).prove(Kind::Grant, Proof::Within([Id::new("p")].into()));
    let entries =
        [present(ONE_ROLE, "1", &here, Some("alice")), present(ONE_ROLE, "2", &there, Some("alice"))];
    let plan = planned(&world, &[], &entries, Adopt::Never);
    assert_eq!(plan.held().iter().filter_map(|held| held.id()).collect::<Vec<_>>(), [&Id::new("2")]);
    assert_eq!(issues(&plan), [Issue::NotVisible]);
}

#[test]
fn hidden_role_stays_if_the_new_name_is_taken() {
    let (a, b) = (role("a", &["read"]), role("b", &["read"]));
    let world = World::new(NO_SCOPES).prove(Kind::Role, Proof::Nowhere).with("B", b.clone());
    let plan = planned(&world, &[desired(b)], &[present(NO_SCOPES, "A", &a, None)], Adopt::Always);
    assert!(plan.is_empty());
    assert_eq!(first_id(&plan), Some("A"));
    assert_eq!(issues(&plan), [Issue::NotVisible]);
}

#[test]
fn hidden_role_stays_if_another_role_has_its_name() {
    let spec = role("a", &["read"]);
    let world = World::new(NO_SCOPES).prove(Kind::Role, Proof::Nowhere).with("other", spec.clone());
    let entry = [present(NO_SCOPES, "A", &spec, None)];
    for items in [vec![desired(spec)], Vec::new()] {
        let plan = planned(&world, &items, &entry, Adopt::Always);
        assert_eq!((plan.held(), issues(&plan)), (&entry[..], vec![Issue::NotVisible]));
    }
}

#[test]
fn grant_is_absent_if_another_grant_has_its_key() {
    let spec = grant("R", "alice", Some("p"));
    let world = World::new(ONE_ROLE).prove(Kind::Grant, Proof::Nowhere).with("other", spec.clone());
    let entry = [present(ONE_ROLE, "G", &spec, Some("alice"))];
    let plan = planned(&world, &[desired_for("alice", spec)], &entry, Adopt::IfIdentical);
    assert_eq!(first_id(&plan), Some("other"));
    assert!(planned(&world, &[], &entry, Adopt::IfIdentical).held().is_empty());
}

#[test]
fn entries_keep_their_order_from_plan_to_plan() {
    let mut world = World::new(NO_SCOPES);
    let items = [
        desired_for("x", grant("R", "3", None)),
        desired_for("y", grant("R", "1", None)),
        desired_for("z", grant("R", "2", None)),
    ];
    let first = planned(&world, &items, &[], Adopt::Never);
    let recorded = execute_and_record(&mut world, &first);
    assert_eq!(planned(&world, &items, &recorded, Adopt::Never).held(), recorded);
}

#[test]
fn pending_entry_survives_a_rename_in_the_spec() {
    let (a, b) = (role("a", &["read"]), role("b", &["read"]));
    let intent = [pending(NO_SCOPES, &a, None)];
    let created = World::new(NO_SCOPES).with("A", a);
    let plan = planned(&created, &[desired(b.clone())], &intent, Adopt::Never);
    assert!(matches!(&plan.steps()[0].change, Change::Update { id, .. } if *id == Id::new("A")));
    let unknown = World::new(NO_SCOPES).prove(Kind::Role, Proof::Nowhere);
    let plan = planned(&unknown, &[desired(b)], &intent, Adopt::Never);
    assert!(plan.is_empty());
    assert_eq!(plan.held(), intent);
}

#[test]
fn role_renamed_by_hand_is_found_by_id() {
    let spec = role("a", &["read"]);
    let world = World::new(NO_SCOPES).with("A", role("renamed", &["read"]));
    let entry = [present(NO_SCOPES, "A", &spec, None)];
    let plan = planned(&world, &[desired(spec)], &entry, Adopt::Never);
    let [step] = plan.steps() else { panic!("{plan:?}") };
    assert_eq!((step.change.id(), step.cause), (Some(&Id::new("A")), Cause::Drift));
    assert_eq!(step.change.details(), ["name: \"renamed\" -> \"a\""]);
}

#[test]
fn role_is_not_renamed_to_a_taken_name() {
    let (a, b) = (role("a", &["read"]), role("b", &["read"]));
    let world = World::new(NO_SCOPES).with("A", a.clone()).with("B", b.clone());
    let plan = planned(&world, &[desired(b)], &[present(NO_SCOPES, "A", &a, None)], Adopt::Always);
    assert!(plan.is_empty());
    assert_eq!(message(&plan), "b is already the name of another thing in the back end");
}

#[test]
fn ambiguous_name_is_a_conflict() {
    let body = role("a", &["read"]);
    let world = World::new(TestDialect::ManyRolesAScope).with("A1", body.clone()).with("A2", body.clone());
    let items = [desired(body.clone())];
    assert_eq!(issues(&planned(&world, &items, &[], Adopt::Always)), [Issue::Conflict]);
    let intent = [pending(world.dialect, &body, None)];
    for items in [&items[..], &[]] {
        let plan = planned(&world, items, &intent, Adopt::Always);
        assert!(plan.is_empty() && plan.held() == intent, "{plan:?}");
        assert_eq!(issues(&plan), [Issue::Conflict]);
    }
    let held = [present(world.dialect, "A2", &body, None)];
    assert!(planned(&world, &items, &held, Adopt::Never).findings().is_empty());
}

#[test]
fn role_with_grants_is_not_deleted_and_grants_are_named() {
    let body = role("a", &["read"]);
    let mut world = World::new(NO_SCOPES).with("A", body.clone()).with("other", role("b", &[]));
    world.put("G0", grant("other", "someone", None));
    for number in 1..=7 {
        world.put(&format!("G{number}"), grant("A", &format!("user-{number}"), None));
    }
    let plan = planned(&world, &[], &[present(NO_SCOPES, "A", &body, None)], Adopt::Never);
    assert!(plan.is_empty() && plan.held().len() == 1);
    assert_eq!(issues(&plan), [Issue::Blocked]);
    assert!(message(&plan).starts_with("a is still granted: the user-1 as the A; the user-2 as the A;"));
    assert!(message(&plan).ends_with("; and 2 more"));
}

#[test]
fn role_change_is_one_update_if_grants_are_updatable() {
    let before = grant("R1", "alice", Some("p"));
    let world = World::new(ONE_ROLE).with("G", before.clone());
    let entry = [present(ONE_ROLE, "G", &before, Some("alice"))];
    let plan =
        planned(&world, &[desired_for("alice", grant("R2", "alice", Some("p")))], &entry, Adopt::Never);
    assert_eq!(verbs(&plan), [Verb::Update]);
    assert_eq!(plan.rows()[0].details, ["role: the R1 -> the R2"]);
}

#[test]
fn new_role_is_granted_before_the_old_one_is_deleted() {
    let before = grant("R1", "alice", None);
    let world = World::new(NO_SCOPES).with("G", before.clone());
    let entry = [present(NO_SCOPES, "G", &before, Some("alice"))];
    let plan = planned(&world, &[desired_for("alice", grant("R2", "alice", None))], &entry, Adopt::Never);
    assert_eq!(verbs(&plan), [Verb::Create, Verb::Delete]);
    assert_eq!(plan.steps()[1].after, Some(0));
}

#[test]
fn old_role_stays_while_the_new_one_cannot_be_granted() {
    let before = grant("R1", "alice", None);
    let world = World::new(NO_SCOPES).with("G", before.clone()).with("foreign", grant("R2", "alice", None));
    let entry = [present(NO_SCOPES, "G", &before, Some("alice"))];
    let plan = planned(&world, &[desired_for("alice", grant("R2", "alice", None))], &entry, Adopt::Never);
    assert!(plan.is_empty());
    assert_eq!(plan.held(), entry);
    assert_eq!(issues(&plan), [Issue::Conflict]);
}

#[test]
fn old_role_stays_while_the_new_one_is_only_planned() {
    let before = grant("R1", "alice", None);
    let mut world = World::new(NO_SCOPES).with("G", before.clone());
    let body = Body::Grant(Grant {
        role: RoleRef::Planned("new".to_owned()),
        subject: named("user", "alice"),
        scope: None,
    });
    let entry = [present(NO_SCOPES, "G", &before, Some("alice"))];
    let plan = planned(&world, &[desired_for("alice", body)], &entry, Adopt::Never);
    assert_eq!(verbs(&plan), [Verb::Create, Verb::Delete]);
    execute(&mut world, &plan);
    assert!(world.things.contains_key(&Id::new("G")));
}

#[test]
fn reassigned_name_changes_nothing() {
    let before = grant("R", "account-1", None);
    let world = World::new(NO_SCOPES).with("G", before.clone());
    let entry = [present(NO_SCOPES, "G", &before, Some("alice@example.com"))];
    let now = grant("R", "account-2", None);
    let items = [desired_for("alice@example.com", now.clone())];
    let plan = planned(&world, &items, &entry, Adopt::Always);
    assert!(plan.is_empty());
    assert_eq!(plan.held(), entry);
    assert!(message(&plan).starts_with(
        "alice@example.com now refers to account-2, but this object manages a grant for account-1"
    ));
    // Nothing changes either if the old account is listed under another name, and the next plan still knows.
    let both = [desired_for("alice@example.com", now), desired_for("account-1", before)];
    let plan = planned(&world, &both, &entry, Adopt::Always);
    let again = planned(&world, &both, plan.held(), Adopt::Always);
    assert!(plan.is_empty() && again.is_empty(), "{again:?}");
    assert_eq!(plan.held().len(), 1);
    assert_eq!(issues(&again), [Issue::Conflict]);
}

#[test]
fn all_grants_of_a_reassigned_name_stay() {
    let (old, new) = (grant("R1", "account-1", None), grant("R2", "account-1", None));
    let world = World::new(NO_SCOPES).with("G1", old.clone()).with("G2", new.clone());
    let entries =
        [present(NO_SCOPES, "G1", &old, Some("alice")), present(NO_SCOPES, "G2", &new, Some("alice"))];
    let plan =
        planned(&world, &[desired_for("alice", grant("R2", "account-2", None))], &entries, Adopt::Never);
    assert!(plan.is_empty() && plan.held().len() == 2);
}

#[test]
fn user_and_service_account_can_share_a_name() {
    let (user, robot) = (grant("R", "user-bob", None), grant("R", "robot-bob", None));
    let items = [desired_for("bob", user.clone()), desired_for("bob", robot.clone())];
    let mut world = World::new(NO_SCOPES);
    let plan = planned(&world, &items, &[], Adopt::Never);
    let entries = execute_and_record(&mut world, &plan);
    let plan = planned(&world, &items, &entries, Adopt::Never);
    assert!(plan.is_empty() && plan.findings().is_empty(), "{plan:?}");
    let plan = planned(&world, &items[..1], &entries, Adopt::Never);
    assert_eq!(verbs(&plan), [Verb::Delete]);
    assert_eq!(plan.steps()[0].change.body(), &robot);
}

#[test]
fn two_names_of_one_account_are_one_grant() {
    let items = [
        desired_for("alice@example.com", grant("R", "alice", None)),
        desired_for("alice", grant("R", "alice", None)),
    ];
    let plan = planned(&World::new(NO_SCOPES), &items, &[], Adopt::Never);
    assert_eq!(verbs(&plan), [Verb::Create]);
    assert_eq!(plan.held().len(), 1);
    let world = World::new(NO_SCOPES).with("G", grant("R", "alice", None));
    let plan = planned(&world, &items, &[], Adopt::Never);
    assert_eq!(plan.findings().len(), 2, "one for each name: {:?}", plan.findings());
}

#[test]
fn two_roles_for_one_scope_are_invalid() {
    let items = [
        desired_for("a", grant("R1", "alice", Some("p"))),
        desired_for("b", grant("R2", "alice", Some("p"))),
    ];
    let plan = planned(&World::new(ONE_ROLE), &items, &[], Adopt::Never);
    assert_eq!((verbs(&plan), issues(&plan)), (vec![Verb::Create], vec![Issue::Invalid]));
}

#[test]
fn unresolved_subject_keeps_its_grant_others_get_theirs() {
    let alice = grant("R", "alice", None);
    let world = World::new(NO_SCOPES).with("G", alice.clone());
    let entry = [present(NO_SCOPES, "G", &alice, Some("alice"))];
    let items = [unresolved(Some("alice")), desired_for("bob", grant("R", "bob", None))];
    let plan = planned(&world, &items, &entry, Adopt::Never);
    assert_eq!((verbs(&plan), issues(&plan)), (vec![Verb::Create], vec![Issue::NotFound]));
    assert_eq!(plan.held().len(), 2);
}

#[test]
fn unresolved_name_does_not_hide_grant_from_other_name() {
    let alice = grant("R", "alice", None);
    let world = World::new(NO_SCOPES).with("G", alice.clone());
    let entry = [present(NO_SCOPES, "G", &alice, Some("alice"))];
    let plan =
        planned(&world, &[unresolved(Some("alice")), desired_for("the id", alice)], &entry, Adopt::Never);
    assert_eq!(issues(&plan), [Issue::NotFound]);
    assert_eq!(plan.held().len(), 1);
}

#[test]
fn nothing_is_deleted_while_its_name_is_unresolved() {
    let alice = grant("R", "alice", None);
    let world = World::new(NO_SCOPES).with("G", alice.clone());
    let entry = [present(NO_SCOPES, "G", &alice, Some("alice"))];
    for items in [[unresolved(Some("alice"))], [unresolved(None)], [all_unresolved(&["alice"])]] {
        let plan = planned(&world, &items, &entry, Adopt::Never);
        assert!(plan.is_empty());
        assert_eq!(plan.held(), entry);
    }
    assert_eq!(verbs(&planned(&world, &[], &entry, Adopt::Never)), [Verb::Delete]);
}

#[test]
fn dropped_subject_is_revoked_while_others_are_unresolved() {
    let (alice, bob) = (grant("R", "alice", None), grant("R", "bob", None));
    let world = World::new(NO_SCOPES).with("G", alice.clone()).with("H", bob.clone());
    let entries =
        [present(NO_SCOPES, "G", &alice, Some("alice")), present(NO_SCOPES, "H", &bob, Some("bob"))];
    for items in [[unresolved(Some("bob"))], [all_unresolved(&["bob"])]] {
        let plan = planned(&world, &items, &entries, Adopt::Never);
        assert_eq!((verbs(&plan), issues(&plan)), (vec![Verb::Delete], vec![Issue::NotFound]));
        assert_eq!(plan.steps()[0].change.body(), &alice);
    }
}

#[test]
fn unresolved_spec_keeps_a_thing_without_a_name() {
    let body = role("a", &["read"]);
    let world = World::new(NO_SCOPES).with("A", body.clone());
    let entry = [present(NO_SCOPES, "A", &body, None)];
    for items in [[unresolved(Some("alice"))], [all_unresolved(&["alice"])]] {
        assert_eq!(planned(&world, &items, &entry, Adopt::Never).held(), entry);
    }
}

#[test]
fn retained_thing_is_released_even_if_it_is_not_visible() {
    let body = role("a", &["read"]);
    let world = World::new(NO_SCOPES).prove(Kind::Role, Proof::Nowhere).with("A", body.clone());
    let entry = [present(NO_SCOPES, "A", &body, None)];
    let plan = plan(&[], &world.snapshot(), &entry, &policy(&NO_SCOPES, Adopt::Never, Removal::Retain));
    assert!(plan.is_empty() && plan.held().is_empty() && plan.findings().is_empty());
}

#[test]
fn thing_recorded_twice_stays_while_desired() {
    let body = grant("R", "alice", None);
    let world = World::new(NO_SCOPES).with("G", body.clone());
    let twice = [present(NO_SCOPES, "G", &body, Some("alice")), pending(NO_SCOPES, &body, Some("alice"))];
    let plan = planned(&world, &[desired_for("alice", body)], &twice, Adopt::Never);
    assert!(plan.is_empty());
    assert_eq!(plan.held().len(), 1);
}

#[test]
fn hash_is_stable_and_covers_account_object_and_serial() {
    let hash = |items: &[Desired], tenant: &str, uid: &str, serial: i64| {
        planned(&World::new(NO_SCOPES), items, &[], Adopt::Never).hash(tenant, uid, serial)
    };
    let items =
        [desired_for("alice", grant("R", "alice", None)), desired_for("bob", grant("R", "bob", None))];
    let turned = [items[1].clone(), items[0].clone()];
    let first = hash(&items, "t", "u", 1);
    assert_eq!(
        first, "v1-bc3a873e443f0a0658bf58585a168aa9c6b2cb15",
        "an approval must survive an upgrade of the operator"
    );
    assert_eq!(first, hash(&turned, "t", "u", 1));
    let other = [
        hash(&items[..1], "t", "u", 1),
        hash(&items, "t2", "u", 1),
        hash(&items, "t", "u2", 1),
        hash(&items, "t", "u", 2),
    ];
    assert!(other.iter().all(|other| *other != first));
}

#[test]
fn hash_does_not_depend_on_display_names() {
    let mut world = World::new(NO_SCOPES);
    let body = grant("R", "alice", None);
    let Body::Grant(mut other_name) = body.clone() else { unreachable!("it is a grant") };
    other_name.subject.name = "Alice".into();
    world.things.insert(Id::new("G"), observed(NO_SCOPES, "G", Body::Grant(other_name)));
    let entry = [present(NO_SCOPES, "G", &body, Some("alice"))];
    let renamed = planned(&world, &[], &entry, Adopt::Never).hash("t", "u", 1);
    world.put("G", body);
    assert_eq!(renamed, planned(&world, &[], &entry, Adopt::Never).hash("t", "u", 1));
}

#[test]
fn each_of_250_subjects_gets_the_new_role_first() {
    let names: Vec<String> = (0..250).map(|number| format!("user-{number}")).collect();
    let bodies = |role: &str| names.iter().map(|name| grant(role, name, None)).collect::<Vec<_>>();
    let mut world = World::new(NO_SCOPES);
    let mut entries = Vec::new();
    for (name, body) in names.iter().zip(bodies("R1")) {
        world.put(&format!("G-{name}"), body.clone());
        entries.push(present(NO_SCOPES, &format!("G-{name}"), &body, Some(name)));
    }
    let items: Vec<Desired> =
        names.iter().zip(bodies("R2")).map(|(name, body)| desired_for(name, body)).collect();
    let plan = planned(&world, &items, &entries, Adopt::Never);
    assert_eq!(plan.summary().to_string(), "+250 ~0 -250");
    for step in &plan.steps()[250..] {
        let granted = plan.steps()[step.after.expect("each removal waits for its replacement")].change.body();
        let subject = |body: &Body| match body {
            Body::Grant(grant) => grant.subject.id.clone(),
            _ => unreachable!("all are grants"),
        };
        assert_eq!(subject(granted), subject(step.change.body()));
    }
}
