//! How objects go: what they hold goes with them and nothing else, in the right order, or it is said why not.

use serde_json::{Value, json};

use crate::support::{KEY, Setting, World, backend, binding, kept, plan, restriction, role, unique};

const READ: &str = "PROJECT_READ";

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_role_waits_for_its_binding_and_names_it() {
    let world = World::new("waits").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.apply(binding("readers", "reader", &["alice@example.com"], json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    let since = world.now();
    world.delete("Role", "reader").await;
    let message = world.reason("Role", "reader", "DeletionBlocked").await;
    assert!(message.contains("RoleBinding readers"), "{message}");
    assert!(world.writes_after_a_sweep(since).await.is_empty());
    world.delete("RoleBinding", "readers").await;
    world.gone("RoleBinding", "readers").await;
    world.gone("Role", "reader").await;
    assert_eq!(world.role_id("reader"), None);
    assert!(world.grants_of("alice@example.com").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_deleted_at_once_goes_in_an_order_of_its_own() {
    let world = World::new("atonce").await;
    for number in 0..3 {
        world.apply(role(&format!("r{number}"), &[READ], json!({}))).await;
        let space = ["research", "storefront", "operations"][number];
        let scope = json!({ "scope": { "space": space } });
        let users = ["alice@example.com", "bob@example.com"];
        world.apply(binding(&format!("b{number}"), &format!("r{number}"), &users, scope)).await;
    }
    for number in 0..3 {
        world.ready("RoleBinding", &format!("b{number}")).await;
    }
    world.delete("Backend", "arize").await;
    for number in 0..3 {
        world.delete("Role", &format!("r{number}")).await;
        world.delete("RoleBinding", &format!("b{number}")).await;
    }
    for number in 0..3 {
        world.gone("RoleBinding", &format!("b{number}")).await;
        world.gone("Role", &format!("r{number}")).await;
        assert_eq!(world.role_id(&format!("r{number}")), None);
    }
    world.gone("Backend", "arize").await;
    assert!(world.grants_of("alice@example.com").is_empty());
    let log = world.sim.world().log.since(0).requests;
    let failed: Vec<_> = log.iter().filter(|one| one.is_write() && one.status >= Some(400)).collect();
    assert!(failed.is_empty(), "a role went before its grants: {failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_that_nobody_holds_block_the_deletion_of_their_role_and_are_named() {
    let world = World::new("unheld").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    let made = world.grant_by_hand("dave@example.com", "reader", "storefront");
    world.delete("Role", "reader").await;
    let message = world.reason("Role", "reader", "DeletionBlocked").await;
    assert!(message.contains("dave@example.com") && message.contains("storefront"), "{message}");
    assert!(message.contains("deletionPolicy: Retain"), "it does not say what to do: {message}");
    assert_eq!(world.grants_of("dave@example.com"), [(made.clone(), "reader".to_owned())]);

    world.sim.edit(|tenant| tenant.role_bindings.retain(|binding| binding.id.to_string() != made));
    world.gone("Role", "reader").await;
    assert_eq!(world.role_id("reader"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn retain_leaves_what_was_held_and_may_still_be_said_while_the_object_goes() {
    let world = World::new("retain").await;
    world.apply(role("kept", &[READ], json!({ "deletionPolicy": "Retain" }))).await;
    world.apply(role("blocked", &[READ], json!({}))).await;
    world.ready("Role", "kept").await;
    world.ready("Role", "blocked").await;
    world.grant_by_hand("dave@example.com", "blocked", "storefront");
    let since = world.now();
    world.delete("Role", "kept").await;
    world.gone("Role", "kept").await;
    world.event("kept", "Released").await;
    world.delete("Role", "blocked").await;
    world.reason("Role", "blocked", "DeletionBlocked").await;
    world.patch("Role", "blocked", json!({ "spec": { "deletionPolicy": "Retain" } })).await;
    world.gone("Role", "blocked").await;
    assert!(world.writes_since(since).is_empty());
    assert!(world.role_id("kept").is_some() && world.role_id("blocked").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_policy_of_the_backend_holds_where_an_object_says_nothing() {
    let world = Setting::new("retainbe").connected(json!({ "deletionPolicy": "Retain" })).await;
    world.apply(role("silent", &[READ], json!({}))).await;
    world.apply(role("deletes", &[READ], json!({ "deletionPolicy": "Delete" }))).await;
    world.apply(restriction("churn", "churn", json!({}))).await;
    world.ready("Role", "silent").await;
    world.ready("Role", "deletes").await;
    world.ready("ResourceRestriction", "churn").await;
    for (kind, name) in [("Role", "silent"), ("Role", "deletes"), ("ResourceRestriction", "churn")] {
        world.delete(kind, name).await;
        world.gone(kind, name).await;
    }
    assert!(world.role_id("silent").is_some());
    assert!(world.role_id("deletes").is_none());
    assert_eq!(world.sim.world().tenant().restrictions.len(), 2, "the seeded one and the retained one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_waits_for_the_objects_that_hold_something_through_it() {
    let world = World::new("depends").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    world.delete("Backend", "arize").await;
    let message = world.reason("Backend", "arize", "Deleting").await;
    assert!(message.contains("waits for 1 object"), "{message}");
    // It still serves.
    world.patch("Role", "reader", json!({ "spec": { "description": "Reads" } })).await;
    world.ready("Role", "reader").await;
    world.delete("Role", "reader").await;
    world.gone("Role", "reader").await;
    world.gone("Backend", "arize").await;
    assert_eq!(world.role_id("reader"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_without_anything_held_goes_at_once() {
    let world = Setting::new("idle").connected(json!({ "mode": "Plan" })).await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.reason("Role", "reader", "Planned").await;
    world.delete("Backend", "arize").await;
    world.gone("Backend", "arize").await;
    world.reason("Role", "reader", "BackendNotReady").await;
    world.delete("Role", "reader").await;
    world.gone("Role", "reader").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn in_plan_mode_and_paused_a_deletion_waits_and_shows_what_it_would_remove() {
    let world = World::new("plandel").await;
    world.apply(role("planned", &[READ], json!({}))).await;
    world.apply(role("paused", &[READ], json!({}))).await;
    world.ready("Role", "planned").await;
    world.ready("Role", "paused").await;
    let since = world.now();
    world.patch("Role", "planned", json!({ "spec": { "mode": "Plan" } })).await;
    world.annotate("Role", "paused", "rolewright.dev/pause", "a while").await;
    for (name, reason) in [("planned", "Planned"), ("paused", "Paused")] {
        world
            .until("Role", name, "seen as such", |role| {
                role.data["status"]["observedGeneration"].as_i64() == role.metadata.generation
            })
            .await;
        world.delete("Role", name).await;
        let shown = world.with_reason("Role", name, reason).await;
        assert_eq!(plan(&shown)["summary"], "+0 ~0 -1");
        assert!(kept(&shown));
    }
    assert!(world.writes_after_a_sweep(since).await.is_empty());
    world.patch("Role", "planned", json!({ "spec": { "mode": "Enforce" } })).await;
    world.annotate("Role", "paused", "rolewright.dev/pause", Value::Null).await;
    world.gone("Role", "planned").await;
    world.gone("Role", "paused").await;
    assert_eq!((world.role_id("planned"), world.role_id("paused")), (None, None));
}

/// A world whose operator lives in another namespace, with a role, a binding and a restriction.
async fn populated(name: &str, args: &[&str]) -> (World, String) {
    let own = unique(&format!("{name}-operator"));
    let world = Setting::new(name).own_namespace(&own).args(args.iter().copied()).connected(json!({})).await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.apply(binding("readers", "reader", &["alice@example.com"], json!({}))).await;
    world.apply(restriction("churn", "churn", json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.ready("Role", "reader").await;
    world.ready("ResourceRestriction", "churn").await;
    (world, own)
}

async fn delete_secret(world: &World) {
    world.api("v1", "Secret").delete("arize-key", &kube::api::DeleteParams::default()).await.unwrap();
}

fn nothing_is_left(world: &World) {
    assert_eq!(world.role_id("reader"), None);
    assert!(world.grants_of("alice@example.com").is_empty());
    assert_eq!(world.sim.world().tenant().restrictions.len(), 1, "only the seeded one");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_namespace_ends_and_takes_along_what_its_objects_held() {
    let (world, _) = populated("nsdel", &[]).await;
    world.delete_namespace().await;
    world.namespace_gone().await;
    nothing_is_left(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_credential_in_memory_serves_a_namespace_whose_secret_went_first() {
    let (world, _) = populated("nssecret", &[]).await;
    delete_secret(&world).await;
    world.reason("Backend", "arize", "NotFound").await;
    world.delete_namespace().await;
    world.namespace_gone().await;
    nothing_is_left(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_credential_in_memory_serves_a_namespace_whose_backend_went_first() {
    let (world, _) = populated("nsbackend", &[]).await;
    world.delete("Backend", "arize").await;
    world.reason("Backend", "arize", "Deleting").await;
    delete_secret(&world).await;
    world.delete_namespace().await;
    world.namespace_gone().await;
    nothing_is_left(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_missed_stops_work_on_objects_that_stay() {
    let world = World::new("nosecret").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    let since = world.now();
    delete_secret(&world).await;
    world.reason("Backend", "arize", "NotFound").await;
    world.apply(role("writer", &[READ], json!({}))).await;
    world.reason("Role", "writer", "BackendNotReady").await;
    assert!(world.writes_since(since).is_empty());
    world.secret(KEY).await;
    world.ready("Role", "writer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_any_credential_objects_are_let_go_in_the_end_and_it_is_told_what_stays() {
    let (mut world, own) = populated("nsleft", &["--abandon-after", "5"]).await;
    let id = world.role_id("reader").unwrap();
    let since = world.now();
    world.operator.kill();
    delete_secret(&world).await;
    world.delete_namespace().await;
    world.restart();
    let message = world.reason("Role", "reader", "BackendNotReady").await;
    assert!(message.contains("without a credential"), "{message}");
    world.namespace_gone().await;
    assert!(world.writes_since(since).is_empty());
    assert_eq!(world.role_id("reader"), Some(id.clone()));
    let note = world.event_in(&own, "LeftBehind").await;
    assert!(note.contains(&world.namespace) && note.contains("stays in the back end"), "{note}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_in_memory_that_has_ended_too_is_no_credential() {
    let (world, own) = populated("nsended", &["--abandon-after", "5"]).await;
    delete_secret(&world).await;
    world.reason("Backend", "arize", "NotFound").await;
    world.sim.world().credentials.expire("admin").unwrap();
    world.delete_namespace().await;
    world.namespace_gone().await;
    world.event_in(&own, "LeftBehind").await;
    assert!(world.role_id("reader").is_some(), "the account is as it was");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_comes_back_in_time_ends_the_wait() {
    let (mut world, _) = populated("comesback", &[]).await;
    world.operator.kill();
    delete_secret(&world).await;
    world.restart();
    world.reason("Backend", "arize", "NotFound").await;
    world.delete("RoleBinding", "readers").await;
    world.reason("RoleBinding", "readers", "BackendNotReady").await;
    world.secret(KEY).await;
    world.gone("RoleBinding", "readers").await;
    assert!(world.grants_of("alice@example.com").is_empty());
    // A Backend made anew under the same name serves the objects of the old one.
    world.apply(backend(&world.sim.url(), json!({}))).await;
    world.ready("Role", "reader").await;
}
