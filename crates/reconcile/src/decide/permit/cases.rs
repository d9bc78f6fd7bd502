//! What the guards withhold, and what they remember of it.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use rolewright_api as api;
use rolewright_api::{Guards, Mode};
use rolewright_core::{
    model::{Body, Builder, Grant, Id, IdentityRules, Kind, Level, Named, Observed, Proof, RoleRef, Verb},
    planner::{self, Desired, Issue, Origin, Problem, testing::present},
};
use serde_json::{Value, json};

use super::{
    Permit, Terms,
    model::{DIALECT, decision_of},
    permit,
};
use crate::{
    access::Requested,
    decide::{guarded::guarded, plan::Decision},
};

const LIMITS: &str = "10 or 5 % within 1h";

fn grant(subject: &str) -> Body {
    let named = |level, id: &str| Named::new(level, Id::new(id), id);
    let role = RoleRef::Existing(named(Level::ROLE, "reader"));
    Body::Grant(Grant { role, subject: named(Level::USER, subject), scope: None })
}

/// A binding that manages the grants of `managed`, and now desires `desired`. Those of `missing` do not exist.
fn decision(managed: &[&str], desired: &[&str], missing: &[&str]) -> Decision {
    let mut snapshot = Builder::new();
    snapshot.prove(Kind::Grant, Proof::Everywhere);
    for name in managed {
        let body = grant(name);
        snapshot.add(Observed::new(Id::new(format!("G-{name}")), DIALECT.key(&body), body));
    }
    let found = desired.iter().map(|name| Desired::new(Some((*name).to_owned()), grant(name)));
    let not_found = missing.iter().map(|name| {
        Desired::unresolved(
            Some((*name).to_owned()),
            Problem::new(Issue::NotFound, format!("no user {name}")),
        )
    });
    let desired: Vec<Desired> = found.chain(not_found).collect();
    let recorded: Vec<_> =
        managed.iter().map(|name| present(DIALECT, &format!("G-{name}"), &grant(name), Some(name))).collect();
    decision_of(desired, &snapshot.complete(), recorded)
}

fn binding(status: Value) -> api::RoleBinding {
    serde_json::from_value(json!({
        "apiVersion": "rolewright.dev/v1alpha1", "kind": "RoleBinding",
        "metadata": {"name": "readers", "namespace": "ns", "uid": "uid", "generation": 2},
        "spec": {"backendRef": {"name": "b"}, "roleRef": {"name": "reader"}, "subjects": []},
        "status": status,
    }))
    .expect("a RoleBinding")
}

fn permitted(object: &api::RoleBinding, decision: &Decision, guards: &Guards, room: usize) -> Permit {
    let terms = Terms { account: "account", mode: Mode::Enforce, guards, own: &[] };
    permit(object, terms, decision, 0, |_| room, &[], Timestamp::UNIX_EPOCH)
}

#[test]
fn plan_that_exceeded_the_limits_waits_also_when_there_is_room() {
    let decision = decision(&["alice", "bob", "carol"], &["alice"], &[]);
    let guards = Guards::default();
    assert_eq!(guards.limits(), LIMITS);
    let fresh = binding(json!({"observedGeneration": 1}));
    let first = permitted(&fresh, &decision, &guards, 1);
    assert_eq!((first.plan.steps().len(), first.is_limited), (1, true));
    let remembered = |generation| json!({"guarded": {"generation": generation, "limits": LIMITS}});
    let later = permitted(&binding(remembered(2)), &decision, &guards, 100);
    assert!(later.plan.is_empty() && later.is_limited);
    let edited = permitted(&binding(remembered(1)), &decision, &guards, 100);
    assert_eq!(edited.plan.steps().len(), 2, "another spec");
    let raised = Guards { max_removals: Some(50), ..Guards::default() };
    assert_eq!(permitted(&binding(remembered(2)), &decision, &raised, 100).plan.steps().len(), 2);
}

#[test]
fn memory_of_the_limits_outlives_other_reasons_but_not_the_plan() {
    let object = binding(json!({"guarded": {"generation": 2, "limits": LIMITS}}));
    let waiting = decision(&["alice", "bob"], &["alice"], &[]);
    // Paused, in mode Plan or rejected: nobody looked at the limits.
    let kept = guarded(&object, &waiting, LIMITS, false).expect("a memory");
    assert_eq!((kept.generation, kept.limits.as_deref()), (2, Some(LIMITS)));
    assert_eq!(guarded(&object, &waiting, "50 or 5 % within 1h", false), None);
    assert_eq!(
        guarded(&object, &decision(&["alice"], &["alice"], &[]), LIMITS, false),
        None,
        "nothing is removed"
    );
    assert_eq!(guarded(&binding(json!(null)), &waiting, LIMITS, false), None);
    assert!(guarded(&binding(json!(null)), &waiting, LIMITS, true).is_some());
}

