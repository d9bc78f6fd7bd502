//! The main job on Arize: the account follows the objects.

use serde_json::json;

use crate::support::{World, binding, has_finalizer, managed_ids, restriction, role};

const READ: &str = "PROJECT_READ";
const WRITE: &str = "PROJECT_UPDATE";

#[tokio::test(flavor = "multi_thread")]
async fn objects_appear_in_the_account_and_are_deleted_with_yaml() {
    let world = World::new("arize-main").await;
    // The binding waits for its role.
    world.apply(binding("readers", "reader", &["alice@example.com", "bob@example.com"], json!({}))).await;
    world.apply(role("reader", &[READ], json!({ "description": "Reads" }))).await;
    world.apply(restriction("churn", "churn", json!({}))).await;
    world.all_ready(&[("Role", "reader"), ("ResourceRestriction", "churn")]).await;
    let readers = world.ready("RoleBinding", "readers").await;
    assert_eq!(managed_ids(&readers).len(), 2);
    assert!(has_finalizer(&readers));
    let role_id = world.role_id("reader").unwrap();
    let bindings =
        || world.sim.edit(|tenant| tenant.role_bindings.iter().filter(|row| row.role_id == role_id).count());
    assert_eq!(bindings(), 2);

    world
        .delete_all(&[("Role", "reader"), ("RoleBinding", "readers"), ("ResourceRestriction", "churn")])
        .await;
    assert_eq!(world.role_id("reader"), None);
    assert_eq!(bindings(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_role_is_one_patch_and_keeps_its_id() {
    let world = World::new("arize-patch").await;
    world.apply(role("reader", &[READ], json!({ "description": "Reads" }))).await;
    let before = managed_ids(&world.ready("Role", "reader").await);
    let since = world.log_position();
    world.apply(role("reader", &[READ, WRITE], json!({}))).await;
    let after = world.ready("Role", "reader").await;
    assert_eq!(managed_ids(&after), before);
    assert_eq!(world.writes_since(since), [format!("PATCH /v2/roles/{}", before[0])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_corrected_and_the_event_names_it() {
    let world = World::new("arize-drift").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    world.add_permission("reader", WRITE);
    let note = world.event("reader", "DriftCorrected").await;
    assert!(note.contains("- PROJECT_UPDATE"), "{note}");
    world
        .until_account("the permission is removed", |tenant| {
            let id = tenant.role_by_name("reader").unwrap();
            tenant.roles.get(id).unwrap().permissions == [READ]
        })
        .await;
}
