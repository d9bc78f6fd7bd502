//! Objects that only show their plan: mode Plan, and paused objects. Also requests to reconcile.

use kube::api::DynamicObject;
use serde_json::{Value, json};

use crate::support::{
    World, binding, condition, has_finalizer, has_reason, managed_ids, plan, reason, restriction, role,
};

const READ: &str = "PROJECT_READ";
const WRITE: &str = "PROJECT_UPDATE";
const PAUSE: &str = "rolewright.dev/pause";

#[tokio::test(flavor = "multi_thread")]
async fn backend_in_plan_mode_only_shows_plans() {
    let world = World::without_backend("planned").await;
    world.connect_with(json!({ "mode": "Plan" })).await;
    world.apply(role("reader", &[READ, WRITE], json!({}))).await;
    // `Enforce` on an object does not override its Backend's stricter mode.
    let enforce = json!({ "mode": "Enforce" });
    world.apply(binding("readers", "reader", &["alice@example.com", "bob@example.com"], enforce)).await;
    world.apply(restriction("churn", "churn", json!({}))).await;

    let words = "mode of Backend arize is Plan: would create the role reader";
    let planned = world.reports("Role", "reader", "Planned", &[words]).await;
    assert_eq!((&plan(&planned)["summary"], kstatus(&planned)), (&json!("+1 ~0 -0"), "Failed"));
    assert_eq!(plan(&planned)["changes"][0]["verb"], "Create");
    assert_eq!(plan(&planned)["changes"][0]["name"], "reader");
    assert_eq!(
        plan(&planned)["changes"][0]["details"],
        json!(["+ PROJECT_READ", "+ PROJECT_UPDATE"]),
        "{planned:?}"
    );
    let words = "would grant reader to alice@example.com, bob@example.com on space research";
    let readers = world.reports("RoleBinding", "readers", "Planned", &[words]).await;
    assert_eq!((&plan(&readers)["summary"], &plan(&readers)["total"]), (&json!("+2 ~0 -0"), &json!(2)));
    let name = plan(&readers)["changes"][0]["name"].as_str().unwrap();
    assert!(name.contains("alice@example.com as reader on space research"), "{name}");
    let words = "would close project churn to inherited access";
    let closed = world.reports("ResourceRestriction", "churn", "Planned", &[words]).await;
    assert_eq!(plan(&closed)["summary"], "+1 ~0 -0");
    world.assert_no_writes_after_sweep(0).await;
    for (kind, name) in [
        ("Backend", "arize"),
        ("Role", "reader"),
        ("RoleBinding", "readers"),
        ("ResourceRestriction", "churn"),
    ] {
        let now = world.get(kind, name).await;
        assert!(!has_finalizer(&now) && managed_ids(&now).is_empty(), "{kind} {name} manages something");
    }

    world.patch("Backend", "arize", json!({ "spec": { "mode": "Enforce" } })).await;
    let role = world.ready("Role", "reader").await;
    assert_eq!(plan(&role), &Value::Null);
    assert_eq!(managed_ids(&world.ready("RoleBinding", "readers").await).len(), 2);
    world.ready("ResourceRestriction", "churn").await;
    assert_eq!(world.permissions_of("reader"), [READ, WRITE]);
}