#[test]
fn dropped_subject_waits_while_a_new_one_is_missing() {
    let decision = decision(&["alice", "bob"], &["alice"], &["bobb"]);
    let guards = Guards::default();
    let listed = |state: &str, misspelt: Option<&str>| {
        let memory = misspelt.map(|name| json!({"generation": 1, "misspelt": name}));
        binding(json!({"subjects": [{"kind": "User", "name": "bobb", "state": state}], "guarded": memory}))
    };
    for (object, removed) in [
        (binding(json!(null)), 0),
        (listed("Pending", None), 0),
        (listed("NotFound", Some("bobb")), 0),
        (listed("NotFound", Some("another")), 1),
        (listed("NotFound", None), 1),
    ] {
        let permit = permitted(&object, &decision, &guards, 100);
        assert_eq!(permit.plan.steps().len(), removed, "{:?}", object.status);
        // It is remembered whatever else is reported.
        let memory = guarded(&object, &decision, LIMITS, false);
        assert_eq!(memory.is_some_and(|memory| memory.misspelt.as_deref() == Some("bobb")), removed == 0);
    }
}

#[test]
fn protected_role_without_holders_keeps_its_permissions() {
    let (before, after) = (
        planner::testing::role("break-glass", &["read", "write"]),
        planner::testing::role("break-glass", &["read"]),
    );
    let mut snapshot = Builder::new();
    snapshot.prove(Kind::Grant, Proof::Everywhere);
    snapshot.prove(Kind::Role, Proof::Everywhere);
    snapshot.add(Observed::new(Id::new("R"), DIALECT.key(&before), before.clone()));
    let recorded = vec![present(DIALECT, "R", &before, None)];
    let desired = vec![Desired::new(None, after)];
    let decision = decision_of(desired, &snapshot.complete(), recorded);
    let protects = Guards { protected_roles: vec!["break-*".to_owned()], ..Guards::default() };
    let object = binding(json!(null));
    assert!(permitted(&object, &decision, &protects, 100).plan.is_empty());
    let others =
        Guards { protected_roles: vec!["admin".to_owned()], max_removals: Some(0), ..Guards::default() };
    assert_eq!(permitted(&object, &decision, &others, 0).plan.steps().len(), 1, "nobody has it");
}

fn record() -> api::ApprovalRecord {
    serde_json::from_value(json!({"name": "yes", "uid": "y", "plan": "p", "approvedBy": "carol@example.com"}))
        .expect("a record")
}

#[test]
fn approval_of_a_request_covers_grants_and_no_removal() {
    let mut decision = decision(&["alice"], &["bob"], &[]);
    let terms = |guards| Terms { account: "account", mode: Mode::Approve, guards, own: &[] };
    let guards = Guards::default();
    let object = binding(json!({"observedGeneration": 2}));
    let permitted = |decision: &Decision| {
        permit(&object, terms(&guards), decision, 0, |_| 100, &[], Timestamp::UNIX_EPOCH)
    };
    assert!(permitted(&decision).plan.is_empty());
    decision.requested = Some(Requested { approval: Some(record()), is_over: false });
    let permit = permitted(&decision);
    let verbs: Vec<_> = permit.plan.steps().iter().map(|step| step.change.verb()).collect();
    assert_eq!(verbs, [Verb::Create]);
    assert_eq!(permit.approval.expect("a record").remaining.len(), 1);
    assert!(permit.withheld.is_some());
}

#[test]
fn only_the_one_grant_of_a_request_ends_without_approval() {
    let none = Guards { max_removals: Some(0), max_removal_percent: Some(0), ..Guards::default() };
    let mut object = binding(json!({"observedGeneration": 2}));
    object.metadata.deletion_timestamp = Some(Time(Timestamp::UNIX_EPOCH));
    let removed = |managed: &[&str], requested: Option<Requested>, object: &api::RoleBinding| {
        let decision = Decision { requested, ..created(decision(managed, &[], &[])) };
        permitted(object, &decision, &none, 0).plan.steps().len()
    };
    let over = |is_over| Some(Requested { approval: None, is_over });
    assert_eq!(removed(&["alice"], over(true), &object), 1);
    assert_eq!(removed(&["alice"], over(false), &object), 0);
    assert_eq!(removed(&["alice"], None, &object), 0);
    assert_eq!(removed(&["alice", "bob"], over(true), &object), 0, "it made one grant");
    object.metadata.deletion_timestamp = None;
    assert_eq!(removed(&["alice"], over(true), &object), 0);
}

/// The same, with grants that were not there before.
fn created(mut decision: Decision) -> Decision {
    decision.recorded.iter_mut().for_each(|held| held.origin = Origin::Created);
    decision
}
