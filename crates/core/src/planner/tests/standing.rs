//! Plans under each standing among the claims of other objects, and with each claim of others on a managed thing.

use super::support::{
    TestDialect, World, claimed, desired, desired_for, first_id, grant, issues, message, pending, planned,
    present, restriction, role, verbs, with_standing,
};
use crate::model::{Kind, Proof, Verb};
use crate::planner::{Adopt, Cause, Issue, Origin, OtherClaims, Standing};

const ONE_ROLE: TestDialect = TestDialect::OneRoleAScope;
const NO_SCOPES: TestDialect = TestDialect::NoScopes;

#[test]
fn shared_grant_is_managed_by_the_sharer_too() {
    let body = grant("R", "alice", None);
    let world = World::new(NO_SCOPES).with("G", body.clone());
    let sharer = with_standing(Standing::Shared("the other".to_owned()), desired_for("alice", body));
    let plan = planned(&world, &[sharer], &[], Adopt::Never);
    assert!(plan.is_empty() && plan.findings().is_empty());
    assert_eq!((first_id(&plan), plan.held()[0].origin), (Some("G"), Origin::Shared));
}

#[test]
fn sharer_waits_while_the_grant_is_missing_or_differs() {
    let body = grant("R1", "alice", Some("p"));
    let sharer = [with_standing(Standing::Shared("the other".to_owned()), desired_for("alice", body))];
    let different = World::new(ONE_ROLE).with("G", grant("R2", "alice", Some("p")));
    for world in [World::new(ONE_ROLE), different] {
        let plan = planned(&world, &sharer, &[], Adopt::Always);
        assert!(plan.is_empty() && plan.held().is_empty());
        assert_eq!(message(&plan), "is shared with the other, which must create or correct it first");
    }
}

#[test]
fn shared_thing_is_released_and_stays() {
    let body = grant("R", "alice", None);
    let world = World::new(NO_SCOPES).with("G", body.clone());
    let entry = claimed(OtherClaims::Shared, present(NO_SCOPES, "G", &body, Some("alice")));
    let plan = planned(&world, &[], &[entry], Adopt::Never);
    assert!(plan.is_empty() && plan.held().is_empty() && plan.findings().is_empty());
    assert_eq!(plan.still_shared(), ["the alice keeps the role the R: x grants it too"]);
}

#[test]
fn only_sharers_that_agree_correct_drift() {
    let (spec, other) = (grant("R1", "alice", Some("p")), grant("R2", "alice", Some("p")));
    let world = World::new(ONE_ROLE).with("G", spec.clone());
    let entry = [claimed(OtherClaims::Shared, present(ONE_ROLE, "G", &spec, Some("alice")))];
    let disagreeing = with_standing(Standing::Blocked("x".to_owned()), desired_for("alice", other));
    let plan = planned(&world, &[disagreeing], &entry, Adopt::Always);
    assert!(plan.is_empty() && plan.held().len() == 1);
    assert_eq!(issues(&plan), [Issue::Conflict]);
    let drifted = World::new(ONE_ROLE).with("G", grant("R3", "alice", Some("p")));
    let agreed = with_standing(Standing::Shared("x".to_owned()), desired_for("alice", spec));
    let plan = planned(&drifted, &[agreed], &entry, Adopt::Never);
    assert_eq!((verbs(&plan), plan.steps()[0].cause), (vec![Verb::Update], Cause::Drift));
}

#[test]
fn shared_thing_is_not_changed_by_one_manager() {
    let body = role("a", &["read"]);
    let world = World::new(NO_SCOPES).with("A", body.clone());
    let entry = [claimed(OtherClaims::Shared, present(NO_SCOPES, "A", &body, None))];
    let plan = planned(&world, &[desired(role("b", &["read"]))], &entry, Adopt::Always);
    assert!(plan.is_empty());
    assert_eq!(message(&plan), "a is shared with x: it can be changed after they release it");
}

#[test]
fn in_sync_sharer_is_not_affected_by_a_changed_sharer() {
    let body = grant("R", "alice", Some("p"));
    let world = World::new(ONE_ROLE).with("G", body.clone());
    let entry = [claimed(OtherClaims::Shared, present(ONE_ROLE, "G", &body, Some("alice")))];
    let blocked = with_standing(Standing::Blocked("x".to_owned()), desired_for("alice", body));
    let plan = planned(&world, &[blocked], &entry, Adopt::Never);
    assert!(plan.is_empty() && plan.findings().is_empty());
}

#[test]
fn next_owner_adopts_and_updates_with_adopt_never() {
    let world = World::new(ONE_ROLE).with("G", grant("R1", "alice", Some("p")));
    let next = with_standing(Standing::NextOwner, desired_for("alice", grant("R2", "alice", Some("p"))));
    let plan = planned(&world, &[next], &[], Adopt::Never);
    assert_eq!(verbs(&plan), [Verb::Update]);
    assert_eq!(first_id(&plan), Some("G"));
}

#[test]
fn next_owner_does_not_recreate_a_hidden_thing() {
    let world = World::new(NO_SCOPES).prove(Kind::Grant, Proof::Nowhere);
    let next = with_standing(Standing::NextOwner, desired_for("alice", grant("R", "alice", None)));
    let plan = planned(&world, &[next], &[], Adopt::Never);
    assert!(plan.is_empty() && plan.held().is_empty());
    assert_eq!(issues(&plan), [Issue::NotVisible]);
}

#[test]
fn awaited_thing_stays_until_it_is_taken_over() {
    let body = restriction("p");
    let world = World::new(ONE_ROLE).with("p", body.clone());

    let entries = [present(ONE_ROLE, "p", &body, None), pending(ONE_ROLE, &body, None)]
        .map(|held| claimed(OtherClaims::Waiting, held));
    for entry in &entries {
        let plan = planned(&world, &[], std::slice::from_ref(entry), Adopt::Never);
        assert!(plan.is_empty());
        assert_eq!(first_id(&plan), Some("p"), "a pending entry is recognized first");
        assert_eq!(message(&plan), "is being handed over to x");
    }
    let absent = planned(&World::new(ONE_ROLE), &[], &entries[..1], Adopt::Never);
    assert!(absent.held().is_empty() && absent.findings().is_empty(), "an absent thing is released");
}

#[test]
fn waiting_object_waits_and_blocked_object_conflicts() {
    let body = || desired_for("alice", grant("R", "alice", None));
    let world = World::new(NO_SCOPES).with("G", grant("R", "alice", None));
    let waiting =
        planned(&world, &[with_standing(Standing::Waiting("x".to_owned()), body())], &[], Adopt::Always);
    let blocked =
        planned(&world, &[with_standing(Standing::Blocked("x".to_owned()), body())], &[], Adopt::Always);
    assert_eq!((issues(&waiting), issues(&blocked)), (vec![Issue::Waiting], vec![Issue::Conflict]));
    assert!(
        waiting.is_empty() && blocked.is_empty() && waiting.held().is_empty() && blocked.held().is_empty()
    );
}
