//! Showing and not doing: mode Plan, and pausing.

use serde_json::{Value, json};

use crate::support::{World, binding, held_ids, kept, plan, restriction, role};

const READ: &str = "PROJECT_READ";
const WRITE: &str = "PROJECT_UPDATE";
const PAUSE: &str = "rolewright.dev/pause";
const RECONCILE_AT: &str = "rolewright.dev/reconcile-at";

fn permissions(world: &World, role: &str) -> Vec<String> {
    let tenant = world.sim.world().tenant();
    let id = tenant.role_by_name(role).unwrap();
    tenant.roles.get(id).unwrap().permissions.clone()
}

fn permit_by_hand(world: &World, role: &str, permission: &str) {
    world.sim.edit(|tenant| {
        let id = tenant.role_by_name(role).unwrap();
        tenant.roles.get_mut(id).unwrap().permissions.push(permission.to_owned());
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_in_plan_mode_shows_every_plan_and_writes_nothing_until_it_enforces() {
    let world = World::without_backend("planned", &[]).await;
    world.secret(crate::support::KEY).await;
    world.apply(crate::support::backend(&world.sim.url(), json!({ "mode": "Plan" }))).await;
    world.apply(role("reader", &[READ, WRITE], json!({}))).await;
    // Enforce on an object does not loosen its Backend's mode.
    let loose = json!({ "mode": "Enforce" });
    world.apply(binding("readers", "reader", &["alice@example.com", "bob@example.com"], loose)).await;
    world.apply(restriction("churn", "churn", json!({}))).await;

    let planned = world.with_reason("Role", "reader", "Planned").await;
    assert_eq!(plan(&planned)["summary"], "+1 ~0 -0");
    assert_eq!(plan(&planned)["changes"][0]["verb"], "Create");
    assert_eq!(plan(&planned)["changes"][0]["name"], "reader");
    assert_eq!(
        plan(&planned)["changes"][0]["details"],
        json!(["+ PROJECT_READ", "+ PROJECT_UPDATE"]),
        "{planned:?}"
    );
    let readers = world.with_reason("RoleBinding", "readers", "Planned").await;
    assert_eq!((&plan(&readers)["summary"], &plan(&readers)["total"]), (&json!("+2 ~0 -0"), &json!(2)));
    let name = plan(&readers)["changes"][0]["name"].as_str().unwrap();
    assert!(name.contains("alice@example.com as reader on space research"), "{name}");
    let closed = world.with_reason("ResourceRestriction", "churn", "Planned").await;
    assert_eq!(plan(&closed)["summary"], "+1 ~0 -0");
    assert!(world.writes_after_a_sweep(0).await.is_empty());
    for (kind, name) in [
        ("Backend", "arize"),
        ("Role", "reader"),
        ("RoleBinding", "readers"),
        ("ResourceRestriction", "churn"),
    ] {
        let now = world.get(kind, name).await;
        assert!(!kept(&now) && held_ids(&now).is_empty(), "{kind} {name} is kept");
    }

    world.patch("Backend", "arize", json!({ "spec": { "mode": "Enforce" } })).await;
    let role = world.ready("Role", "reader").await;
    assert_eq!(plan(&role), &Value::Null);
    assert_eq!(held_ids(&world.ready("RoleBinding", "readers").await).len(), 2);
    world.ready("ResourceRestriction", "churn").await;
    assert_eq!(permissions(&world, "reader"), [READ, WRITE]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_in_plan_mode_shows_what_would_change_and_drift_too() {
    let world = World::new("objplan").await;
    world.apply(role("reader", &[READ], json!({ "description": "Reads" }))).await;
    world.ready("Role", "reader").await;
    let since = world.now();
    world.apply(role("reader", &[READ, WRITE], json!({ "description": "Writes", "mode": "Plan" }))).await;
    let planned = world.with_reason("Role", "reader", "Planned").await;
    assert_eq!(plan(&planned)["summary"], "+0 ~1 -0");
    let details = &plan(&planned)["changes"][0]["details"];
    assert_eq!(details, &json!([r#"description: "Reads" -> "Writes""#, "+ PROJECT_UPDATE"]));

    permit_by_hand(&world, "reader", "DATASET_READ");
    let drifted = world
        .until("Role", "reader", "planned with the drift", |role| {
            plan(role)["changes"][0]["details"].to_string().contains("- DATASET_READ")
        })
        .await;
    assert_ne!(plan(&drifted)["hash"], plan(&planned)["hash"], "another plan has another hash");
    assert!(world.writes_after_a_sweep(since).await.is_empty());

    world.patch("Role", "reader", json!({ "spec": { "mode": null } })).await;
    world.ready("Role", "reader").await;
    assert_eq!(permissions(&world, "reader"), [READ, WRITE]);
    assert_eq!(world.writes_since(since).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_taken_over_in_plan_mode() {
    let world = World::new("planadopt").await;
    let legacy = json!({ "name": "Legacy reviewer", "mode": "Plan" });
    world.apply(role("legacy", &["PROJECT_READ", "PROJECT_SPAN_READ"], legacy)).await;
    let message = world.reason("Role", "legacy", "Planned").await;
    assert!(message.contains("taking over what is there"), "{message}");
    let now = world.get("Role", "legacy").await;
    assert!(held_ids(&now).is_empty() && !kept(&now));
    world.patch("Role", "legacy", json!({ "spec": { "mode": "Enforce" } })).await;
    assert_eq!(held_ids(&world.ready("Role", "legacy").await).len(), 1);
    assert!(world.writes_since(0).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_object_shows_its_plan_and_neither_it_nor_drift_is_acted_on() {
    let world = World::new("paused").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    let since = world.now();
    world.annotate("Role", "reader", PAUSE, "true").await;
    world.reason("Role", "reader", "Paused").await;
    world.patch("Role", "reader", json!({ "spec": { "description": "Reads" } })).await;
    let shown =
        world.until("Role", "reader", "paused with a plan", |role| plan(role)["summary"] == "+0 ~1 -0").await;
    assert!(crate::support::reason(&shown) == "Paused");
    permit_by_hand(&world, "reader", WRITE);
    world
        .until("Role", "reader", "paused with the drift in its plan", |role| {
            plan(role)["changes"][0]["details"].to_string().contains("- PROJECT_UPDATE")
        })
        .await;
    assert!(world.writes_after_a_sweep(since).await.is_empty());

    world.annotate("Role", "reader", PAUSE, Value::Null).await;
    world.ready("Role", "reader").await;
    assert_eq!(permissions(&world, "reader"), [READ]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_object_that_is_paused_is_not_made() {
    let world = World::new("pausednew").await;
    let mut object = role("reader", &[READ], json!({}));
    object["metadata"]["annotations"] = json!({ PAUSE: "" });
    world.apply(object).await;
    let shown = world.with_reason("Role", "reader", "Paused").await;
    assert_eq!(plan(&shown)["summary"], "+1 ~0 -0");
    assert!(!kept(&shown));
    assert!(world.writes_after_a_sweep(0).await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_for_a_look_is_answered_and_looks_at_the_back_end_itself() {
    let world = World::without_backend("lookat", &[]).await;
    world.secret(crate::support::KEY).await;
    // No sweep comes by itself in this test's life.
    world.apply(crate::support::backend(&world.sim.url(), json!({ "sweepInterval": "24h" }))).await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    permit_by_hand(&world, "reader", WRITE);
    world.annotate("Role", "reader", RECONCILE_AT, "first").await;
    world
        .until("Role", "reader", "looked at", |role| role.data["status"]["lastHandledReconcileAt"] == "first")
        .await;
    world.event("reader", "DriftCorrected").await;
    world.ready("Role", "reader").await;
    assert_eq!(permissions(&world, "reader"), [READ]);

    permit_by_hand(&world, "reader", WRITE);
    world.annotate("Backend", "arize", RECONCILE_AT, "second").await;
    world
        .until("Backend", "arize", "looked at", |backend| {
            backend.data["status"]["lastHandledReconcileAt"] == "second"
        })
        .await;
    world
        .account("the drift is corrected", |tenant| {
            let id = tenant.role_by_name("reader").unwrap();
            tenant.roles.get(id).unwrap().permissions == [READ]
        })
        .await;
}
