//! Approvals: each covers one plan, once.

use serde_json::json;

use crate::support::{
    World, approval, binding, http_status, managed_ids, plan, plan_hash, restriction, role,
};

const READ: &str = "PROJECT_READ";
const WRITE: &str = "PROJECT_UPDATE";

/// A world in mode Approve, with a role whose creation waits. Returns the hash of its plan.
async fn with_waiting_role(name: &str) -> (World, String) {
    let world = World::without_backend(name).await;
    world.connect_with(json!({ "mode": "Approve" })).await;
    world.apply(role("reader", &[READ], json!({}))).await;
    let words = ["mode of Backend arize is Approve", "would create the role reader"];
    let waiting = world.reports("Role", "reader", "ApprovalRequired", &words).await;
    (world, plan_hash(&waiting))
}

#[tokio::test(flavor = "multi_thread")]
async fn mode_approve_executes_only_approved_plans() {
    let (world, hash) = with_waiting_role("approve").await;
    world.assert_no_writes_after_sweep(0).await;
    world.approve("first", "Role", "reader", &hash).await;
    let ready = world.ready("Role", "reader").await;
    world.decided("first", "Executed").await;
    let record = &ready.data["status"]["approval"];
    assert_eq!(
        (&record["name"], &record["plan"], &record["approvedBy"], &record["reason"]),
        (&json!("first"), &json!(hash), &json!("alice@example.com"), &json!("INC-123"))
    );
    let line = world.operator.until_logged("the change", |line| line["verb"] == "Create").await;
    assert_eq!((&line["approval"], &line["approved_by"]), (&json!("first"), &json!("alice@example.com")));
    assert_eq!((&line["approved_plan"], &line["plan"]), (&json!(hash), &json!(hash)));

    // The next change needs its own.
    world.apply(role("reader", &[READ, WRITE], json!({}))).await;
    let waiting = world.reports("Role", "reader", "ApprovalRequired", &["+ PROJECT_UPDATE"]).await;
    assert_ne!(plan_hash(&waiting), hash);
    assert_eq!(world.permissions_of("reader"), [READ]);
    world.assert_steady().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn spent_outdated_and_foreign_approvals_do_nothing() {
    let (world, hash) = with_waiting_role("outdated").await;
    world.approve("missing", "Role", "no-such-role", &hash).await;
    assert!(world.decided("missing", "Outdated").await.contains("no Role no-such-role"));
    world.approve("guess", "Role", "reader", "v1-0000").await;
    assert!(world.decided("guess", "Outdated").await.contains(&hash));
    // The plan changes after the person looked at it.
    world.apply(role("reader", &[READ, WRITE], json!({}))).await;
    let waiting = world
        .until("Role", "reader", "waiting with another plan", |role| plan(role)["hash"] != json!(hash))
        .await;
    world.approve("late", "Role", "reader", &hash).await;
    world.decided("late", "Outdated").await;
    world.assert_no_writes_after_sweep(0).await;
    // Back to the first plan: the outdated decision stays outdated.
    world.apply(role("reader", &[READ], json!({}))).await;
    world.until("Role", "reader", "the first plan again", |role| plan(role)["hash"] == json!(hash)).await;
    world.assert_no_writes_after_sweep(0).await;
    world.approve("first", "Role", "reader", &hash).await;
    world.ready("Role", "reader").await;
    world.decided("first", "Executed").await;
    // The same again, for a role that was deleted by hand: it is another point of its history.
    let since = world.log_position();
    world.sim.edit(|tenant| {
        let id = tenant.role_by_name("reader").unwrap();
        tenant.roles.remove(id);
    });
    world.reports("Role", "reader", "ApprovalRequired", &["would create the role reader"]).await;
    world.approve("again", "Role", "reader", &hash).await;
    world.decided("again", "Outdated").await;
    world.assert_no_writes_after_sweep(since).await;
    assert_ne!(plan_hash(&waiting), hash);
}

#[tokio::test(flavor = "multi_thread")]
async fn rejected_plan_is_not_executed() {
    let (world, hash) = with_waiting_role("rejected").await;
    world.apply(approval("no", "Role", "reader", &hash, "Reject")).await;
    world.decided("no", "Rejected").await;
    let words = ["alice@example.com rejected it with Approval no (INC-123)"];
    world.reports("Role", "reader", "ApprovalRequired", &words).await;
    world.approve("yes", "Role", "reader", &hash).await;
    world.decided("yes", "Outdated").await;
    // Not by another mode either.
    world.patch("Backend", "arize", json!({ "spec": { "mode": "Enforce" } })).await;
    world.full_sweep().await;
    world.reports("Role", "reader", "ApprovalRequired", &words).await;
    world.assert_no_writes_after_sweep(0).await;
    world.apply(role("reader", &[READ, WRITE], json!({}))).await;
    world.ready("Role", "reader").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn mode_plan_ignores_approvals() {
    let world = World::without_backend("ignored").await;
    world.connect_with(json!({ "mode": "Plan" })).await;
    world.apply(role("reader", &[READ], json!({}))).await;
    let planned = world.reports("Role", "reader", "Planned", &[]).await;
    world.approve("eager", "Role", "reader", &plan_hash(&planned)).await;
    assert!(world.decided("eager", "Ignored").await.contains("mode is Plan"));
    world.assert_no_writes_after_sweep(0).await;
    world.patch("Backend", "arize", json!({ "spec": { "mode": "Approve" } })).await;
    world.reports("Role", "reader", "ApprovalRequired", &[]).await;
    world.assert_no_writes_after_sweep(0).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn approval_of_a_backend_covers_all_that_waits() {
    let (world, _) = with_waiting_role("all").await;
    world.apply(restriction("churn", "churn", json!({}))).await;
    world.reports("ResourceRestriction", "churn", "ApprovalRequired", &[]).await;
    let churn = ("ResourceRestriction", "churn");
    let first = world.waiting("arize", &[("Role", "reader"), churn]).await;
    world.apply(role("writer", &[WRITE], json!({}))).await;
    let objects = [("Role", "reader"), ("Role", "writer"), churn];
    let all = world.waiting("arize", &objects).await;
    let hash = |waiting: &serde_json::Value| waiting["plan"].as_str().unwrap().to_owned();
    world.approve("late", "Backend", "arize", &hash(&first)).await;
    assert!(world.decided("late", "Outdated").await.contains(&hash(&all)));
    world.assert_no_writes_after_sweep(0).await;
    world.approve("all", "Backend", "arize", &hash(&all)).await;
    world.all_ready(&objects).await;
    world.decided("all", "Executed").await;
    world
        .until("Backend", "arize", "nothing waits", |backend| backend.data["status"]["waiting"].is_null())
        .await;
    assert_eq!(world.writes_since(0).len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn approved_plan_continues_after_a_crash() {
    let mut world = World::without_backend("crash").await;
    world.connect_with(json!({})).await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    world.patch("Backend", "arize", json!({ "spec": { "mode": "Approve" } })).await;
    let users = ["alice@example.com", "bob@example.com", "carol@example.com"];
    world.apply(binding("readers", "reader", &users, json!({}))).await;
    let waiting = world.reports("RoleBinding", "readers", "ApprovalRequired", &[]).await;
    let hash = plan_hash(&waiting);
    // One of three grants is refused, and the operator dies meanwhile.
    world.inject_fault_times(&["POST"], "/v2/role-bindings", http_status(403), 1);
    world.approve("one", "RoleBinding", "readers", &hash).await;
    world.until("RoleBinding", "readers", "partly executed", |binding| managed_ids(binding).len() >= 2).await;
    world.decided("one", "Executing").await;
    world.operator.kill();
    world.clear_faults();
    world.restart();
    let ready = world.ready("RoleBinding", "readers").await;
    assert_eq!(managed_ids(&ready).len(), 3);
    world.decided("one", "Executed").await;
    assert_eq!(ready.data["status"]["approval"]["name"], "one");
}