#[tokio::test(flavor = "multi_thread")]
async fn object_in_plan_mode_shows_changes_and_drift() {
    let world = World::new("object-plan").await;
    world.apply(role("reader", &[READ], json!({ "description": "Reads" }))).await;
    world.ready("Role", "reader").await;
    let since = world.log_position();
    world.apply(role("reader", &[READ, WRITE], json!({ "description": "Writes", "mode": "Plan" }))).await;
    let planned = world.reports("Role", "reader", "Planned", &["spec.mode is Plan: would change"]).await;
    assert_eq!(plan(&planned)["summary"], "+0 ~1 -0");
    let details = &plan(&planned)["changes"][0]["details"];
    assert_eq!(details, &json!([r#"description: "Reads" -> "Writes""#, "+ PROJECT_UPDATE"]));

    world.add_permission("reader", "DATASET_READ");
    let drifted = world
        .until("Role", "reader", "planned with the drift", |role| {
            plan(role)["changes"][0]["details"].to_string().contains("- DATASET_READ")
        })
        .await;
    assert_eq!(plan(&drifted)["summary"], "+0 ~1 -0, updates remove 1");
    assert_ne!(plan(&drifted)["hash"], plan(&planned)["hash"], "another plan must have another hash");
    world.assert_no_writes_after_sweep(since).await;

    world.patch("Role", "reader", json!({ "spec": { "mode": null } })).await;
    world.ready("Role", "reader").await;
    assert_eq!(world.permissions_of("reader"), [READ, WRITE]);
    assert_eq!(world.writes_since(since).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_mode_adopts_nothing() {
    let world = World::new("plan-adopt").await;
    let legacy = json!({ "name": "Legacy reviewer", "mode": "Plan" });
    world.apply(role("legacy", &["PROJECT_READ", "PROJECT_SPAN_READ"], legacy)).await;
    let now = world.reports("Role", "legacy", "Planned", &["would adopt the role Legacy reviewer"]).await;
    assert_eq!(plan(&now)["summary"], "+0 ~0 -0, adopts 1");
    assert_eq!(plan(&now)["changes"][0]["verb"], "Adopt");
    // The grant of carol exists already.
    let place = json!({ "scope": { "space": "operations", "project": "payroll-assistant" }, "mode": "Plan" });
    let users = ["alice@example.com", "carol@example.com"];
    world.apply(binding("reviewers", "legacy", &users, place)).await;
    let words = ["would adopt the grant of carol@example.com; grant Legacy reviewer to alice@example.com"];
    let reviewers = world.reports("RoleBinding", "reviewers", "Planned", &words).await;
    assert_eq!(plan(&reviewers)["summary"], "+1 ~0 -0, adopts 1");
    // Without a mode of its own it waits for its Role, and shows the same.
    world.patch("RoleBinding", "reviewers", json!({ "spec": { "mode": null } })).await;
    world.reports("RoleBinding", "reviewers", "DependencyNotReady", &words).await;
    world.assert_no_writes_after_sweep(0).await;
    world.delete_and_wait("RoleBinding", "reviewers").await;
    assert!(managed_ids(&now).is_empty() && !has_finalizer(&now));
    world.patch("Role", "legacy", json!({ "spec": { "mode": "Enforce" } })).await;
    assert_eq!(managed_ids(&world.ready("Role", "legacy").await).len(), 1);
    world.assert_no_writes(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_object_shows_its_plan_and_changes_nothing() {
    let world = World::new("paused").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    let since = world.log_position();
    world.annotate("Role", "reader", PAUSE, "true").await;
    // Nothing is to be done, so it stays ready, and tools that wait for it continue.
    let ready = world.reports("Role", "reader", "InSync", &["paused", PAUSE]).await;
    assert_eq!((condition(&ready, "Ready")["status"].as_str(), kstatus(&ready)), (Some("True"), "Current"));
    world.assert_steady().await;
    world.patch("Role", "reader", json!({ "spec": { "description": "Reads" } })).await;
    let shown =
        world.until("Role", "reader", "paused with a plan", |role| plan(role)["summary"] == "+0 ~1 -0").await;
    assert_eq!((reason(&shown).as_str(), kstatus(&shown)), ("Paused", "Failed"));
    world.add_permission("reader", WRITE);
    world
        .until("Role", "reader", "paused with the drift in its plan", |role| {
            plan(role)["changes"][0]["details"].to_string().contains("- PROJECT_UPDATE")
        })
        .await;
    world.assert_no_writes_after_sweep(since).await;

    world.annotate("Role", "reader", PAUSE, Value::Null).await;
    world
        .until("Role", "reader", "ready and not paused", |role| {
            has_reason(role, "InSync", &[]) && !has_reason(role, "InSync", &["paused"])
        })
        .await;
    assert_eq!(world.permissions_of("reader"), [READ]);
    assert_eq!(world.count_events("reader", "Paused").await, 0, "a user paused it: no Warning Event");
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_undone_by_hand_makes_a_paused_object_ready() {
    let world = World::new("paused-undone").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    world.annotate("Role", "reader", PAUSE, "true").await;
    world.add_permission("reader", WRITE);
    world.reports("Role", "reader", "Paused", &[]).await;
    world.sim.edit(|tenant| {
        let id = tenant.role_by_name("reader").unwrap();
        tenant.roles.get_mut(id).unwrap().permissions = vec![READ.to_owned()];
    });
    let ready = world.reports("Role", "reader", "InSync", &["paused"]).await;
    assert_eq!(plan(&ready), &Value::Null);
}

/// What kstatus computes from these conditions.
fn kstatus(object: &DynamicObject) -> &'static str {
    let is = |kind: &str, status: &str| condition(object, kind)["status"] == status;
    match () {
        () if is("Reconciling", "True") => "InProgress",
        () if is("Stalled", "True") => "Failed",
        () if is("Ready", "True") => "Current",
        () => "InProgress",
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn new_paused_object_creates_nothing() {
    let world = World::new("paused-new").await;
    let mut object = role("reader", &[READ], json!({}));
    object["metadata"]["annotations"] = json!({ PAUSE: "" });
    world.apply(object).await;
    let shown = world.reports("Role", "reader", "Paused", &[]).await;
    assert_eq!(plan(&shown)["summary"], "+1 ~0 -0");
    assert!(!has_finalizer(&shown));
    world.assert_no_writes_after_sweep(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn reconcile_request_reads_the_back_end() {
    let world = World::without_backend("reconcile-at").await;
    // Only the first sweep runs during this test.
    world.connect_with(json!({ "sweepInterval": "24h" })).await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    world.add_permission("reader", WRITE);
    world.request_reconcile("Role", "reader", "first").await;
    world
        .until("Role", "reader", "reconciled", |role| {
            role.data["status"]["lastHandledReconcileAt"] == "first"
        })
        .await;
    world.event("reader", "DriftCorrected").await;
    world.ready("Role", "reader").await;
    assert_eq!(world.permissions_of("reader"), [READ]);

    world.add_permission("reader", WRITE);
    world.request_reconcile("Backend", "arize", "second").await;
    world
        .until("Backend", "arize", "reconciled", |backend| {
            backend.data["status"]["lastHandledReconcileAt"] == "second"
        })
        .await;
    world
        .until_account("the drift is corrected", |tenant| {
            let id = tenant.role_by_name("reader").unwrap();
            tenant.roles.get(id).unwrap().permissions == [READ]
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn paused_backend_pauses_its_objects_and_false_does_not() {
    let world = World::new("paused-backend").await;
    world.annotate("Backend", "arize", PAUSE, "false").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    let since = world.log_position();
    world.annotate("Backend", "arize", PAUSE, "true").await;
    world.apply(role("writer", &[WRITE], json!({}))).await;
    world.reports("Role", "writer", "Paused", &["from Backend arize"]).await;
    world.assert_no_writes(since);
    world.annotate("Backend", "arize", PAUSE, Value::Null).await;
    world.ready("Role", "writer").await;
}
