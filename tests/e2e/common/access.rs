//! Access for a limited time, on a real API server.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::support::{ADMIN_CREDENTIAL, World, binding, free_offer_of, offer_of, request_for, role, unique};

const ALICE: &str = "alice@example.com";

async fn has_state(world: &World, name: &str, state: &str) -> Value {
    let is_so = |it: &kube::api::DynamicObject| it.data["status"]["state"] == state;
    world.until("AccessRequest", name, state, is_so).await.data["status"].clone()
}

/// A world with the role `reader`, and an offer of it without approval.
async fn offering(name: &str) -> World {
    let world = World::new(name).await;
    world.apply(role("reader", &["PROJECT_READ"], json!({}))).await;
    world.ready("Role", "reader").await;
    world.apply(free_offer_of(&binding("unused", "reader", &[ALICE], json!({})))).await;
    world
}

fn end(status: &Value) -> Timestamp {
    status["expiresAt"].as_str().expect("an end").parse().expect("a time")
}

fn has_role(world: &World) -> bool {
    world.grants_of(ALICE).iter().any(|(_, role)| role == "reader")
}

#[tokio::test(flavor = "multi_thread")]
async fn requested_access_ends_in_time() {
    let world = offering("access-ends").await;
    world.apply(request_for("one", ALICE, "5s")).await;
    let active = has_state(&world, "one", "Active").await;
    assert!(has_role(&world));
    let ended = has_state(&world, "one", "Ended").await;
    assert!(Timestamp::now() >= end(&active), "too early");
    assert_eq!((end(&ended), ended["message"].as_str()), (end(&active), Some("its time is over")));
    assert!(!has_role(&world));
    for state in ["AccessGranting", "AccessActive", "AccessEnding", "AccessEnded"] {
        world.event("one", state).await;
    }
    world.wait_deleted("RoleBinding", active["roleBinding"]["name"].as_str().unwrap()).await;
    world.assert_steady().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn requested_access_that_ended_in_a_downtime_is_revoked() {
    let mut world = offering("access-downtime").await;
    world.apply(request_for("one", ALICE, "30s")).await;
    let active = has_state(&world, "one", "Active").await;
    world.operator.kill();
    assert!(has_role(&world));
    // Only time can end it.
    let rest = end(&active).duration_since(Timestamp::now());
    tokio::time::sleep(rest.unsigned_abs() + Duration::from_millis(1)).await;
    world.restart();
    has_state(&world, "one", "Ended").await;
    assert!(!has_role(&world));
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_request_ends_the_access() {
    let world = offering("access-deleted").await;
    world.apply(request_for("one", ALICE, "1h")).await;
    let active = has_state(&world, "one", "Active").await;
    world.delete_and_wait("AccessRequest", "one").await;
    world.wait_deleted("RoleBinding", active["roleBinding"]["name"].as_str().unwrap()).await;
    assert!(!has_role(&world));
}

#[tokio::test(flavor = "multi_thread")]
async fn denied_request_says_why() {
    let world = offering("access-denied").await;
    world.apply(request_for("long", ALICE, "9h")).await;
    let denied = has_state(&world, "long", "Denied").await;
    assert_eq!(denied["message"], "spec.duration: AccessOffer on-call allows at most 8h");
    assert_eq!(world.event("long", "AccessDenied").await, denied["message"].as_str().unwrap());
    let since = world.log_position();
    let mut early = request_for("early", ALICE, "1h");
    early["spec"]["offer"] = json!("later");
    world.apply(early).await;
    let pending = has_state(&world, "early", "Pending").await;
    assert_eq!(pending["message"], "spec.offer: there is no AccessOffer later in this namespace");
    world.assert_no_writes(since);
    // The offer can come after the request.
    let mut offer = free_offer_of(&binding("unused", "reader", &[ALICE], json!({})));
    offer["metadata"]["name"] = json!("later");
    world.apply(offer).await;
    has_state(&world, "early", "Active").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_offers_and_requests_are_refused() {
    let world = World::without_backend("access-invalid").await;
    world.apply_secret(ADMIN_CREDENTIAL).await;
    let sample = binding("unused", "reader", &[ALICE], json!({}));
    let offers = [
        (json!({ "approvers": null }), "write approvers, or withoutApproval: true"),
        (json!({ "withoutApproval": true }), "write approvers, or withoutApproval: true"),
        (json!({ "requesters": {} }), "write users or groups"),
        (json!({ "maxDuration": "10s" }), "write a duration from 1m to 720h"),
        (json!({ "otherUsers": ["[a]"] }), "otherUsers"),
    ];
    for (more, words) in offers {
        let refused = world.try_apply(offer_of(&sample, more.clone())).await.unwrap_err().to_string();
        assert!(refused.contains(words), "{more}: {refused}");
    }
    for (field, value, words) in [
        ("duration", json!("0s"), "write a duration such as 2h"),
        ("reason", json!(""), "reason"),
        ("user", json!(" bob"), "remove the blanks"),
    ] {
        let mut request = request_for(&unique("refused"), ALICE, "1h");
        request["spec"][field] = value;
        let refused = world.try_apply(request).await.unwrap_err().to_string();
        assert!(refused.contains(words), "{field}: {refused}");
    }
    world.apply(request_for("one", ALICE, "1h")).await;
    let refused = world.try_apply(request_for("one", ALICE, "2h")).await.unwrap_err().to_string();
    assert!(refused.contains("an AccessRequest cannot be changed: create another one"), "{refused}");
}
