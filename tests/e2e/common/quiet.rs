//! Steady state: no write to anybody, and of reads the paged lists only. A back end that is down is steady state too.

use rolewright_simulators::kit::log::Entry;
use serde_json::json;

use crate::support::{KEY, World, backend, binding, reason, restriction, role, status};

const READ: &str = "PROJECT_READ";

async fn in_sync(name: &str) -> World {
    let world = World::new(name).await;
    for n in 0..5 {
        world.apply(role(&format!("reader-{n}"), &[READ], json!({}))).await;
        let user = [
            "alice@example.com",
            "bob@example.com",
            "carol@example.com",
            "dave@example.com",
            "erin@example.com",
        ][n];
        world.apply(binding(&format!("readers-{n}"), &format!("reader-{n}"), &[user], json!({}))).await;
    }
    world.apply(restriction("churn", "churn", json!({}))).await;
    for n in 0..5 {
        world.ready("RoleBinding", &format!("readers-{n}")).await;
    }
    world.ready("ResourceRestriction", "churn").await;
    world.swept().await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn in_steady_state_nothing_is_written_and_only_lists_are_read() {
    let world = in_sync("quiet").await;
    let (versions, said, since) = (world.versions().await, world.backend_says().await, world.now());
    let events = world.all("events.k8s.io/v1", "Event").await.len();
    for _ in 0..3 {
        world.swept().await;
    }
    assert_eq!(world.versions().await, versions);
    assert_eq!(world.backend_says().await, said);
    assert_eq!(world.all("events.k8s.io/v1", "Event").await.len(), events);
    let seen = world.asked(since);
    let lists = [
        "/v2/roles",
        "/v2/role-bindings",
        "/v2/resource-restrictions",
        "/v2/users",
        "/v2/spaces",
        "/v2/projects",
        "/v2/audit-logs",
    ];
    let strange: Vec<&Entry> =
        seen.iter().filter(|entry| entry.method != "GET" || !lists.contains(&entry.path.as_str())).collect();
    assert!(strange.is_empty(), "{strange:#?}");
    let searches: Vec<&Entry> = seen.iter().filter(|entry| entry.query.contains("email=")).collect();
    assert!(searches.is_empty(), "{searches:#?}");
    let sweeps = seen.iter().filter(|entry| entry.path == "/v2/roles").count();
    assert!(seen.len() <= (sweeps + 1) * 9, "{} calls in {sweeps} sweeps", seen.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_that_wait_or_are_wrong_are_quiet_too() {
    let world = in_sync("quietwrong").await;
    world.apply(binding("nobody", "reader-0", &["zoe@example.com"], json!({}))).await;
    world.apply(binding("waiting", "no-such-role", &["alice@example.com"], json!({}))).await;
    world.apply(role("paused", &[READ], json!({ "mode": "Plan" }))).await;
    world.reason("RoleBinding", "nobody", "NotFound").await;
    world.reason("RoleBinding", "waiting", "DependencyNotReady").await;
    world.reason("Role", "paused", "Planned").await;
    world.swept().await;
    let (versions, since) = (world.versions().await, world.now());
    for _ in 0..3 {
        world.swept().await;
    }
    assert_eq!(world.versions().await, versions);
    let searches = world.asked(since).iter().filter(|entry| entry.query.contains("email=")).count();
    assert_eq!(searches, 0, "a name that stands for nothing is not looked up at each sweep");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_back_end_that_is_down_for_some_sweeps_changes_no_word() {
    let world = in_sync("downtime").await;
    let (versions, access, since) = (world.versions().await, world.access(), world.now());
    world.fault(&["GET", "POST", "PATCH", "DELETE"], "/v2/**", status(503));
    let seen = world
        .until_asked(since, "failing sweeps", |entries| {
            entries.iter().filter(|entry| entry.status == Some(503)).count() >= 60
        })
        .await;
    let time = seen.last().unwrap().time.duration_since(seen[0].time).as_secs();
    assert!(time >= 10, "{} calls in {time} s", seen.len());
    world.says("Backend", "arize", "BackendError", &["503"]).await;
    assert_eq!(world.versions().await, versions);
    world.mend();
    world.ready("Backend", "arize").await;
    world.swept().await;
    assert_eq!(world.versions().await, versions);
    assert_eq!(world.access(), access);
    assert!(world.writes_since(since).is_empty());
    assert_eq!(reason(&world.get("Role", "reader-0").await), "InSync");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_budget_makes_sweeps_rarer_and_the_backend_says_how_rare() {
    let world = World::without_backend("rare", &[]).await;
    world.secret(KEY).await;
    let few = json!({ "requests": { "perSecond": 2, "burst": 100 }, "sweepInterval": "1s" });
    world.apply(backend(&world.sim.url(), few)).await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    world
        .until("Backend", "arize", "the interval is said", |it| it.data["status"]["sweepInterval"] == "30s")
        .await;
}
