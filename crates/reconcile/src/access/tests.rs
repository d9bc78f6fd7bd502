use rolewright_api::{ApprovalRecord, SubjectState};
use serde_json::{Value, json};

use super::*;

const NOW: &str = "2027-01-10T12:00:00Z";
const END: &str = "2027-01-10T14:00:00Z";

fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

/// Merges `changes` into an object.
fn merged(mut object: Value, changes: &Value) -> Value {
    match (object.as_object_mut(), changes.as_object()) {
        (Some(fields), Some(changes)) => {
            for (name, change) in changes {
                let field = fields.entry(name).or_insert(Value::Null);
                *field = merged(field.take(), change);
            }
            object
        }
        _ => changes.clone(),
    }
}

fn offer(changes: Value) -> AccessOffer {
    let offer = json!({
        "metadata": {"name": "admin", "namespace": "team-a"},
        "spec": {
            "backendRef": {"name": "grafana"}, "roleRef": {"external": {"name": "Admin"}}, "maxDuration": "4h",
            "requesters": {"users": ["*@example.com"], "groups": ["sre"]},
            "approvers": {"users": ["carol@example.com"], "groups": ["leads"]},
        },
    });
    serde_json::from_value(merged(offer, &changes)).expect("an AccessOffer")
}

fn request(name: &str, changes: Value) -> AccessRequest {
    let request = json!({
        "metadata": {
            "name": name, "namespace": "team-a", "uid": format!("{name}-uid"), "creationTimestamp": NOW,
        },
        "spec": {"offer": "admin", "duration": "2h", "reason": "INC-123", "requestedBy": "alice@example.com"},
    });
    serde_json::from_value(merged(request, &changes)).expect("an AccessRequest")
}

fn approval(by: &str, decision: &str, plan: &str, changes: Value) -> Arc<Approval> {
    let approval = json!({
        "metadata": {"name": "yes", "uid": format!("approval-of-{by}")},
        "spec": {
            "target": {"kind": "AccessRequest", "name": "one"}, "plan": plan, "decision": decision, "approvedBy": by,
        },
    });
    serde_json::from_value(merged(approval, &changes)).map(Arc::new).expect("an Approval")
}

#[derive(Default)]
struct World {
    offer: Option<AccessOffer>,
    others: Vec<Arc<AccessRequest>>,
    approvals: Vec<Arc<Approval>>,
    binding: Option<RoleBinding>,
    role: Option<&'static str>,
}

impl World {
    fn offering(changes: Value) -> Self {
        Self { offer: Some(offer(changes)), ..Self::default() }
    }

    fn decide(&self, request: &AccessRequest, now: &str) -> Verdict {
        decide(&Case {
            request,
            offer: self.offer.as_ref(),
            role: self.role,
            others: &self.others,
            approvals: &self.approvals,
            binding: self.binding.as_ref(),
            now: at(now),
        })
    }

    /// The state and message.
    fn said(&self, request: &AccessRequest) -> (AccessState, String) {
        let status = self.decide(request, NOW).status;
        (status.state.expect("a state"), status.message.expect("a message"))
    }
}

/// Fails unless the request is denied with a message that contains this.
fn denied(world: &World, request: &AccessRequest, why: &str) {
    let (state, message) = world.said(request);
    assert!(state == AccessState::Denied && message.contains(why), "{state:?} {message}");
}

fn plan() -> String {
    plan_of(&request("one", json!({})), &offer(json!({})))
}

/// The plan of a request under an offer.
fn plan_of(request: &AccessRequest, offer: &AccessOffer) -> String {
    let world = World { offer: Some(offer.clone()), ..World::default() };
    world.decide(request, NOW).status.plan.expect("a plan")
}

/// A request that was granted, and its RoleBinding.
fn granted() -> (AccessRequest, RoleBinding) {
    let world = World {
        approvals: vec![approval("carol@example.com", "Approve", &plan(), json!({}))],
        ..World::offering(json!({}))
    };
    let mut request = request("one", json!({}));
    let mut status = world.decide(&request, NOW).status;
    status.role_binding.as_mut().expect("a RoleBinding").uid = Some("binding-uid".to_owned());
    let spec = binding_of(&status).expect("a spec");
    request.status = Some(status);
    let mut binding = RoleBinding::new("one-one-uid", spec);
    binding.metadata.uid = Some("binding-uid".to_owned());
    binding.metadata.namespace = Some("team-a".to_owned());
    binding.metadata.annotations =
        Some([("rolewright.dev/access-request".to_owned(), "one".to_owned())].into());
    (request, binding)
}

