//! The main job: what YAML says comes to be in the account, and goes with the YAML.

use serde_json::json;

use crate::support::{World, binding, held_ids, kept, restriction, role};

const READ: &str = "PROJECT_READ";
const WRITE: &str = "PROJECT_UPDATE";

#[tokio::test(flavor = "multi_thread")]
async fn objects_come_to_be_in_the_account_and_go_with_their_yaml() {
    let world = World::new("life").await;
    world.apply(binding("readers", "reader", &["alice@example.com", "bob@example.com"], json!({}))).await;
    world.apply(role("reader", &[READ], json!({ "description": "Reads" }))).await;
    world.apply(restriction("churn", "churn", json!({}))).await;
    world.ready("Role", "reader").await;
    let readers = world.ready("RoleBinding", "readers").await;
    world.ready("ResourceRestriction", "churn").await;
    assert_eq!(held_ids(&readers).len(), 2);
    assert!(kept(&readers));
    let (role_id, bindings) = {
        let tenant = world.sim.world().tenant();
        let id = tenant.role_by_name("reader").unwrap();
        (id, tenant.role_bindings.iter().filter(|binding| binding.role_id == id).count())
    };
    assert_eq!(bindings, 2);

    world
        .each_deleted(&[("Role", "reader"), ("RoleBinding", "readers"), ("ResourceRestriction", "churn")])
        .await;
    let tenant = world.sim.world().tenant();
    assert!(tenant.role_by_name("reader").is_none());
    assert!(!tenant.role_bindings.iter().any(|binding| binding.role_id == role_id));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_role_is_one_patch_and_keeps_its_id() {
    let world = World::new("patch").await;
    world.apply(role("reader", &[READ], json!({ "description": "Reads" }))).await;
    let before = held_ids(&world.ready("Role", "reader").await);
    let since = world.now();
    world.apply(role("reader", &[READ, WRITE], json!({}))).await;
    let after = world.ready("Role", "reader").await;
    assert_eq!(held_ids(&after), before);
    assert_eq!(world.writes_since(since), [format!("PATCH /v2/roles/{}", before[0])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_put_back_and_told_with_what_it_was() {
    let world = World::new("drift").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    world.sim.edit(|tenant| {
        let id = tenant.role_by_name("reader").unwrap();
        tenant.roles.get_mut(id).unwrap().permissions.push(WRITE.to_owned());
    });
    let note = world.event("reader", "DriftCorrected").await;
    assert!(note.contains("- PROJECT_UPDATE"), "{note}");
    world
        .account("the permission is gone again", |tenant| {
            let id = tenant.role_by_name("reader").unwrap();
            tenant.roles.get(id).unwrap().permissions == [READ]
        })
        .await;
}
