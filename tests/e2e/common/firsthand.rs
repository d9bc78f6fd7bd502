//! Somebody makes by hand what an object is about to make, after the last sweep: it stays theirs unless the object may take it over.

use rolewright_simulators::arize::role_bindings;
use serde_json::json;

use crate::support::{KEY, World, backend, binding, held_ids, role};

const READ: &str = "PROJECT_READ";

/// An account that is swept seldom, and a grant and a role made by hand after the first sweep.
async fn made_by_hand(name: &str) -> World {
    let world = World::without_backend(name, &[]).await;
    world.secret(KEY).await;
    world.apply(backend(&world.sim.url(), json!({ "sweepInterval": "1h" }))).await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.apply(binding("first", "reader", &["bob@example.com"], json!({}))).await;
    world.ready("Role", "reader").await;
    world.ready("RoleBinding", "first").await;
    let (alice, space) = (world.user("alice"), world.space("research"));
    world.sim.edit(|tenant| {
        let reader = tenant.role_by_name("reader").unwrap();
        role_bindings::set(tenant, alice, space, reader);
    });
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_by_hand_since_the_last_sweep_is_not_taken_for_ones_own() {
    let world = made_by_hand("byhandnever").await;
    let access = world.access();
    world.apply(binding("second", "reader", &["alice@example.com"], json!({ "adopt": "Never" }))).await;
    world.says("RoleBinding", "second", "Conflict", &["already exists", "adopt: Never"]).await;
    assert!(held_ids(&world.get("RoleBinding", "second").await).is_empty());
    world.delete("RoleBinding", "second").await;
    world.gone("RoleBinding", "second").await;
    assert_eq!(world.access(), access);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_by_hand_since_the_last_sweep_is_taken_over_where_that_is_allowed_and_told() {
    let world = made_by_hand("byhandadopt").await;
    let access = world.access();
    world.apply(binding("second", "reader", &["alice@example.com"], json!({}))).await;
    let ready = world.ready("RoleBinding", "second").await;
    assert_eq!(ready.data["status"]["held"][0]["origin"], "Adopted");
    world.event("second", "Adopted").await;
    assert_eq!(world.access(), access);
}