fn with_subject(mut binding: RoleBinding, state: SubjectState) -> RoleBinding {
    let state = serde_json::to_value(state).unwrap();
    let subject = json!({"kind": "User", "name": "alice@example.com", "state": state});
    binding.status = serde_json::from_value(json!({"subjects": [subject]})).expect("a status");
    binding
}

#[test]
fn request_waits_for_an_approver_of_the_offer() {
    let mut world = World::offering(json!({}));
    let one = request("one", json!({}));
    let verdict = world.decide(&one, NOW);
    assert_eq!(verdict.status.state, Some(AccessState::Pending));
    assert_eq!(verdict.status.plan, Some(plan()));
    assert!(verdict.status.message.unwrap().contains("by users carol@example.com and groups leads"));
    assert_eq!((verdict.step, verdict.next), (None, Some(at("2027-01-11T12:00:00Z"))));

    world.approvals = vec![approval("bob@example.com", "Approve", &plan(), json!({}))];
    let verdict = world.decide(&one, NOW);
    assert_eq!(verdict.status.state, Some(AccessState::Pending));
    assert_eq!(verdict.decided[0].1, ApprovalState::Ignored);
    assert!(verdict.decided[0].2.contains("bob@example.com is not an approver"), "{}", verdict.decided[0].2);

    world.approvals.push(approval(
        "dave@example.com",
        "Approve",
        &plan(),
        json!({"spec": {"groups": ["leads"]}}),
    ));
    let verdict = world.decide(&one, "2027-01-10T12:00:00.7Z");
    assert_eq!(verdict.status.state, Some(AccessState::Granting));
    assert_eq!(verdict.step, Some(BindingStep::Create));
    assert_eq!(verdict.status.expires_at, Some(Time(at(END))), "whole seconds from the approval on");
    assert_eq!(verdict.status.approval.unwrap().approved_by, "dave@example.com");
    let states: Vec<_> = verdict.decided.iter().map(|(_, state, _)| *state).collect();
    assert_eq!(states, [ApprovalState::Ignored, ApprovalState::Executed]);
}

#[test]
fn own_request_is_approved_only_if_allowed() {
    let spec = json!({"spec": {"requestedBy": "carol@example.com"}});
    let own = request("one", spec);
    let mut world = World::offering(json!({}));
    let plan = plan_of(&own, world.offer.as_ref().unwrap());
    world.approvals = vec![approval("carol@example.com", "Approve", &plan, json!({}))];
    let verdict = world.decide(&own, NOW);
    assert_eq!(verdict.status.state, Some(AccessState::Pending));
    assert!(verdict.decided[0].2.contains("a request of its own"));
    world.offer = Some(offer(json!({"spec": {"allowSelfApproval": true}})));
    assert_eq!(world.said(&own).0, AccessState::Granting);

    // For somebody else: the one who gets the role is not who approves it.
    let for_carol = request("one", json!({"spec": {"user": "carol@example.com"}}));
    world.offer = Some(offer(json!({"spec": {"otherUsers": ["carol@*"]}})));
    let plan = plan_of(&for_carol, world.offer.as_ref().unwrap());
    world.approvals = vec![approval("carol@example.com", "Approve", &plan, json!({}))];
    assert_eq!(world.said(&for_carol).0, AccessState::Pending);
}

#[test]
fn approval_of_another_plan_does_nothing() {
    let one = request("one", json!({}));
    let mut world = World::offering(json!({"spec": {"roleRef": {"external": {"name": "Other"}}}}));
    world.approvals = vec![approval("carol@example.com", "Approve", &plan(), json!({}))];
    let verdict = world.decide(&one, NOW);
    assert_eq!(verdict.status.state, Some(AccessState::Pending));
    assert_eq!(verdict.decided[0].1, ApprovalState::Outdated);
    for changes in [json!({"spec": {"duration": "3h"}}), json!({"metadata": {"uid": "another"}})] {
        assert_ne!(plan_of(&request("one", changes), &offer(json!({}))), plan());
    }
    // A Role that was deleted and created again.
    let of_role = |role| {
        let named = json!({"spec": {"roleRef": {"external": null, "name": "on-call"}}});
        let world = World { role: Some(role), ..World::offering(named) };
        world.decide(&one, NOW).status.plan
    };
    assert_ne!(of_role("first"), of_role("second"));
    assert_ne!(plan_of(&one, &offer(json!({"spec": {"scope": {"id": "s"}}}))), plan());
    assert_ne!(plan_of(&one, &offer(json!({"spec": {"backendRef": {"kind": "ClusterBackend"}}}))), plan());
    assert_eq!(plan_of(&one, &offer(json!({"spec": {"maxDuration": "3h"}}))), plan());
}

