//! A user changes by hand what an object manages. It is corrected with one request, and nothing else changes.

use rolewright_simulators::arize::role_bindings;
use serde_json::json;

use crate::support::{World, managed_ids, plan, role};

const READ: &str = "PROJECT_READ";
const WRITE: &str = "PROJECT_UPDATE";

#[tokio::test(flavor = "multi_thread")]
async fn role_deleted_by_hand_is_created_again_with_its_grants() {
    let world = World::in_sync("role-drift").await;
    let (before, since) = (managed_ids(&world.get("Role", "reader").await), world.log_position());
    world.sim.edit(|tenant| {
        let id = tenant.role_by_name("reader").unwrap();
        tenant.role_bindings.retain(|binding| binding.role_id != id);
        tenant.roles.get_mut(id).unwrap().deleted_at = Some(rolewright_simulators::arize::state::now());
    });
    let note = world.event("reader", "DriftCorrected").await;
    assert!(note.contains("deleted outside Rolewright"), "{note}");
    world.until_account("both users are granted again", |tenant| tenant.role_bindings.len() == 3).await;
    world.full_sweep().await;
    let role = world.ready("Role", "reader").await;
    assert_ne!(managed_ids(&role), before);
    let ready = world.ready("RoleBinding", "readers").await;
    assert_eq!(managed_ids(&ready).len(), 2);
    assert_eq!(world.count_roles("reader"), 1);
    let reader = world.role_id("reader").unwrap();
    assert!(world.roles_by_user("research").values().all(|role| *role == reader));
    assert_eq!(world.count_requests(since, "POST", "/v2/roles"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn bindings_changed_by_hand_are_corrected() {
    let world = World::in_sync("binding-drift").await;
    let since = world.log_position();
    let (alice, bob, space) = (world.user_id("alice"), world.user_id("bob"), world.space_id("research"));
    world.revoke_by_hand("alice@example.com", "research");
    let changed = world.grant_by_hand("bob@example.com", "Project Admin", "research");
    let reader = world.role_id("reader").unwrap();
    world
        .until_account("both users have the role again", |tenant| {
            [alice, bob].iter().all(|user| {
                role_bindings::held(tenant, *user, space).is_some_and(|binding| binding.role_id == reader)
            })
        })
        .await;
    world.full_sweep().await;
    world.ready("RoleBinding", "readers").await;
    let mut writes = world.writes_since(since);
    writes.sort();
    assert_eq!(writes, [format!("PATCH /v2/role-bindings/{changed}"), "POST /v2/role-bindings".to_owned()]);
    let note = world.event("readers", "DriftCorrected").await;
    assert!(note.contains("example.com"), "{note}");
}

#[tokio::test(flavor = "multi_thread")]
async fn restriction_removed_by_hand_is_created_again() {
    let world = World::in_sync("restriction-drift").await;
    let since = world.log_position();
    world.sim.edit(|tenant| {
        let space = tenant.space_by_name("research").unwrap();
        let project = tenant.project_by_name(space, "churn").unwrap();
        tenant.restrictions.remove(project);
    });
    world.event("churn", "DriftCorrected").await;
    world.ready("ResourceRestriction", "churn").await;
    world.full_sweep().await;
    assert_eq!(world.writes_since(since), ["POST /v2/resource-restrictions"]);
    assert_eq!(world.sim.edit(|tenant| tenant.restrictions.len()), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_made_by_hand_are_never_changed() {
    let world = World::in_sync("by-hand").await;
    let since = world.log_position();
    world.grant_by_hand("carol@example.com", "reader", "research");
    world.grant_by_hand("dave@example.com", "Project Viewer", "research");
    let access = world.access();
    world.full_sweep().await;
    world.assert_no_writes_after_sweep(since).await;
    assert_eq!(world.access(), access);
    world.delete_and_wait("RoleBinding", "readers").await;
    let left: Vec<_> = world.roles_by_user("research").into_keys().collect();
    assert_eq!(left, [world.user_id("carol"), world.user_id("dave")]);
    // A grant that no object manages blocks the deletion of its role.
    world.delete("Role", "reader").await;
    world
        .reports("Role", "reader", "DeletionBlocked", &["carol@example.com", "deletionPolicy: Retain"])
        .await;
    world.revoke_by_hand("carol@example.com", "research");
    world.wait_deleted("Role", "reader").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn third_correction_within_an_hour_is_the_last() {
    let world = World::in_sync("contested").await;
    let since = world.log_position();
    for round in 1..=3 {
        world.add_permission("reader", WRITE);
        world
            .until_requests(since, "a correction", |entries| {
                entries.iter().filter(|entry| entry.is_write() && entry.status == Some(200)).count() == round
            })
            .await;
        world.full_sweep().await;
    }
    world.reports("Role", "reader", "Contested", &["three times within an hour", "Find who"]).await;
    world.event("reader", "Contested").await;
    world.add_permission("reader", WRITE);
    let contested =
        world.until("Role", "reader", "showing the fourth drift", |object| !plan(object).is_null()).await;
    assert_eq!(plan(&contested)["summary"], "+0 ~1 -0, updates remove 1");
    world.full_sweep().await;
    let versions = world.resource_versions().await;
    world.full_sweep().await;
    world.full_sweep().await;
    assert_eq!(world.writes_since(since).len(), 3);
    assert_eq!(world.resource_versions().await, versions);
    assert_eq!(world.count_events("reader", "Contested").await, 1);
    assert_eq!(world.count_events("reader", "DriftCorrected").await, 3);
    // Other objects are not affected.
    world.ready("RoleBinding", "readers").await;
    // A change of the spec is not a correction, and is made.
    world.apply(role("reader", &[READ, WRITE, "PROJECT_DELETE"], json!({}))).await;
    world
        .until_account("the change of the spec is made", |tenant| {
            let id = tenant.role_by_name("reader").unwrap();
            tenant.roles.get(id).unwrap().permissions.len() == 3
        })
        .await;
}
