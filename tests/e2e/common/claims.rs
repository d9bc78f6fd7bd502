//! Who gets what is there already, and who gets what two objects ask for.

use serde_json::{Value, json};

use crate::support::{World, binding, held_ids, kept, plan, restriction, role};

const READ: &str = "PROJECT_READ";
const WRITE: &str = "PROJECT_UPDATE";
/// What the seeded role of this name permits.
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
async fn what_is_there_is_taken_over_as_adopt_says() {
    let world = World::new("adopt").await;
    let there = world.role_id("Legacy reviewer").unwrap();

    world.apply(legacy(json!({ "adopt": "Never" }))).await;
    let message = world.reason("Role", "legacy", "Conflict").await;
    assert!(message.contains("Legacy reviewer") && message.contains("adopt: Never"), "{message}");
    assert!(!kept(&world.get("Role", "legacy").await));

    world.apply(legacy(json!({ "description": "Reviews" }))).await;
    let message = world.reason("Role", "legacy", "Conflict").await;
    assert!(message.contains(r#"description: none -> "Reviews""#), "{message}");
    assert!(message.contains("adopt: Always"), "it does not say what to do: {message}");
    assert!(world.writes_after_a_sweep(0).await.is_empty());
    assert!(world.event_reasons("legacy").await.is_empty(), "what is still so is no Event");

    world.apply(legacy(json!({}))).await;
    let adopted = world.ready("Role", "legacy").await;
    assert_eq!(held_ids(&adopted), [there.as_str()]);
    assert_eq!(adopted.data["status"]["held"][0]["origin"], "Adopted");
    assert!(kept(&adopted));
    world.event("legacy", "Adopted").await;
    assert!(world.writes_after_a_sweep(0).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn adopt_always_takes_over_what_differs_and_makes_it_equal() {
    let world = World::new("always").await;
    let there = world.role_id("Legacy reviewer").unwrap();
    world.apply(legacy(json!({ "description": "Reviews", "adopt": "Always" }))).await;
    let adopted = world.ready("Role", "legacy").await;
    assert_eq!(held_ids(&adopted), [there.as_str()]);
    assert_eq!(world.writes_since(0), [format!("PATCH /v2/roles/{there}")]);
    world.event("legacy", "Adopted").await;
    world.event("legacy", "Updated").await;

    // Taken over is held: it goes with the object.
    let of_carol = world.grants_of("carol@example.com");
    world.sim.edit(|tenant| tenant.role_bindings.retain(|binding| binding.id.to_string() != of_carol[0].0));
    world.delete("Role", "legacy").await;
    world.gone("Role", "legacy").await;
    assert_eq!(world.role_id("Legacy reviewer"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_a_human_made_with_another_role_is_left_alone() {
    let world = World::new("human").await;
    let before = world.grants_of("carol@example.com");
    assert_eq!(before.len(), 1);
    let place = json!({ "space": "operations", "project": "payroll-assistant" });
    let viewer = json!({ "roleRef": { "external": { "name": "Project Viewer" } }, "scope": place });
    world.apply(binding("viewers", "", &["carol@example.com"], viewer.clone())).await;
    let message = world.reason("RoleBinding", "viewers", "Conflict").await;
    assert!(message.contains("Legacy reviewer -> Project Viewer"), "{message}");
    let now = world.get("RoleBinding", "viewers").await;
    assert_eq!(now.data["status"]["subjects"][0]["state"], "Conflict");
    assert!(!kept(&now));
    assert!(world.writes_after_a_sweep(0).await.is_empty());
    assert_eq!(world.grants_of("carol@example.com"), before);

    world.delete("RoleBinding", "viewers").await;
    world.gone("RoleBinding", "viewers").await;
    assert_eq!(world.grants_of("carol@example.com"), before, "it was never held");

    // The same role: nothing differs, so it is taken over.
    let same = json!({ "roleRef": { "external": { "name": "Legacy reviewer" } }, "scope": place });
    world.apply(binding("reviewers", "", &["carol@example.com"], same)).await;
    assert_eq!(held_ids(&world.ready("RoleBinding", "reviewers").await), [before[0].0.as_str()]);
    let closed = json!({ "resource": place });
    world.apply(restriction("payroll", "", closed)).await;
    world.ready("ResourceRestriction", "payroll").await;
    world.event("payroll", "Adopted").await;
    assert!(world.writes_since(0).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_holder_of_a_name_keeps_it_and_its_deletion_hands_it_over() {
    let world = World::new("heir").await;
    world.apply(role("first", &[READ], json!({ "name": "shared name" }))).await;
    let id = held_ids(&world.ready("Role", "first").await);
    world.apply(role("second", &[READ, WRITE], json!({ "name": "shared name" }))).await;
    let message = world.reason("Role", "second", "Conflict").await;
    let holder = format!("Role {}/first", world.namespace);
    assert!(message.contains(&holder), "{message}");
    assert!(world.writes_after_a_sweep(world.now()).await.is_empty(), "two objects pull at one thing");
    assert_eq!(crate::support::reason(&world.get("Role", "first").await), "InSync");

    let since = world.now();
    world.delete("Role", "first").await;
    world.gone("Role", "first").await;
    assert_eq!(held_ids(&world.ready("Role", "second").await), id);
    assert_eq!(world.writes_since(since), [format!("PATCH /v2/roles/{}", id[0])]);

    world.delete("Role", "second").await;
    world.gone("Role", "second").await;
    assert_eq!(world.role_id("shared name"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_grants_are_shared_and_go_with_the_last() {
    let world = World::new("share").await;
    world.apply(legacy_grant("one", &["alice@example.com"])).await;
    let id = held_ids(&world.ready("RoleBinding", "one").await);
    world.apply(legacy_grant("two", &["alice@example.com", "bob@example.com"])).await;
    let two = held_ids(&world.ready("RoleBinding", "two").await);
    assert!(two.contains(&id[0]), "{two:?}");
    let since = world.now();
    world.delete("RoleBinding", "one").await;
    world.gone("RoleBinding", "one").await;
    assert!(world.writes_after_a_sweep(since).await.is_empty());
    world.ready("RoleBinding", "two").await;
    assert_eq!(world.grants_of("alice@example.com"), [(id[0].clone(), "Legacy reviewer".to_owned())]);

    world.delete("RoleBinding", "two").await;
    world.gone("RoleBinding", "two").await;
    assert!(world.grants_of("alice@example.com").is_empty());
    assert!(world.grants_of("bob@example.com").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sharer_that_asks_for_another_role_waits_until_it_is_alone() {
    let world = World::new("sharer").await;
    world.apply(legacy_grant("one", &["alice@example.com"])).await;
    let id = held_ids(&world.ready("RoleBinding", "one").await);
    world.apply(legacy_grant("two", &["alice@example.com"])).await;
    world.ready("RoleBinding", "two").await;
    let since = world.now();
    let viewer = json!({ "spec": { "roleRef": { "external": { "name": "Project Viewer" } } } });
    world.patch("RoleBinding", "two", viewer).await;
    let message = world.reason("RoleBinding", "two", "Conflict").await;
    assert!(message.contains(&format!("RoleBinding {}/one", world.namespace)), "{message}");
    assert!(world.writes_after_a_sweep(since).await.is_empty());
    assert_eq!(crate::support::reason(&world.get("RoleBinding", "one").await), "InSync");

    world.delete("RoleBinding", "one").await;
    world.gone("RoleBinding", "one").await;
    world.ready("RoleBinding", "two").await;
    assert_eq!(world.grants_of("alice@example.com"), [(id[0].clone(), "Project Viewer".to_owned())]);
    assert_eq!(world.writes_since(since), [format!("PATCH /v2/role-bindings/{}", id[0])]);
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_of_a_shared_grant_is_put_back_too() {
    let world = World::new("sharedrift").await;
    world.apply(legacy_grant("one", &["alice@example.com"])).await;
    world.apply(legacy_grant("two", &["alice@example.com"])).await;
    let one = held_ids(&world.ready("RoleBinding", "one").await);
    assert_eq!(held_ids(&world.ready("RoleBinding", "two").await), one);
    let since = world.now();
    let drifted = world.grant_by_hand("alice@example.com", "Project Viewer", "research");
    assert_eq!(one, [drifted.as_str()]);
    let back = [(drifted.clone(), "Legacy reviewer".to_owned())];
    world.swept().await;
    world.ready("RoleBinding", "one").await;
    world.ready("RoleBinding", "two").await;
    assert_eq!(world.grants_of("alice@example.com"), back);
    // Either may do it, or both at once: that comes to the same.
    let patch = format!("PATCH /v2/role-bindings/{drifted}");
    assert!(world.writes_since(since).iter().all(|write| *write == patch), "{:?}", world.writes_since(since));
}

#[tokio::test(flavor = "multi_thread")]
async fn another_role_is_one_patch_and_a_subject_less_revokes_its_grant_alone() {
    let world = World::new("roleref").await;
    let users = ["alice@example.com", "bob@example.com", "dave@example.com"];
    world.apply(legacy_grant("readers", &users[..1])).await;
    let id = held_ids(&world.ready("RoleBinding", "readers").await);
    let since = world.now();
    let viewer = json!({ "roleRef": { "external": { "name": "Project Viewer" } } });
    world.apply(binding("readers", "", &users[..1], viewer.clone())).await;
    assert_eq!(held_ids(&world.ready("RoleBinding", "readers").await), id);
    assert_eq!(world.writes_since(since), [format!("PATCH /v2/role-bindings/{}", id[0])]);

    world.apply(binding("readers", "", &users, viewer.clone())).await;
    world.ready("RoleBinding", "readers").await;
    let of_bob = world.grants_of("bob@example.com")[0].0.clone();
    let since = world.now();
    world.apply(binding("readers", "", &[users[0], users[2]], viewer)).await;
    let left = held_ids(&world.ready("RoleBinding", "readers").await);
    assert_eq!(left.len(), 2);
    assert_eq!(world.writes_since(since), [format!("DELETE /v2/role-bindings/{of_bob}")]);
    world.event("readers", "Revoked").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_restriction_of_one_resource_is_a_conflict() {
    let world = World::new("closed").await;
    // A sweep that is waited for reads roles and grants.
    world.apply(legacy_grant("reviewers", &["alice@example.com"])).await;
    world.ready("RoleBinding", "reviewers").await;
    world.apply(restriction("first", "churn", json!({}))).await;
    world.ready("ResourceRestriction", "first").await;
    let since = world.now();
    world.apply(restriction("second", "churn", json!({}))).await;
    let message = world.reason("ResourceRestriction", "second", "Conflict").await;
    assert!(message.contains(&format!("ResourceRestriction {}/first", world.namespace)), "{message}");
    world.delete("ResourceRestriction", "second").await;
    world.gone("ResourceRestriction", "second").await;
    assert!(world.writes_after_a_sweep(since).await.is_empty());
    assert_eq!(crate::support::reason(&world.get("ResourceRestriction", "first").await), "InSync");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_arize_brings_along_is_never_written() {
    let world = World::new("predef").await;
    let before = world.sim.world().tenant().roles.iter().map(|role| role.permissions.clone()).next();
    let mine = json!({ "name": "Project Viewer", "adopt": "Always" });
    world.apply(role("viewer", &[WRITE], mine)).await;
    let now = world
        .until("Role", "viewer", "refused", |role| {
            ["Invalid", "Conflict"].contains(&crate::support::reason(role).as_str())
        })
        .await;
    let message = crate::support::ready_condition(&now)["message"].to_string();
    assert!(message.contains("Project Viewer") && message.contains("another name"), "{message}");
    assert!(!kept(&now) && held_ids(&now).is_empty() && plan(&now).is_null());
    world.delete("Role", "viewer").await;
    world.gone("Role", "viewer").await;
    assert!(world.writes_after_a_sweep(0).await.is_empty());
    let after = world.sim.world().tenant().roles.iter().map(|role| role.permissions.clone()).next();
    assert_eq!(after, before);
}