#[test]
fn offer_without_approval_is_granted_at_once() {
    let world = World::offering(json!({"spec": {"approvers": null, "withoutApproval": true}}));
    let verdict = world.decide(&request("one", json!({})), NOW);
    assert_eq!(
        (verdict.status.state, verdict.step),
        (Some(AccessState::Granting), Some(BindingStep::Create))
    );
    assert_eq!(verdict.status.approval, None);
}

#[test]
fn request_that_the_offer_does_not_allow_is_denied() {
    let world = World::offering(json!({}));
    let stranger = json!({"spec": {"requestedBy": "eve@example.org"}});
    denied(&world, &request("one", stranger.clone()), "is for users *@example.com and groups sre");
    let member = merged(stranger, &json!({"spec": {"groups": ["sre"]}}));
    assert_eq!(world.said(&request("one", member)).0, AccessState::Pending);
    denied(&world, &request("one", json!({"spec": {"duration": "4h1s"}})), "at most 4h");
    denied(&world, &request("one", json!({"spec": {"user": "bob@example.com"}})), "leave spec.user out");
    assert_eq!(World::default().said(&request("one", json!({}))).0, AccessState::Pending);
}

#[test]
fn requests_of_one_requester_are_limited() {
    let mut world = World::offering(json!({"spec": {"limits": {"maxPerDay": 2, "cooldown": "8h"}}}));
    let other = |name: &str, created: &str, changes: Value| {
        let made = json!({"metadata": {"creationTimestamp": created}});
        Arc::new(request(name, merged(made, &changes)))
    };
    let grant =
        json!({"user": "alice@example.com", "backendRef": {"name": "grafana"}, "roleRef": {"name": "r"}});
    let ended = |at: &str| json!({"status": {"state": "Ended", "endedAt": at, "grant": grant}});
    let one = request("one", json!({}));

    world.others = vec![other("open", "2027-01-10T11:00:00Z", json!({}))];
    denied(&world, &one, "AccessRequest open of the same offer is still open");
    // A newer one waits for this one, unless it is granted.
    world.others = vec![other("newer", "2027-01-10T12:00:01Z", json!({}))];
    assert_eq!(world.said(&one).0, AccessState::Pending);
    world.others = vec![other("newer", "2027-01-10T12:00:01Z", json!({"status": {"grant": grant}}))];
    denied(&world, &one, "still open");
    // Another requester counts only if the same user has got the role.
    let by_bob = json!({"spec": {"requestedBy": "bob@example.com", "user": "alice@example.com"}});
    world.others = vec![other("open", "2027-01-10T11:00:00Z", by_bob.clone())];
    assert_eq!(world.said(&one).0, AccessState::Pending);
    let granted = merged(by_bob, &json!({"status": {"grant": grant}}));
    world.others = vec![other("open", "2027-01-10T11:00:00Z", granted)];
    denied(&world, &one, "still open");

    let long_ago = ended("2027-01-10T03:00:00Z");
    world.others = vec![
        other("a", "2027-01-10T01:00:00Z", long_ago.clone()),
        other("b", "2027-01-10T02:00:00Z", json!({"status": {"state": "Denied"}})),
        other("c", "2027-01-09T11:59:59Z", long_ago.clone()),
    ];
    assert_eq!(world.said(&one).0, AccessState::Pending, "one within a day, one denied, one long ago");
    world.others.push(other("d", "2027-01-10T02:30:00Z", long_ago));
    denied(&world, &one, "allows 2 requests within 24 hours");
    world.others = vec![other("a", "2027-01-10T02:00:00Z", ended("2027-01-10T04:00:01Z"))];
    denied(&world, &one, "allows the next request at 2027-01-10T12:00:01Z");
}

#[test]
fn request_waits_for_a_day_at_most() {
    let world = World::offering(json!({}));
    let one = request("one", json!({}));
    let state = |now: &str| world.decide(&one, now).status.state;
    assert_eq!(state("2027-01-11T11:59:59Z"), Some(AccessState::Pending));
    assert_eq!(state("2027-01-11T12:00:00Z"), Some(AccessState::Denied));
}

