//! A user creates by hand, after the last sweep, what an object is about to create. It stays the user's unless the object can adopt it.

use serde_json::json;

use crate::support::{World, binding, managed_ids, role};

/// A world that is swept rarely. After the first sweep a user grants the role `reader` to alice by hand.
async fn granted_by_hand(name: &str) -> World {
    let world = World::without_backend(name).await;
    world.connect_with(json!({ "sweepInterval": "1h" })).await;
    world
        .apply_all(&[
            role("reader", &["PROJECT_READ"], json!({})),
            binding("first", "reader", &["bob@example.com"], json!({})),
        ])
        .await;
    world.grant_by_hand("alice@example.com", "reader", "research");
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn grant_made_by_hand_since_the_sweep_is_a_conflict() {
    let world = granted_by_hand("by-hand-never").await;
    let access = world.access();
    world.apply(binding("second", "reader", &["alice@example.com"], json!({ "adopt": "Never" }))).await;
    let object =
        world.reports("RoleBinding", "second", "Conflict", &["already exists", "adopt: Never"]).await;
    assert!(managed_ids(&object).is_empty());
    world.delete_and_wait("RoleBinding", "second").await;
    assert_eq!(world.access(), access);
}

#[tokio::test(flavor = "multi_thread")]
async fn grant_made_by_hand_since_the_sweep_can_be_adopted() {
    let world = granted_by_hand("by-hand-adopt").await;
    let access = world.access();
    world.apply(binding("second", "reader", &["alice@example.com"], json!({}))).await;
    let ready = world.ready("RoleBinding", "second").await;
    assert_eq!(ready.data["status"]["held"][0]["origin"], "Adopted");
    world.event("second", "Adopted").await;
    assert_eq!(world.access(), access);
}
