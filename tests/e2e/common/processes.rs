//! The operator as a process: leader election, a graceful end, its HTTP endpoints and its log.

use std::time::{Duration, Instant};

use rolewright_simulators::kit::faults::Action;
use serde_json::{Value, json};

use crate::support::{
    ADMIN_CREDENTIAL, Operator, World, WorldBuilder, binding, client, echo, fresh_log, http_status,
    make_namespace, managed_ids, ready_condition, role, shared, unique,
};

const READ: &str = "PROJECT_READ";
/// The metric is 1 on the leader and 0 on a standby.
const LEADER_METRIC: &str = "rolewright_leader";

/// A world whose operator takes part in a leader election.
async fn electing(name: &str) -> World {
    WorldBuilder::new(name).args(["--leader-elect"]).listening().build_connected(json!({})).await
}

/// A second operator for the same objects with its own log.
async fn standby(world: &World) -> Operator {
    let log = fresh_log(&unique(&format!("{}-standby", world.namespace)));
    let namespace = world.namespace.as_str();
    let args = [
        "--namespaces",
        namespace,
        "--own-namespace",
        namespace,
        "--leader-elect",
        "--listen",
        "127.0.0.1:0",
    ];
    Operator::start(shared().await.kubeconfig(), &log, &args)
}

/// Waits until an operator leads.
async fn until_leading(operator: &Operator, limit: Duration) {
    let started = Instant::now();
    while operator.metric(LEADER_METRIC).await != Some(1.0) {
        assert!(started.elapsed() < limit, "it does not lead after {limit:?}:\n{}", operator.log_tail());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn standby_takes_over_when_the_leader_is_killed() {
    let mut world = electing("killed").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    until_leading(&world.operator, Duration::from_secs(10)).await;
    let standby = standby(&world).await;
    standby.until_status("/readyz", 200).await;
    world.patch("Role", "reader", json!({ "spec": { "description": "Reads" } })).await;
    world.ready("Role", "reader").await;
    world.full_sweep().await;
    assert_eq!(standby.metric(LEADER_METRIC).await, Some(0.0));
    let (_, metrics) = standby.http_get("/metrics").await;
    assert!(!metrics.contains("rolewright_backend_calls_total{"), "it called the back end: {metrics}");
    assert!(!metrics.contains("rolewright_reconciles_total{"), "it worked on objects: {metrics}");
    assert!(!standby.log().contains("rolewright::changes"));

    world.operator.kill();
    world.apply(role("writer", &[READ], json!({}))).await;
    // The Lease expires after 15 s, and the standby checks it every 3 s.
    until_leading(&standby, Duration::from_secs(25)).await;
    world.ready("Role", "writer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn standby_takes_over_at_once_when_the_leader_ends() {
    let mut world = electing("ended").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    let standby = standby(&world).await;
    standby.until_status("/readyz", 200).await;
    assert!(world.operator.terminate().success());
    until_leading(&standby, Duration::from_secs(8)).await;
    world.apply(role("writer", &[READ], json!({}))).await;
    world.ready("Role", "writer").await;
    assert_eq!(world.writes_since(0).len(), 2, "one write for each role");
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_ends_in_time_and_loses_no_work() {
    let mut world = electing("in-flight").await;
    world.ready("Backend", "arize").await;
    world.inject_fault(&["POST"], "/v2/roles", Action::Hold { after_work: true });
    world.apply(role("reader", &[READ], json!({}))).await;
    world.until_account("the role is created", |tenant| tenant.role_by_name("reader").is_some()).await;
    let before = world.role_id("reader");
    assert!(world.operator.terminate().success());
    let log = world.operator.log();
    assert!(log.contains("rolewright ends"), "{}", world.operator.log_tail());
    world.clear_faults();
    world.restart();
    let role = world.ready("Role", "reader").await;
    assert_eq!(managed_ids(&role), [before.unwrap().to_string()]);
    assert_eq!(role.data["status"]["held"][0]["origin"], "Created", "the role was not recognized");
    assert_eq!(world.writes_since(0), ["POST /v2/roles"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_and_metrics_are_served() {
    let world = WorldBuilder::new("metrics").listening().build_connected(json!({})).await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    world.operator.until_status("/healthz", 200).await;
    world.operator.until_status("/readyz", 200).await;
    world.operator.until_status("/elsewhere", 404).await;
    let (_, metrics) = world.operator.http_get("/metrics").await;
    for expected in [
        r#"rolewright_objects{kind="Role",reason="InSync"} 1"#,
        r#"rolewright_changes_total{kind="Role",verb="Create",outcome="done"} 1"#,
        r#"rolewright_sweeps_total{outcome="done"}"#,
        "rolewright_leader 1",
        "rolewright_build_info{version=",
        "process_resident_memory_bytes ",
        "# EOF",
    ] {
        assert!(metrics.contains(expected), "no {expected} in:\n{metrics}");
    }
    let of_backends = [
        "rolewright_backend_last_sweep_timestamp_seconds{",
        "rolewright_backend_rate{",
        "rolewright_backend_ready{",
        "rolewright_account_",
        "rolewright_credential_expiry",
        "rolewright_waiting_",
    ];
    let grows =
        |line: &&str| line.contains(&world.namespace) && !of_backends.iter().any(|it| line.starts_with(it));
    assert_eq!(metrics.lines().find(grows), None, "a metric grows with the objects");
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_namespaces_are_named_at_start() {
    let plane = shared().await;
    let (own, missing) = (unique("spelt-system"), unique("misspelt"));
    make_namespace(&client(plane).await, &own).await;
    let args = ["--namespaces", &format!("{own},{missing}"), "--own-namespace", &own];
    let operator = Operator::start(plane.kubeconfig(), &fresh_log(&unique("misspelt")), &args);
    operator.until_logged("the caches", |line| line["message"] == "the caches are complete").await;
    let lines = operator.log_lines();
    let warnings: Vec<&Value> = lines.iter().filter(|line| line["level"] == "WARN").collect();
    let [warning] = warnings[..] else { panic!("{}", operator.log_tail()) };
    assert_eq!(warning["namespace"], json!(missing), "{warning}");
    assert!(warning["message"].as_str().unwrap().starts_with("--namespaces names"), "{warning}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_log_line_about_an_object_names_it() {
    let world = World::new("lines").await;
    world.apply(role("loggedreader", &[READ], json!({}))).await;
    world.apply(binding("loggedreaders", "loggedreader", &["alice@example.com"], json!({}))).await;
    world.ready("RoleBinding", "loggedreaders").await;
    world.inject_fault(&["PATCH"], "/v2/roles/**", http_status(422));
    world.patch("Role", "loggedreader", json!({ "spec": { "description": "Reads" } })).await;
    world.reports("Role", "loggedreader", "Invalid", &[]).await;
    world.clear_faults();
    world.patch("Role", "loggedreader", json!({ "spec": { "description": null } })).await;
    world.delete_and_wait("RoleBinding", "loggedreaders").await;

    let log = world.operator.log();
    let mut changes = 0;
    for text in log.lines() {
        let line: Value = serde_json::from_str(text).unwrap_or_else(|_| panic!("not JSON: {text}"));
        if line["target"] == "rolewright::changes" {
            changes += 1;
            assert_eq!(line["namespace"], world.namespace.as_str(), "{text}");
            assert!(line["name"].as_str().unwrap_or_default().starts_with("logged"), "{text}");
            for field in
                ["timestamp", "tenant", "kind", "generation", "plan", "verb", "thing", "title", "outcome"]
            {
                assert!(!line[field].is_null(), "no {field}: {text}");
            }
        } else if text.contains("loggedreader") {
            let named = ["kind", "namespace", "name"].iter().all(|field| line[*field].is_string());
            assert!(named, "{text}");
        }
    }
    assert!(
        changes >= 4,
        "{changes} changes instead of four: a role created and refused, a grant created and removed"
    );
    let refused = log.lines().any(|line| line.contains(r#""outcome":"invalid""#));
    assert!(refused, "the refused change is not in the log:\n{}", world.operator.log_tail());
}

#[tokio::test(flavor = "multi_thread")]
async fn credential_never_appears_in_logs_and_metrics() {
    let builder = WorldBuilder::new("debug-secrecy").args(["--log-level", "debug"]).listening();
    let world = builder.build_connected(json!({})).await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    // A server that repeats the credential, in the vendor's form of an error and as plain text.
    let problem = json!({
        "type": "about:blank",
        "title": format!("key {ADMIN_CREDENTIAL}"),
        "status": 422,
        "detail": format!("Bearer {ADMIN_CREDENTIAL} is wrong"),
    });
    world.inject_fault_times(&["POST"], "/v2/roles", echo(422, problem), 1);
    world.apply(role("refused", &[READ], json!({}))).await;
    world.reports("Role", "refused", "Invalid", &[]).await;
    let text = json!(format!("no: {ADMIN_CREDENTIAL}"));
    world.inject_fault_times(&["POST"], "/v2/roles", echo(422, text), 1);
    world.apply(role("garbled", &[READ], json!({}))).await;
    world.reports("Role", "garbled", "Invalid", &[]).await;
    // A credential that the server refuses.
    let wrong = "wrong-key-9876543210";
    world.apply_secret(wrong).await;
    world.reports("Backend", "arize", "Denied", &[]).await;
    // A credential that cannot be sent in a header.
    world.apply_secret("line\nbroken-key-555").await;
    world
        .until("Backend", "arize", "reporting the invalid credential", |backend| {
            ready_condition(backend)["message"].as_str().is_some_and(|text| !text.contains("accept"))
        })
        .await;

    let (_, metrics) = world.operator.http_get("/metrics").await;
    for (place, text) in [
        ("log", world.operator.log()),
        ("objects and Events", world.objects_and_events().await),
        ("metrics", metrics),
    ] {
        for secret in [ADMIN_CREDENTIAL, wrong, "broken-key-555"] {
            assert!(!text.contains(secret), "{secret} is in the {place}");
        }
    }
}