#[test]
fn rejected_request_is_denied_and_granted_access_ends() {
    let rejection = approval("bob@example.com", "Reject", &plan(), json!({"spec": {"reason": "not now"}}));
    let world = World { approvals: vec![rejection.clone()], ..World::offering(json!({})) };
    denied(&world, &request("one", json!({})), "bob@example.com (not now) rejected the request");

    let (one, binding) = granted();
    let world = World { approvals: vec![rejection], binding: Some(binding), ..World::default() };
    let verdict = world.decide(&one, NOW);
    assert_eq!((verdict.status.state, verdict.step), (Some(AccessState::Ending), Some(BindingStep::Delete)));
    assert_eq!(verdict.status.end_reason.as_deref(), Some("bob@example.com (not now) ended it"));
    assert_eq!(verdict.decided[0].1, ApprovalState::Rejected);
}

#[test]
fn access_is_active_until_its_time_is_over() {
    let (mut one, binding) = granted();
    // The offer was deleted: what was granted stays granted.
    let mut world = World { binding: Some(binding.clone()), ..World::default() };
    assert_eq!(world.said(&one).0, AccessState::Granting);
    world.binding = Some(with_subject(binding.clone(), SubjectState::NotFound));
    assert_eq!(world.said(&one).0, AccessState::Granting);
    world.binding = Some(with_subject(binding.clone(), SubjectState::Granted));
    let verdict = world.decide(&one, NOW);
    assert_eq!((verdict.status.state, verdict.next), (Some(AccessState::Active), Some(at(END))));

    let verdict = world.decide(&one, END);
    assert_eq!((verdict.status.state, verdict.step), (Some(AccessState::Ending), Some(BindingStep::Delete)));
    one.status = Some(verdict.status);
    // A clock that is set back changes nothing.
    assert_eq!(world.decide(&one, NOW).step, Some(BindingStep::Delete));
    world.binding = None;
    let verdict = world.decide(&one, END);
    assert_eq!(verdict.step, Some(BindingStep::Find));
    let status = ended(verdict.status, at(END));
    assert_eq!(status.message.as_deref(), Some("its time is over"));
    one.status = Some(status.clone());
    let again = world.decide(&one, END);
    assert_eq!((again.status, again.step), (status, None));
}

#[test]
fn access_whose_role_binding_was_deleted_is_not_granted_again() {
    let (one, mut binding) = granted();
    // Unknown is not absent: the operator reads it from the API server first.
    let verdict = World::default().decide(&one, NOW);
    assert_eq!((verdict.status.state, verdict.step), (Some(AccessState::Granting), Some(BindingStep::Find)));
    let status = ended(verdict.status, at(NOW));
    assert_eq!(
        (status.state, status.message.as_deref()),
        (Some(AccessState::Ended), Some("its RoleBinding was deleted"))
    );
    binding.metadata.deletion_timestamp = Some(Time(at(NOW)));
    let verdict = World { binding: Some(binding), ..World::default() }.decide(&one, NOW);
    assert_eq!((verdict.status.state, verdict.step), (Some(AccessState::Ending), None));
}

#[test]
fn changed_role_binding_is_restored() {
    let (one, mut binding) = granted();
    let good = binding.clone();
    binding.spec.expires_at = None;
    assert!(requested(&binding, &one, None).is_some_and(|it| it.approval.is_none()), "nobody approved that");
    let mut unnamed = good.clone();
    unnamed.metadata.annotations = None;
    // Also at the end, and while it is being deleted.
    let mut deleted = binding.clone();
    deleted.metadata.deletion_timestamp = Some(Time(at(NOW)));
    for (binding, now) in [(binding.clone(), NOW), (binding, END), (deleted, NOW), (unnamed, NOW)] {
        let verdict = World { binding: Some(binding), ..World::default() }.decide(&one, now);
        assert_eq!(verdict.step, Some(BindingStep::Restore));
    }
    assert_eq!(World { binding: Some(good), ..World::default() }.decide(&one, NOW).step, None);
}

