//! Which object manages an existing thing, and which one of two objects that need the same thing.

use serde_json::{Value, json};

use crate::support::{
    World, binding, has_finalizer, has_reason, managed_ids, plan, reason, restriction, role,
};

const READ: &str = "PROJECT_READ";
const WRITE: &str = "PROJECT_UPDATE";
/// The permissions of the seeded role `Legacy reviewer`.
const LEGACY: [&str; 2] = ["PROJECT_READ", "PROJECT_SPAN_READ"];

fn legacy(more: Value) -> Value {
    let mut fields = json!({ "name": "Legacy reviewer" });
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    role("legacy", &LEGACY, fields)
}

fn legacy_grant(name: &str, users: &[&str]) -> Value {
    binding(name, "", users, json!({ "roleRef": { "external": { "name": "Legacy reviewer" } } }))
}

#[tokio::test(flavor = "multi_thread")]
async fn spec_adopt_decides_about_an_existing_role() {
    let world = World::new("adopt").await;
    let existing = world.role_id("Legacy reviewer").unwrap();

    world.apply(legacy(json!({ "adopt": "Never" }))).await;
    world.reports("Role", "legacy", "Conflict", &["Legacy reviewer", "adopt: Never"]).await;
    assert!(!has_finalizer(&world.get("Role", "legacy").await));

    world.apply(legacy(json!({ "description": "Reviews" }))).await;
    world
        .reports("Role", "legacy", "Conflict", &[r#"description: none -> "Reviews""#, "adopt: Always"])
        .await;
    world.assert_no_writes_after_sweep(0).await;
    assert_eq!(world.event_reasons("legacy").await, ["Conflict"], "an unchanged conflict is one Event");

    world.apply(legacy(json!({}))).await;
    let adopted = world.ready("Role", "legacy").await;
    assert_eq!(managed_ids(&adopted), [existing.to_string()]);
    assert_eq!(adopted.data["status"]["held"][0]["origin"], "Adopted");
    assert!(has_finalizer(&adopted));
    world.event("legacy", "Adopted").await;
    world.assert_no_writes_after_sweep(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn adopt_always_adopts_and_updates_a_different_role() {
    let world = World::new("always").await;
    let existing = world.role_id("Legacy reviewer").unwrap();
    world.apply(legacy(json!({ "description": "Reviews", "adopt": "Always" }))).await;
    let adopted = world.ready("Role", "legacy").await;
    assert_eq!(managed_ids(&adopted), [existing.to_string()]);
    assert_eq!(world.writes_since(0), [format!("PATCH /v2/roles/{existing}")]);
    world.event("legacy", "Adopted").await;
    world.event("legacy", "Updated").await;

    // The object manages an adopted role, so its deletion deletes the role. The seeded binding would block it.
    let seeded = world.grants_of("carol@example.com").remove(0).0;
    world.sim.edit(|tenant| tenant.role_bindings.retain(|binding| binding.id.to_string() != seeded));
    world.delete_and_wait("Role", "legacy").await;
    assert_eq!(world.role_id("Legacy reviewer"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn existing_grant_with_another_role_is_a_conflict() {
    let world = World::new("existing-grant").await;
    let before = world.grants_of("carol@example.com");
    assert_eq!(before.len(), 1);
    let place = json!({ "space": "operations", "project": "payroll-assistant" });
    let viewer = json!({ "roleRef": { "external": { "name": "Project Viewer" } }, "scope": place });
    world.apply(binding("viewers", "", &["carol@example.com"], viewer.clone())).await;
    world.reports("RoleBinding", "viewers", "Conflict", &["Legacy reviewer -> Project Viewer"]).await;
    let now = world.get("RoleBinding", "viewers").await;
    assert_eq!(now.data["status"]["subjects"][0]["state"], "Conflict");
    assert!(!has_finalizer(&now));
    world.assert_no_writes_after_sweep(0).await;
    assert_eq!(world.grants_of("carol@example.com"), before);

    world.delete_and_wait("RoleBinding", "viewers").await;
    assert_eq!(world.grants_of("carol@example.com"), before, "the object did not manage it");

    // A grant with the same role is adopted.
    let same = json!({ "roleRef": { "external": { "name": "Legacy reviewer" } }, "scope": place });
    world.apply(binding("reviewers", "", &["carol@example.com"], same)).await;
    assert_eq!(managed_ids(&world.ready("RoleBinding", "reviewers").await), [before[0].0.as_str()]);
    let closed = json!({ "resource": place });
    world.apply(restriction("payroll", "", closed)).await;
    world.ready("ResourceRestriction", "payroll").await;
    world.event("payroll", "Adopted").await;
    world.assert_no_writes(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_passes_a_role_to_the_object_in_conflict() {
    let world = World::new("next-owner").await;
    world.apply(role("first", &[READ], json!({ "name": "shared name" }))).await;
    let id = managed_ids(&world.ready("Role", "first").await);
    world.apply(role("second", &[READ, WRITE], json!({ "name": "shared name" }))).await;
    world.reports("Role", "second", "Conflict", &[&format!("Role {}/first", world.namespace)]).await;
    world.assert_no_writes_after_sweep(world.log_position()).await;
    assert_eq!(reason(&world.get("Role", "first").await), "InSync");

    let since = world.log_position();
    world.delete_and_wait("Role", "first").await;
    assert_eq!(managed_ids(&world.ready("Role", "second").await), id);
    assert_eq!(world.writes_since(since), [format!("PATCH /v2/roles/{}", id[0])]);

    world.delete_and_wait("Role", "second").await;
    assert_eq!(world.role_id("shared name"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_grants_are_shared_until_the_last_is_deleted() {
    let world = World::new("share").await;
    world.apply(legacy_grant("one", &["alice@example.com"])).await;
    let id = managed_ids(&world.ready("RoleBinding", "one").await);
    world.apply(legacy_grant("two", &["alice@example.com", "bob@example.com"])).await;
    let two = managed_ids(&world.ready("RoleBinding", "two").await);
    assert!(two.contains(&id[0]), "{two:?}");
    let since = world.log_position();
    world.delete_and_wait("RoleBinding", "one").await;
    world.assert_no_writes_after_sweep(since).await;
    world.ready("RoleBinding", "two").await;
    assert_eq!(world.grants_of("alice@example.com"), [(id[0].clone(), "Legacy reviewer".to_owned())]);

    world.delete_and_wait("RoleBinding", "two").await;
    assert!(world.grants_of("alice@example.com").is_empty());
    assert!(world.grants_of("bob@example.com").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn another_role_for_a_shared_grant_is_a_conflict() {
    let world = World::new("shared-change").await;
    world.apply(legacy_grant("one", &["alice@example.com"])).await;
    let id = managed_ids(&world.ready("RoleBinding", "one").await);
    world.apply(legacy_grant("two", &["alice@example.com"])).await;
    world.ready("RoleBinding", "two").await;
    let since = world.log_position();
    let viewer = json!({ "spec": { "roleRef": { "external": { "name": "Project Viewer" } } } });
    world.patch("RoleBinding", "two", viewer).await;
    world.reports("RoleBinding", "two", "Conflict", &[&format!("RoleBinding {}/one", world.namespace)]).await;
    world.assert_no_writes_after_sweep(since).await;
    assert_eq!(reason(&world.get("RoleBinding", "one").await), "InSync");

    world.delete_and_wait("RoleBinding", "one").await;
    world.ready("RoleBinding", "two").await;
    assert_eq!(world.grants_of("alice@example.com"), [(id[0].clone(), "Project Viewer".to_owned())]);
    assert_eq!(world.writes_since(since), [format!("PATCH /v2/role-bindings/{}", id[0])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_of_a_shared_grant_is_corrected() {
    let world = World::new("shared-drift").await;
    world.apply(legacy_grant("one", &["alice@example.com"])).await;
    world.apply(legacy_grant("two", &["alice@example.com"])).await;
    let one = managed_ids(&world.ready("RoleBinding", "one").await);
    assert_eq!(managed_ids(&world.ready("RoleBinding", "two").await), one);
    let since = world.log_position();
    let drifted = world.grant_by_hand("alice@example.com", "Project Viewer", "research");
    assert_eq!(one, [drifted.to_string()]);
    world.full_sweep().await;
    world.ready("RoleBinding", "one").await;
    world.ready("RoleBinding", "two").await;
    assert_eq!(world.grants_of("alice@example.com"), [(one[0].clone(), "Legacy reviewer".to_owned())]);
    // Each of the two objects can correct it, also both at once.
    let patch = format!("PATCH /v2/role-bindings/{drifted}");
    assert!(world.writes_since(since).iter().all(|write| *write == patch), "{:?}", world.writes_since(since));
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_role_is_one_patch_and_a_removed_subject_one_delete() {
    let world = World::new("roleref").await;
    let users = ["alice@example.com", "bob@example.com", "dave@example.com"];
    world.apply(legacy_grant("readers", &users[..1])).await;
    let id = managed_ids(&world.ready("RoleBinding", "readers").await);
    let since = world.log_position();
    let viewer = json!({ "roleRef": { "external": { "name": "Project Viewer" } } });
    world.apply(binding("readers", "", &users[..1], viewer.clone())).await;
    assert_eq!(managed_ids(&world.ready("RoleBinding", "readers").await), id);
    assert_eq!(world.writes_since(since), [format!("PATCH /v2/role-bindings/{}", id[0])]);

    world.apply(binding("readers", "", &users, viewer.clone())).await;
    world.ready("RoleBinding", "readers").await;
    let of_bob = world.grants_of("bob@example.com")[0].0.clone();
    let since = world.log_position();
    world.apply(binding("readers", "", &[users[0], users[2]], viewer)).await;
    let left = managed_ids(&world.ready("RoleBinding", "readers").await);
    assert_eq!(left.len(), 2);
    assert_eq!(world.writes_since(since), [format!("DELETE /v2/role-bindings/{of_bob}")]);
    world.event("readers", "Revoked").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn second_restriction_of_a_resource_is_a_conflict() {
    let world = World::new("closed").await;
    // `full_sweep` waits for lists of roles and bindings, which a sweep reads only if an object needs them.
    world.apply(legacy_grant("reviewers", &["alice@example.com"])).await;
    world.ready("RoleBinding", "reviewers").await;
    world.apply(restriction("first", "churn", json!({}))).await;
    world.ready("ResourceRestriction", "first").await;
    let since = world.log_position();
    world.apply(restriction("second", "churn", json!({}))).await;
    world
        .reports(
            "ResourceRestriction",
            "second",
            "Conflict",
            &[&format!("ResourceRestriction {}/first", world.namespace)],
        )
        .await;
    world.delete_and_wait("ResourceRestriction", "second").await;
    world.assert_no_writes_after_sweep(since).await;
    assert_eq!(reason(&world.get("ResourceRestriction", "first").await), "InSync");
}

#[tokio::test(flavor = "multi_thread")]
async fn predefined_role_is_never_changed() {
    let world = World::new("predefined").await;
    let before = world.permissions_of("Project Viewer");
    let mine = json!({ "name": "Project Viewer", "adopt": "Always" });
    world.apply(role("viewer", &[WRITE], mine)).await;
    let words = &["Project Viewer", "another name"];
    let now = world
        .until("Role", "viewer", "refused", |role| {
            ["Invalid", "Conflict"].iter().any(|reason| has_reason(role, reason, words))
        })
        .await;
    assert!(!has_finalizer(&now) && managed_ids(&now).is_empty() && plan(&now).is_null());
    world.delete_and_wait("Role", "viewer").await;
    world.assert_no_writes_after_sweep(0).await;
    assert_eq!(world.permissions_of("Project Viewer"), before);
}
