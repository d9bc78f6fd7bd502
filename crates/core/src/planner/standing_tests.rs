//! What [`plan`] makes of an object's standing to others, and of what others have to do with what it holds.

use super::{
    testing::{TestDialect, World, grant, held, issues, message, planned, restriction, role, verbs, want},
    *,
};
use crate::model::{Id, Kind, Proof, Verb};

const ONE_ROLE: TestDialect = TestDialect::OneRoleAScope;
const NO_SCOPES: TestDialect = TestDialect::NoScopes;

fn standing(standing: Standing, want: Want) -> Want {
    Want { standing, ..want }
}

#[test]
fn a_shared_grant_is_held_by_the_sharer_too() {
    let body = grant("R", "alice", None);
    let world = World::new(NO_SCOPES).with("G", body.clone());
    let sharer = standing(Standing::Shared("the other".to_owned()), want("alice", body));
    let plan = planned(&world, &[sharer], &[], Adopt::Never);
    assert!(plan.is_empty() && plan.findings().is_empty());
    assert_eq!((&plan.held()[0].id, plan.held()[0].origin), (&Some(Id::new("G")), Origin::Shared));
}

#[test]
fn a_sharer_waits_while_the_grant_is_not_there_or_not_right() {
    let body = grant("R1", "alice", Some("p"));
    let sharer = [standing(Standing::Shared("the other".to_owned()), want("alice", body))];
    let not_right = World::new(ONE_ROLE).with("G", grant("R2", "alice", Some("p")));
    for world in [World::new(ONE_ROLE), not_right] {
        let plan = planned(&world, &sharer, &[], Adopt::Always);
        assert!(plan.is_empty() && plan.held().is_empty());
        assert_eq!(message(&plan), "is shared with the other, which has to make it or put it right first");
    }
}

#[test]
fn what_others_hold_too_is_let_go_and_stays() {
    let body = grant("R", "alice", None);
    let world = World::new(NO_SCOPES).with("G", body.clone());
    let entry =
        Held { others: Others::Hold("x".to_owned()), ..held(NO_SCOPES, Some("G"), &body, Some("alice")) };
    let plan = planned(&world, &[], &[entry], Adopt::Never);
    assert!(plan.is_empty() && plan.held().is_empty() && plan.findings().is_empty());
}

#[test]
fn a_sharer_that_wants_something_else_changes_nothing_and_drift_is_put_right_by_those_that_agree() {
    let (spec, other) = (grant("R1", "alice", Some("p")), grant("R2", "alice", Some("p")));
    let world = World::new(ONE_ROLE).with("G", spec.clone());
    let others = Others::Hold("x".to_owned());
    let entry = [Held { others, ..held(ONE_ROLE, Some("G"), &spec, Some("alice")) }];
    let at_odds = standing(Standing::Blocked("x".to_owned()), want("alice", other));
    let plan = planned(&world, &[at_odds], &entry, Adopt::Always);
    assert!(plan.is_empty() && plan.held().len() == 1);
    assert_eq!(issues(&plan), [Issue::Conflict]);
    let drifted = World::new(ONE_ROLE).with("G", grant("R3", "alice", Some("p")));
    let agreed = standing(Standing::Shared("x".to_owned()), want("alice", spec));
    let plan = planned(&drifted, &[agreed], &entry, Adopt::Never);
    assert_eq!((verbs(&plan), plan.steps()[0].cause), (vec![Verb::Update], Cause::Drift));
}

#[test]
fn what_others_hold_too_is_not_changed_without_their_consent() {
    let body = role("a", &["read"]);
    let world = World::new(NO_SCOPES).with("A", body.clone());
    let others = Others::Hold("x".to_owned());
    let entry = [Held { others, ..held(NO_SCOPES, Some("A"), &body, None) }];
    let plan = planned(&world, &[Want::new(None, role("b", &["read"]))], &entry, Adopt::Always);
    assert!(plan.is_empty());
    assert_eq!(message(&plan), "a is shared with x: it is changed once they let go of it");
}

#[test]
fn who_is_in_sync_does_not_suffer_from_a_sharer_that_changed() {
    let body = grant("R", "alice", Some("p"));
    let world = World::new(ONE_ROLE).with("G", body.clone());
    let others = Others::Hold("x".to_owned());
    let entry = [Held { others, ..held(ONE_ROLE, Some("G"), &body, Some("alice")) }];
    let blocked = standing(Standing::Blocked("x".to_owned()), want("alice", body));
    let plan = planned(&world, &[blocked], &entry, Adopt::Never);
    assert!(plan.is_empty() && plan.findings().is_empty());
}

#[test]
fn an_heir_takes_over_whatever_its_adopt_policy_and_makes_equal() {
    let world = World::new(ONE_ROLE).with("G", grant("R1", "alice", Some("p")));
    let heir = standing(Standing::Heir, want("alice", grant("R2", "alice", Some("p"))));
    let plan = planned(&world, &[heir], &[], Adopt::Never);
    assert_eq!(verbs(&plan), [Verb::Update]);
    assert_eq!(plan.held()[0].id, Some(Id::new("G")));
}

#[test]
fn an_heir_does_not_make_again_what_may_only_be_hidden() {
    let world = World::new(NO_SCOPES).prove(Kind::Grant, Proof::Nowhere);
    let heir = standing(Standing::Heir, want("alice", grant("R", "alice", None)));
    let plan = planned(&world, &[heir], &[], Adopt::Never);
    assert!(plan.is_empty() && plan.held().is_empty());
    assert_eq!(issues(&plan), [Issue::NotVisible]);
}

#[test]
fn what_another_waits_for_is_kept_until_it_is_taken_over() {
    let body = restriction("p");
    let world = World::new(ONE_ROLE).with("p", body.clone());
    let waited_for = |id| Held { others: Others::Wait("x".to_owned()), ..held(ONE_ROLE, id, &body, None) };
    for id in [Some("p"), None] {
        let plan = planned(&world, &[], &[waited_for(id)], Adopt::Never);
        assert!(plan.is_empty());
        assert_eq!(plan.held()[0].id, Some(Id::new("p")), "an intent is resolved before it is handed over");
        assert_eq!(message(&plan), "is being handed over to x");
    }
    let gone = planned(&World::new(ONE_ROLE), &[], &[waited_for(Some("p"))], Adopt::Never);
    assert!(gone.held().is_empty() && gone.findings().is_empty(), "what is gone keeps nobody");
}

#[test]
fn who_is_behind_waits_and_who_is_blocked_conflicts() {
    let body = || want("alice", grant("R", "alice", None));
    let world = World::new(NO_SCOPES).with("G", grant("R", "alice", None));
    let behind = planned(&world, &[standing(Standing::Behind("x".to_owned()), body())], &[], Adopt::Always);
    let blocked = planned(&world, &[standing(Standing::Blocked("x".to_owned()), body())], &[], Adopt::Always);
    assert_eq!((issues(&behind), issues(&blocked)), (vec![Issue::Waiting], vec![Issue::Conflict]));
    assert!(behind.is_empty() && blocked.is_empty() && behind.held().is_empty() && blocked.held().is_empty());
}