#[test]
fn crash_before_the_role_binding_is_known_creates_it_again() {
    let (mut one, _) = granted();
    one.status.as_mut().unwrap().role_binding.as_mut().unwrap().uid = None;
    let verdict = World::default().decide(&one, NOW);
    assert_eq!((verdict.step, verdict.status.expires_at), (Some(BindingStep::Create), Some(Time(at(END)))));
    assert_eq!(World::default().decide(&one, END).step, Some(BindingStep::Find), "it can exist");
}

#[test]
fn request_speaks_only_for_its_own_role_binding() {
    let (mut one, binding) = granted();
    let by = |binding: &RoleBinding, request: &AccessRequest, role| {
        Some(requested(binding, request, role)?.approval.map(|approval: ApprovalRecord| approval.approved_by))
    };
    assert_eq!(by(&binding, &one, None), Some(Some("carol@example.com".to_owned())));
    assert_eq!(by(&binding, &one, Some("another Role")), Some(None));
    let mut copy = binding.clone();
    copy.metadata.uid = Some("copy".to_owned());
    assert_eq!(by(&copy, &one, None), None);
    // It covers the grant once.
    let mut granted = one.clone();
    granted.status.as_mut().unwrap().granted_at = Some(Time(at(NOW)));
    assert_eq!(by(&binding, &granted, None), Some(None));
    one.status.as_mut().unwrap().end_reason = Some("its time is over".to_owned());
    let over = requested(&binding, &one, None).expect("its own");
    assert!(over.is_over && over.approval.is_none());
}

#[test]
fn role_binding_that_adopted_is_not_made_for_a_request() {
    let (one, mut binding) = granted();
    let owner = json!({"apiVersion": "v1", "kind": "AccessRequest", "name": "one", "uid": "one-uid"});
    assert!(!is_made_for(&binding, &one));
    binding.metadata.owner_references = serde_json::from_value(json!([owner])).unwrap();
    assert!(is_made_for(&binding, &one));
    for (origin, is_its_own) in [("Created", true), ("Adopted", false)] {
        let held = json!({"kind": "Grant", "id": "g", "key": {}, "origin": origin, "state": "Present", "fingerprint": ""});
        binding.status = serde_json::from_value(json!({"held": [held]})).expect("a status");
        assert_eq!(is_made_for(&binding, &one), is_its_own);
    }
}

#[test]
fn names_of_the_cluster_are_exact_and_can_have_a_prefix() {
    let users = json!({"users": ["oidc:*"], "groups": []});
    let spec = json!({"requesters": users, "userPrefix": "oidc:", "approvers": {"users": ["oidc:carol@example.com"]}});
    let world = World::offering(json!({ "spec": spec }));
    let one = request("one", json!({"spec": {"requestedBy": "oidc:carol@example.com"}}));
    let plan = world.decide(&one, NOW).status.plan.unwrap();
    for (by, why) in
        [("oidc:Carol@example.com", "is not an approver"), ("oidc:carol@example.com", "of its own")]
    {
        let approvals = vec![approval(by, "Approve", &plan, json!({}))];
        let verdict = World { approvals, offer: world.offer.clone(), ..World::default() }.decide(&one, NOW);
        assert!(verdict.decided[0].2.contains(why), "{}", verdict.decided[0].2);
    }
    let by_dave = request("two", json!({"spec": {"requestedBy": "oidc:dave@example.com"}}));
    let plan = world.decide(&by_dave, NOW).status.plan.unwrap();
    let approvals = vec![approval("oidc:carol@example.com", "Approve", &plan, json!({}))];
    let verdict = World { approvals, offer: world.offer.clone(), ..World::default() }.decide(&by_dave, NOW);
    assert_eq!(verdict.status.grant.unwrap().user, "dave@example.com");
}

#[test]
fn old_request_is_not_granted_after_a_downtime() {
    let world = World::offering(json!({"spec": {"approvers": null, "withoutApproval": true}}));
    let verdict = world.decide(&request("one", json!({})), "2027-01-12T00:00:00Z");
    assert_eq!((verdict.status.state, verdict.step), (Some(AccessState::Denied), None));
}

#[test]
fn approval_waits_while_the_offer_is_replaced() {
    let mut one = request("one", json!({}));
    one.status = Some(World::offering(json!({})).decide(&one, NOW).status);
    let world = World {
        approvals: vec![approval("carol@example.com", "Approve", &plan(), json!({}))],
        ..World::default()
    };
    let verdict = world.decide(&one, NOW);
    assert_eq!((verdict.status.state, verdict.decided.len()), (Some(AccessState::Pending), 0));
}
