//! Deleting objects: exactly what they manage is deleted, in the right order. If it cannot be, the object reports why.

use control_plane::ControlPlane;
use serde_json::{Value, json};

use crate::support::{
    ADMIN_CREDENTIAL, World, WorldBuilder, backend, binding, dedicated_control_plane, has_finalizer,
    kubectl_on, plan, restriction, role, unique,
};

const READ: &str = "PROJECT_READ";

#[tokio::test(flavor = "multi_thread")]
async fn deleted_role_waits_for_its_binding() {
    let world = World::new("waits").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.apply(binding("readers", "reader", &["alice@example.com"], json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    let since = world.log_position();
    world.delete("Role", "reader").await;
    world.reports("Role", "reader", "DeletionBlocked", &["RoleBinding readers"]).await;
    world.assert_no_writes_after_sweep(since).await;
    world.delete_and_wait("RoleBinding", "readers").await;
    world.wait_deleted("Role", "reader").await;
    assert_eq!(world.role_id("reader"), None);
    assert!(world.grants_of("alice@example.com").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_deleted_at_once_are_deleted_in_order() {
    let world = World::new("at-once").await;
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
        world.wait_deleted("RoleBinding", &format!("b{number}")).await;
        world.wait_deleted("Role", &format!("r{number}")).await;
        assert_eq!(world.role_id(&format!("r{number}")), None);
    }
    world.wait_deleted("Backend", "arize").await;
    assert!(world.grants_of("alice@example.com").is_empty());
    let log = world.sim.world().log.since(0).requests;
    let failed: Vec<_> = log.iter().filter(|one| one.is_write() && one.status >= Some(400)).collect();
    assert!(failed.is_empty(), "a role was deleted before its grants: {failed:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn unmanaged_grants_block_the_deletion_of_their_role() {
    let world = World::new("unmanaged").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    let binding_id = world.grant_by_hand("dave@example.com", "reader", "storefront");
    world.delete("Role", "reader").await;
    world
        .reports(
            "Role",
            "reader",
            "DeletionBlocked",
            &["dave@example.com", "storefront", "deletionPolicy: Retain"],
        )
        .await;
    assert_eq!(world.grants_of("dave@example.com"), [(binding_id.to_string(), "reader".to_owned())]);

    world.sim.edit(|tenant| tenant.role_bindings.retain(|binding| binding.id != binding_id));
    world.wait_deleted("Role", "reader").await;
    assert_eq!(world.role_id("reader"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn retain_keeps_the_role_and_can_be_set_during_deletion() {
    let world = World::new("retain").await;
    world.apply(role("retained", &[READ], json!({ "deletionPolicy": "Retain" }))).await;
    world.apply(role("blocked", &[READ], json!({}))).await;
    world.ready("Role", "retained").await;
    world.ready("Role", "blocked").await;
    world.grant_by_hand("dave@example.com", "blocked", "storefront");
    let since = world.log_position();
    world.delete_and_wait("Role", "retained").await;
    world.event("retained", "Released").await;
    world.delete("Role", "blocked").await;
    world.reports("Role", "blocked", "DeletionBlocked", &[]).await;
    world.patch("Role", "blocked", json!({ "spec": { "deletionPolicy": "Retain" } })).await;
    world.wait_deleted("Role", "blocked").await;
    world.assert_no_writes(since);
    assert!(world.role_id("retained").is_some() && world.role_id("blocked").is_some());
}

#[tokio::test(flavor = "multi_thread")]
async fn backend_deletion_policy_is_the_default() {
    let world =
        WorldBuilder::new("retain-default").build_connected(json!({ "deletionPolicy": "Retain" })).await;
    world.apply(role("default", &[READ], json!({}))).await;
    world.apply(role("deletes", &[READ], json!({ "deletionPolicy": "Delete" }))).await;
    world.apply(restriction("churn", "churn", json!({}))).await;
    world.ready("Role", "default").await;
    world.ready("Role", "deletes").await;
    world.ready("ResourceRestriction", "churn").await;
    for (kind, name) in [("Role", "default"), ("Role", "deletes"), ("ResourceRestriction", "churn")] {
        world.delete_and_wait(kind, name).await;
    }
    assert!(world.role_id("default").is_some());
    assert!(world.role_id("deletes").is_none());
    assert_eq!(world.sim.world().tenant().restrictions.len(), 2, "the seeded one and the retained one");
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_backend_waits_for_objects_that_manage_something() {
    let world = World::new("depends").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    world.delete("Backend", "arize").await;
    world.reports("Backend", "arize", "Deleting", &["waits for 1 object"]).await;
    // Until then the Backend serves its objects.
    world.patch("Role", "reader", json!({ "spec": { "description": "Reads" } })).await;
    world.ready("Role", "reader").await;
    world.delete_and_wait("Role", "reader").await;
    world.wait_deleted("Backend", "arize").await;
    assert_eq!(world.role_id("reader"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn backend_without_managed_things_is_deleted_at_once() {
    let world = WorldBuilder::new("idle").build_connected(json!({ "mode": "Plan" })).await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.reports("Role", "reader", "Planned", &[]).await;
    world.delete_and_wait("Backend", "arize").await;
    world.reports("Role", "reader", "BackendNotReady", &[]).await;
    world.delete_and_wait("Role", "reader").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_in_plan_mode_or_paused_only_shows_its_plan() {
    let world = World::new("plan-deletion").await;
    world.apply(role("planned", &[READ], json!({}))).await;
    world.apply(role("paused", &[READ], json!({}))).await;
    world.ready("Role", "planned").await;
    world.ready("Role", "paused").await;
    let since = world.log_position();
    world.patch("Role", "planned", json!({ "spec": { "mode": "Plan" } })).await;
    world.annotate("Role", "paused", "rolewright.dev/pause", "a while").await;
    for (name, reason) in [("planned", "Planned"), ("paused", "Paused")] {
        world
            .until("Role", name, "reconciled", |role| {
                role.data["status"]["observedGeneration"].as_i64() == role.metadata.generation
            })
            .await;
        world.delete("Role", name).await;
        let shown = world.reports("Role", name, reason, &[]).await;
        assert_eq!(plan(&shown)["summary"], "+0 ~0 -1");
        assert!(has_finalizer(&shown));
    }
    world.assert_no_writes_after_sweep(since).await;
    world.patch("Role", "planned", json!({ "spec": { "mode": "Enforce" } })).await;
    world.annotate("Role", "paused", "rolewright.dev/pause", Value::Null).await;
    world.wait_deleted("Role", "planned").await;
    world.wait_deleted("Role", "paused").await;
    assert_eq!((world.role_id("planned"), world.role_id("paused")), (None, None));
}

/// A world with a role, a binding and a restriction, and the name of the operator's own namespace, which is another one.
async fn populated(name: &str, args: &[&str]) -> (World, String) {
    let own = unique(&format!("{name}-operator"));
    let world = WorldBuilder::new(name)
        .own_namespace(&own)
        .args(args.iter().copied())
        .build_connected(json!({}))
        .await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.apply(binding("readers", "reader", &["alice@example.com"], json!({}))).await;
    world.apply(restriction("churn", "churn", json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.ready("Role", "reader").await;
    world.ready("ResourceRestriction", "churn").await;
    (world, own)
}

fn assert_nothing_is_left(world: &World) {
    assert_eq!(world.role_id("reader"), None);
    assert!(world.grants_of("alice@example.com").is_empty());
    assert_eq!(world.sim.world().tenant().restrictions.len(), 1, "only the seeded one");
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_namespace_removes_what_its_objects_manage() {
    let (world, _) = populated("namespace", &[]).await;
    world.delete_namespace().await;
    world.wait_namespace_deleted().await;
    assert_nothing_is_left(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn cached_credential_outlives_a_deleted_secret() {
    let (world, _) = populated("cached-secret", &[]).await;
    world.delete_secret().await;
    world.reports("Backend", "arize", "NotFound", &[]).await;
    world.delete_namespace().await;
    world.wait_namespace_deleted().await;
    assert_nothing_is_left(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn cached_credential_outlives_a_deleted_backend() {
    let (world, _) = populated("cached-backend", &[]).await;
    world.delete("Backend", "arize").await;
    world.reports("Backend", "arize", "Deleting", &[]).await;
    world.delete_secret().await;
    world.delete_namespace().await;
    world.wait_namespace_deleted().await;
    assert_nothing_is_left(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_secret_stops_changes_of_live_objects() {
    let world = World::new("secret-missing").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    let since = world.log_position();
    world.delete_secret().await;
    world.reports("Backend", "arize", "NotFound", &[]).await;
    world.apply(role("writer", &[READ], json!({}))).await;
    world.reports("Role", "writer", "BackendNotReady", &[]).await;
    world.assert_no_writes(since);
    world.apply_secret(ADMIN_CREDENTIAL).await;
    world.ready("Role", "writer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_without_a_credential_are_released_in_time() {
    // Long enough for a slow start, which counts too.
    let (mut world, own) = populated("left-behind", &["--abandon-after", "20"]).await;
    let id = world.role_id("reader").unwrap();
    let since = world.log_position();
    world.operator.kill();
    world.delete_secret().await;
    world.delete_namespace().await;
    world.restart();
    world.reports("Role", "reader", "BackendNotReady", &["without a credential"]).await;
    world.wait_namespace_deleted().await;
    world.assert_no_writes(since);
    assert_eq!(world.role_id("reader"), Some(id));
    let note = world.event_in_namespace(&own, "LeftBehind").await;
    assert!(note.contains(&world.namespace) && note.contains("stays in the back end"), "{note}");
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_cached_credential_counts_as_missing() {
    let (world, own) = populated("cached-expired", &["--abandon-after", "5"]).await;
    world.delete_secret().await;
    world.reports("Backend", "arize", "NotFound", &[]).await;
    world.expire_credential();
    world.delete_namespace().await;
    world.wait_namespace_deleted().await;
    world.event_in_namespace(&own, "LeftBehind").await;
    assert!(world.role_id("reader").is_some(), "the role is left behind");
}

#[tokio::test(flavor = "multi_thread")]
async fn restored_secret_resumes_the_deletion() {
    let (mut world, _) = populated("secret-restored", &[]).await;
    world.operator.kill();
    world.delete_secret().await;
    world.restart();
    world.reports("Backend", "arize", "NotFound", &[]).await;
    world.delete("RoleBinding", "readers").await;
    world.reports("RoleBinding", "readers", "BackendNotReady", &[]).await;
    world.apply_secret(ADMIN_CREDENTIAL).await;
    world.wait_deleted("RoleBinding", "readers").await;
    assert!(world.grants_of("alice@example.com").is_empty());
    // A new Backend with the same name serves the objects of the old one.
    world.apply(backend(&world.sim.url(), json!({}))).await;
    world.ready("Role", "reader").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn retain_of_a_backend_counts_without_its_secret() {
    let world = World::new("retain-no-secret").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    let id = world.role_id("reader");
    world.delete_secret().await;
    world.reports("Backend", "arize", "NotFound", &[]).await;
    let since = world.log_position();
    world.patch("Backend", "arize", json!({ "spec": { "deletionPolicy": "Retain" } })).await;
    world.delete_and_wait("Role", "reader").await;
    world.assert_no_writes(since);
    assert_eq!(world.role_id("reader"), id);
}

/// Reads of single CRDs that the API server answered.
async fn definition_reads(plane: &ControlPlane) -> f64 {
    let metrics = kubectl_on(plane, &["get", "--raw", "/metrics"], None).await.unwrap();
    let is_read = |line: &&str| {
        line.starts_with("apiserver_request_total{")
            && line.contains(r#"resource="customresourcedefinitions""#)
            && line.contains(r#"verb="GET""#)
    };
    let counts =
        metrics.lines().filter(is_read).filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok());
    counts.sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn deletions_at_once_share_the_read_of_their_definition() {
    const COUNT: usize = 60;
    let plane = dedicated_control_plane("definition-reads").await;
    let requests = json!({ "requests": { "perSecond": 200, "burst": 200, "concurrency": 8 } });
    let mut world = WorldBuilder::new("definition-reads").on(&plane).build_connected(requests).await;
    let names: Vec<String> = (0..COUNT).map(|number| format!("r{number}")).collect();
    let roles: Vec<Value> = names.iter().map(|name| role(name, &[READ], json!({}))).collect();
    world.apply_all(&roles).await;
    let before = definition_reads(&plane).await;
    // The new operator sees all deletions before it handles the first one.
    world.operator.kill();
    for name in &names {
        world.delete("Role", name).await;
    }
    world.restart();
    for name in &names {
        world.wait_deleted("Role", name).await;
    }
    let reads = definition_reads(&plane).await - before;
    assert!(reads >= 1.0, "the CRD was not read before the first removal");
    assert!(reads <= 20.0, "{reads} reads of CRDs for {COUNT} deletions");
}
