//! Several field managers own parts of one object.

use kube::api::{Patch, PatchParams};
use serde_json::{Value, json};

use crate::support::{World, binding, role, subject_status};

const VERSION: &str = "rolewright.dev/v1alpha1";

/// Applies the subject as another field manager, which owns nothing else. None: this manager no longer applies a subject.
async fn apply_as(world: &World, manager: &str, subject: Option<Value>) {
    let subjects: Vec<Value> = subject.into_iter().collect();
    let object = json!({
        "apiVersion": VERSION,
        "kind": "RoleBinding",
        "metadata": { "name": "readers" },
        "spec": { "subjects": subjects },
    });
    let api = world.api(VERSION, "RoleBinding");
    api.patch("readers", &PatchParams::apply(manager), &Patch::Apply(&object)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn subjects_of_two_field_managers_are_merged() {
    let world = World::new("managers").await;
    let users = |users: &[&str]| binding("readers", "reader", users, json!({}));
    world.apply_all(&[role("reader", &["PROJECT_READ"], json!({})), users(&["alice@example.com"])]).await;
    let bob = json!({ "kind": "User", "name": "bob@example.com" });
    apply_as(&world, "overlay", Some(bob)).await;
    let both = ["alice", "bob"].map(|user| world.user_id(user));
    let found = world.ready("RoleBinding", "readers").await;
    assert_eq!(subject_status(&found, "bob@example.com").0, "Granted");
    // The first manager applies its own list again, and then another one.
    world.apply(users(&["alice@example.com"])).await;
    world.full_sweep().await;
    assert!(both.iter().all(|user| world.roles_by_user("research").contains_key(user)));
    world.apply(users(&["carol@example.com"])).await;
    world.ready("RoleBinding", "readers").await;
    let granted = world.roles_by_user("research");
    assert!(granted.contains_key(&world.user_id("carol")) && granted.contains_key(&both[1]));
    assert!(!granted.contains_key(&both[0]));
    apply_as(&world, "overlay", None).await;
    world.ready("RoleBinding", "readers").await;
    assert!(!world.roles_by_user("research").contains_key(&both[1]));
}
