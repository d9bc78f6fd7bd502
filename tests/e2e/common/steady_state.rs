//! Steady state: no write anywhere, and no read except the lists of a sweep. An outage of the back end is steady state too.

use rolewright_simulators::kit::log::Entry;
use serde_json::json;

use crate::support::{World, binding, http_status, reason, restriction, role};

const READ: &str = "PROJECT_READ";
const USERS: [&str; 5] =
    ["alice@example.com", "bob@example.com", "carol@example.com", "dave@example.com", "erin@example.com"];

/// A world with five roles, their bindings and a restriction, in sync.
async fn in_sync(name: &str) -> World {
    let world = World::new(name).await;
    let mut objects = vec![restriction("churn", "churn", json!({}))];
    for (n, user) in USERS.iter().enumerate() {
        objects.push(role(&format!("reader-{n}"), &[READ], json!({})));
        objects.push(binding(&format!("readers-{n}"), &format!("reader-{n}"), &[user], json!({})));
    }
    world.apply_all(&objects).await;
    world.full_sweep().await;
    world
}

/// Searches for a user by address.
fn searches(entries: &[Entry]) -> usize {
    entries.iter().filter(|entry| entry.query.contains("email=")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn steady_state_writes_nothing_and_reads_only_lists() {
    let world = in_sync("steady").await;
    let (versions, since) = (world.resource_versions().await, world.log_position());
    let (backend, events) = (world.backend_status().await, world.count_all_events().await);
    for _ in 0..3 {
        world.full_sweep().await;
    }
    assert_eq!(world.resource_versions().await, versions);
    assert_eq!(world.backend_status().await, backend);
    assert_eq!(world.count_all_events().await, events);
    let requests = world.requests_since(since);
    let lists = [
        "/v2/roles",
        "/v2/role-bindings",
        "/v2/resource-restrictions",
        "/v2/users",
        "/v2/spaces",
        "/v2/projects",
        "/v2/audit-logs",
    ];
    let unexpected: Vec<&Entry> = requests
        .iter()
        .filter(|entry| entry.method != "GET" || !lists.contains(&entry.path.as_str()))
        .collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
    assert_eq!(searches(&requests), 0);
    let sweeps = requests.iter().filter(|entry| entry.path == "/v2/roles").count();
    assert!(requests.len() <= (sweeps + 1) * 9, "{} requests in {sweeps} sweeps", requests.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn waiting_and_invalid_objects_are_steady_too() {
    let world = in_sync("steady-waiting").await;
    world.apply(binding("nobody", "reader-0", &["zoe@example.com"], json!({}))).await;
    world.apply(binding("waiting", "no-such-role", &["alice@example.com"], json!({}))).await;
    world.apply(role("planned", &[READ], json!({ "mode": "Plan" }))).await;
    world.reports("RoleBinding", "nobody", "NotFound", &[]).await;
    world.reports("RoleBinding", "waiting", "DependencyNotReady", &[]).await;
    world.reports("Role", "planned", "Planned", &[]).await;
    world.full_sweep().await;
    let (versions, since) = (world.resource_versions().await, world.log_position());
    for _ in 0..3 {
        world.full_sweep().await;
    }
    assert_eq!(world.resource_versions().await, versions);
    assert_eq!(searches(&world.requests_since(since)), 0, "a sweep searches again for an unknown user");
}

#[tokio::test(flavor = "multi_thread")]
async fn outage_changes_no_object() {
    let world = in_sync("outage").await;
    let (versions, checkpoint) = (world.resource_versions().await, world.checkpoint());
    let since = world.log_position();
    world.inject_fault(&["GET", "POST", "PATCH", "DELETE"], "/v2/**", http_status(503));
    let requests = world
        .until_requests(since, "60 failed requests", |entries| {
            entries.iter().filter(|entry| entry.status == Some(503)).count() >= 60
        })
        .await;
    let seconds = requests.last().unwrap().time.duration_since(requests[0].time).as_secs();
    assert!(seconds >= 10, "{} requests in {seconds} s", requests.len());
    world.reports("Backend", "arize", "BackendError", &["503"]).await;
    assert_eq!(world.resource_versions().await, versions);
    world.clear_faults();
    world.ready("Backend", "arize").await;
    world.full_sweep().await;
    assert_eq!(world.resource_versions().await, versions);
    world.assert_unchanged(&checkpoint, "an outage");
    assert_eq!(reason(&world.get("Role", "reader-0").await), "InSync");
}

#[tokio::test(flavor = "multi_thread")]
async fn small_budget_lengthens_the_sweep_interval() {
    let world = World::without_backend("small-budget").await;
    let requests = json!({ "perSecond": 2, "burst": 100 });
    world.connect_with(json!({ "requests": requests, "sweepInterval": "1s" })).await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    world
        .until("Backend", "arize", "swept every 30 s", |it| it.data["status"]["sweepInterval"] == "30s")
        .await;
}
