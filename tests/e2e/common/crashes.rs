//! The operator is killed during its work, or objects change while it is down. Exactly one of each thing remains, without a manual step.

use rolewright_simulators::{
    arize::Tenant,
    kit::{faults::Action, log::Entry},
};
use serde_json::json;

use crate::support::{World, binding, has_finalizer, managed_ids, restriction, role};

const READ: &str = "PROJECT_READ";
const WRITE: &str = "PROJECT_UPDATE";
const USERS: [&str; 2] = ["alice@example.com", "bob@example.com"];

/// The role `writer` is granted to alice alone.
fn assert_only_alice_writes(world: &World) {
    let writer = world.role_id("writer").unwrap();
    assert_eq!(world.roles_by_user("research"), [(world.user_id("alice"), writer)].into());
}

#[tokio::test(flavor = "multi_thread")]
async fn role_unrecorded_at_a_crash_needs_no_other_write() {
    let mut world = World::new("crash-role").await;
    let reader = role("reader", &[READ], json!({}));
    let is_created = |tenant: &Tenant| tenant.role_by_name("reader").is_some();
    let ready = world
        .killed_before_recording(vec![reader], "/v2/roles", is_created, |_| {}, ("Role", "reader"))
        .await;
    assert_eq!(managed_ids(&ready), [world.role_id("reader").unwrap().to_string()]);
    assert_eq!(world.count_roles("reader"), 1);
    assert_eq!(world.writes_since(0), ["POST /v2/roles"]);
    world.delete_and_wait("Role", "reader").await;
    assert_eq!(world.count_roles("reader"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_unrecorded_at_a_crash_follow_a_changed_spec() {
    let mut world = World::new("crash-grant").await;
    world.apply_all(&[role("reader", &[READ], json!({})), role("writer", &[WRITE], json!({}))]).await;
    world.inject_fault(&["POST"], "/v2/**", Action::Hold { after_work: true });
    let since = world.log_position();
    world.apply(binding("readers", "reader", &USERS, json!({}))).await;
    world
        .until_requests(since, "both grants", |entries| {
            entries.iter().filter(|entry| entry.path == "/v2/role-bindings" && entry.is_write()).count() == 2
        })
        .await;
    world.operator.kill();
    world.clear_faults();
    world.until_account("both are granted", |tenant| tenant.role_bindings.len() == 3).await;
    // While the operator is down, the role changes and one subject is removed.
    world.apply(binding("readers", "writer", &USERS[..1], json!({}))).await;
    world.restart();
    let ready = world.ready("RoleBinding", "readers").await;
    assert_eq!(managed_ids(&ready).len(), 1);
    assert_only_alice_writes(&world);
    assert_eq!(world.count_requests(since, "POST", "/v2/role-bindings"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn restriction_unrecorded_at_a_crash_can_be_deleted() {
    let mut world = World::new("crash-restriction").await;
    world.ready("Backend", "arize").await;
    world.inject_fault(&["POST"], "/v2/**", Action::Hold { after_work: true });
    let since = world.log_position();
    world.apply(restriction("churn", "churn", json!({}))).await;
    world.until_requests(since, "the restriction", |entries| entries.iter().any(Entry::is_write)).await;
    world.operator.kill();
    world.clear_faults();
    world.until_account("it is restricted", |tenant| tenant.restrictions.len() == 2).await;
    world.delete("ResourceRestriction", "churn").await;
    assert!(has_finalizer(&world.get("ResourceRestriction", "churn").await));
    world.restart();
    world.wait_deleted("ResourceRestriction", "churn").await;
    assert_eq!(world.sim.edit(|tenant| tenant.restrictions.len()), 1);
}

/// A world whose operator was killed after it tried to create the role `reader` and failed.
async fn killed_after_a_failed_creation(name: &str) -> World {
    let mut world = World::new(name).await;
    world.ready("Backend", "arize").await;
    world.inject_fault(&["POST"], "/v2/**", Action::Reset);
    let since = world.log_position();
    world.apply(role("reader", &[READ], json!({}))).await;
    world.until_requests(since, "the creation", |entries| entries.iter().any(Entry::is_write)).await;
    world.operator.kill();
    world.clear_faults();
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn crash_before_a_creation_creates_one_role() {
    let mut world = killed_after_a_failed_creation("crash-before").await;
    world.restart();
    let ready = world.ready("Role", "reader").await;
    assert_eq!(managed_ids(&ready).len(), 1);
    assert_eq!(world.count_roles("reader"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn object_whose_role_was_never_created_can_be_deleted() {
    let mut world = killed_after_a_failed_creation("crash-never").await;
    world.delete("Role", "reader").await;
    world.restart();
    world.wait_deleted("Role", "reader").await;
    assert_eq!(world.count_roles("reader"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn crash_during_deletion_completes_the_deletion() {
    let mut world = World::new("crash-deletion").await;
    world
        .apply_all(&[role("reader", &[READ], json!({})), binding("readers", "reader", &USERS, json!({}))])
        .await;
    world.inject_fault(&["DELETE"], "/v2/**", Action::Hold { after_work: true });
    let since = world.log_position();
    world.delete("RoleBinding", "readers").await;
    world.delete("Role", "reader").await;
    world
        .until_requests(since, "both revocations", |entries| {
            entries.iter().filter(|entry| entry.method == "DELETE").count() == 2
        })
        .await;
    world.operator.kill();
    world.clear_faults();
    world.restart();
    world.wait_deleted("RoleBinding", "readers").await;
    world.wait_deleted("Role", "reader").await;
    assert!(world.roles_by_user("research").is_empty());
    assert_eq!(world.count_roles("reader"), 0);
    assert_eq!(world.sim.edit(|tenant| tenant.role_bindings.len()), 1, "the seeded binding remains");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_made_while_down_are_applied_after_the_start() {
    let mut world = World::in_sync("down").await;
    world.apply(role("writer", &[WRITE], json!({}))).await;
    world.ready("Role", "writer").await;
    assert_eq!(world.roles_by_user("research").len(), 2);
    world.operator.kill();
    let since = world.log_position();
    world.apply(role("reader", &[READ, WRITE], json!({}))).await;
    world.apply(binding("readers", "writer", &USERS[..1], json!({}))).await;
    world.delete("ResourceRestriction", "churn").await;
    world.restart();
    world.wait_deleted("ResourceRestriction", "churn").await;
    world.ready("Role", "reader").await;
    let ready = world.ready("RoleBinding", "readers").await;
    assert_eq!(managed_ids(&ready).len(), 1);
    assert_only_alice_writes(&world);
    let mut writes = world.writes_since(since);
    for write in &mut writes {
        write.truncate(write.rfind('/').unwrap());
    }
    writes.sort();
    assert_eq!(
        writes,
        [
            "DELETE /v2/resource-restrictions",
            "DELETE /v2/role-bindings",
            "PATCH /v2/role-bindings",
            "PATCH /v2/roles"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_in_steady_state_writes_nothing() {
    let mut world = World::in_sync("restart").await;
    let (versions, backend) = (world.resource_versions().await, world.backend_status().await);
    let events = world.count_all_events().await;
    for _ in 0..2 {
        world.operator.kill();
        let since = world.log_position();
        world.restart();
        world.assert_no_writes_after_sweep(since).await;
        assert_eq!(world.resource_versions().await, versions);
        assert_eq!(world.backend_status().await, backend);
    }
    assert_eq!(world.count_all_events().await, events);
}
