//! What only the back end's own rules can refuse: the object says so, naming the field and the rule, and nothing is written.

use serde_json::{Value, json};

use crate::support::{World, binding, held_ids, kept, restriction, role};

const READ: &str = "PROJECT_READ";

async fn is_invalid(world: &World, object: Value, words: &[&str]) {
    let (kind, name) = (object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap());
    world.apply(object.clone()).await;
    let message = world.reason(kind, name, "Invalid").await;
    for word in words {
        assert!(message.contains(word), "{kind} {name}: no {word:?} in {message:?}");
    }
    let now = world.get(kind, name).await;
    assert!(held_ids(&now).is_empty() && !kept(&now), "{kind} {name} holds something");
    let stalled = now.data["status"]["conditions"]
        .as_array()
        .unwrap()
        .iter()
        .any(|one| one["type"] == "Stalled" && one["status"] == "True");
    assert!(stalled, "{kind} {name}: the user has to act, and Stalled does not say so");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_arize_cannot_have_is_told_which_field_breaks_which_rule() {
    let world = World::new("badrole").await;
    is_invalid(&world, role("star", &[READ], json!({ "name": "a*b" })), &["spec.name", "'*'"]).await;
    is_invalid(&world, role("umlaut", &[READ], json!({ "name": "größe" })), &["spec.name", "'ö'"]).await;
    is_invalid(
        &world,
        role("resources", &[], json!({ "rules": [{ "actions": [READ], "resources": ["project:1"] }] })),
        &["spec.rules", "leave out the resource", "project:1"],
    )
    .await;
    is_invalid(
        &world,
        role("deny", &[], json!({ "rules": [{ "actions": [READ], "effect": "Deny" }] })),
        &["spec.rules", "only allow"],
    )
    .await;
    is_invalid(&world, role("spelling", &["project:read"], json!({})), &["did you mean PROJECT_READ?"]).await;
    assert!(world.writes_after_a_sweep(0).await.is_empty());

    world.apply(role("star", &[READ], json!({ "name": "a-b" }))).await;
    world.ready("Role", "star").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binding_on_what_arize_has_no_bindings_for_is_invalid() {
    let world = World::new("badbind").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    let since = world.now();
    let mut nowhere = binding("nowhere", "reader", &["alice@example.com"], json!({}));
    nowhere["spec"].as_object_mut().unwrap().remove("scope");
    is_invalid(&world, nowhere, &["spec.scope", "write space or project"]).await;
    let organization = world.sim.world().tenant().organizations.iter().next().unwrap().id.to_string();
    let whole = json!({ "scope": { "id": organization } });
    is_invalid(
        &world,
        binding("organization", "reader", &["alice@example.com"], whole),
        &["spec.scope", "organization", "space, project"],
    )
    .await;
    let twice = json!({ "scope": { "space": "sandbox" } });
    is_invalid(
        &world,
        binding("ambiguous", "reader", &["alice@example.com"], twice),
        &["spec.scope.space", "2 spaces are called \"sandbox\"", "ids"],
    )
    .await;
    let space = world.sim.world().tenant().space_by_name("research").unwrap().to_string();
    is_invalid(
        &world,
        restriction("space", "churn", json!({ "resource": { "id": space } })),
        &["spec.resource", "space", "project"],
    )
    .await;
    assert!(world.writes_after_a_sweep(since).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binding_of_a_role_of_another_backend_is_invalid() {
    let world = World::new("badref").await;
    let elsewhere = json!({ "backendRef": { "name": "other" } });
    world.apply(role("theirs", &[READ], elsewhere)).await;
    is_invalid(
        &world,
        binding("readers", "theirs", &["alice@example.com"], json!({})),
        &["spec.roleRef.name", "Backend other", "Backend arize"],
    )
    .await;
    assert!(world.writes_after_a_sweep(0).await.is_empty());
}
