//! The operator as a process: one leads and the others wait, an end in time, what it tells over HTTP and in its log.

use std::time::{Duration, Instant};

use rolewright_simulators::kit::faults::{Action, Fault};
use serde_json::{Value, json};

use crate::support::{KEY, Operator, Setting, World, binding, fresh_log, held_ids, role, shared, unique};

const READ: &str = "PROJECT_READ";
const LEADS: &str = "rolewright_leader";

async fn electing(name: &str) -> World {
    Setting::new(name).args(["--leader-elect", "--listen", "127.0.0.1:0"]).connected(json!({})).await
}

/// A second operator for the same objects, with a log of its own.
async fn second(world: &World) -> Operator {
    let log = fresh_log(&unique(&format!("{}-second", world.namespace)));
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

async fn leads(operator: &Operator, within: Duration) {
    let started = Instant::now();
    while operator.metric(LEADS).await != Some(1.0) {
        assert!(started.elapsed() < within, "it does not lead after {within:?}\n{}", operator.tail());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_operator_waits_with_warm_caches_and_takes_over_when_the_first_is_killed() {
    let mut world = electing("killed").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    leads(&world.operator, Duration::from_secs(10)).await;
    let other = second(&world).await;
    other.answers("/readyz", 200).await;
    world.patch("Role", "reader", json!({ "spec": { "description": "Reads" } })).await;
    world.ready("Role", "reader").await;
    world.swept().await;
    assert_eq!(other.metric(LEADS).await, Some(0.0));
    let (_, metrics) = other.ask("/metrics").await;
    assert!(!metrics.contains("rolewright_backend_calls_total{"), "it called the back end: {metrics}");
    assert!(!metrics.contains("rolewright_looks_total{"), "it worked on objects: {metrics}");
    assert!(!other.log().contains("rolewright::changes"));

    world.operator.kill();
    world.apply(role("writer", &[READ], json!({}))).await;
    // The claim of the dead one runs for 15 s, as the other sees it, which looks every 3 s.
    leads(&other, Duration::from_secs(25)).await;
    world.ready("Role", "writer").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_operator_takes_over_at_once_when_the_first_is_asked_to_end() {
    let mut world = electing("asked").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    let other = second(&world).await;
    other.answers("/readyz", 200).await;
    assert!(world.operator.terminate(Duration::from_secs(10)).success());
    leads(&other, Duration::from_secs(8)).await;
    world.apply(role("writer", &[READ], json!({}))).await;
    world.ready("Role", "writer").await;
    assert_eq!(world.writes_since(0).len(), 2, "one for each role");
}

#[tokio::test(flavor = "multi_thread")]
async fn asked_to_end_with_work_in_flight_it_ends_in_time_and_loses_nothing() {
    let mut world = electing("inflight").await;
    world.ready("Backend", "arize").await;
    let faults = &world.sim.world().faults;
    faults.add(Fault::on(&["POST"], "/v2/roles", Action::Hold { after_work: true })).unwrap();
    world.apply(role("reader", &[READ], json!({}))).await;
    world.account("the role is made", |tenant| tenant.role_by_name("reader").is_some()).await;
    let before = world.role_id("reader");
    assert!(world.operator.terminate(Duration::from_secs(10)).success());
    let log = world.operator.log();
    assert!(log.contains("rolewright ends"), "{}", world.operator.tail());
    world.sim.world().faults.clear();
    world.restart();
    let role = world.ready("Role", "reader").await;
    assert_eq!(held_ids(&role), [before.unwrap()]);
    assert_eq!(role.data["status"]["held"][0]["origin"], "Created", "it was taken for somebody else's");
    assert_eq!(world.writes_since(0), ["POST /v2/roles"], "it was made once");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_tells_whether_it_lives_is_ready_and_what_it_counts() {
    let world = Setting::new("told").args(["--listen", "127.0.0.1:0"]).connected(json!({})).await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    world.operator.answers("/healthz", 200).await;
    world.operator.answers("/readyz", 200).await;
    world.operator.answers("/elsewhere", 404).await;
    let (_, metrics) = world.operator.ask("/metrics").await;
    for wanted in [
        r#"rolewright_objects{kind="Role",reason="InSync"} 1"#,
        r#"rolewright_changes_total{kind="Role",verb="Create",outcome="done"} 1"#,
        r#"rolewright_sweeps_total{outcome="done"}"#,
        "rolewright_leader 1",
        "# EOF",
    ] {
        assert!(metrics.contains(wanted), "no {wanted} in:\n{metrics}");
    }
    assert!(!metrics.contains(&world.namespace), "a label grows with the objects");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_of_the_log_about_an_object_says_which() {
    let world = World::new("lines").await;
    world.apply(role("loggedreader", &[READ], json!({}))).await;
    world.apply(binding("loggedreaders", "loggedreader", &["alice@example.com"], json!({}))).await;
    world.ready("RoleBinding", "loggedreaders").await;
    let refusal = Action::Status { status: 422, headers: Default::default(), body: None, after_work: false };
    world.sim.world().faults.add(Fault::on(&["PATCH"], "/v2/roles/**", refusal)).unwrap();
    world.patch("Role", "loggedreader", json!({ "spec": { "description": "Reads" } })).await;
    world.reason("Role", "loggedreader", "Invalid").await;
    world.sim.world().faults.clear();
    world.patch("Role", "loggedreader", json!({ "spec": { "description": null } })).await;
    world.delete("RoleBinding", "loggedreaders").await;
    world.gone("RoleBinding", "loggedreaders").await;

    let log = world.operator.log();
    let mut changes = 0;
    for text in log.lines() {
        let line: Value = serde_json::from_str(text).unwrap_or_else(|_| panic!("no JSON: {text}"));
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
    assert!(changes >= 4, "a role made and refused, a grant made and removed: {changes}");
    let refused = log.lines().any(|line| line.contains(r#""outcome":"invalid""#));
    assert!(refused, "what was refused is in the log too:\n{}", world.operator.tail());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_is_nowhere_to_be_read_whatever_goes_wrong() {
    let world = Setting::new("secrecy")
        .args(["--listen", "127.0.0.1:0", "--log-level", "debug"])
        .connected(json!({}))
        .await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    // A server that says the key back, in its own form of an error and in none.
    let echo = |body: Value| Action::Status {
        status: 422,
        headers: Default::default(),
        body: Some(body),
        after_work: false,
    };
    let faults = &world.sim.world().faults;
    let problem = json!({ "type": "about:blank", "title": format!("key {KEY}"), "status": 422, "detail": format!("Bearer {KEY} is wrong") });
    faults.add(Fault::on(&["POST"], "/v2/roles", echo(problem)).times(1)).unwrap();
    world.apply(role("refused", &[READ], json!({}))).await;
    world.reason("Role", "refused", "Invalid").await;
    faults.add(Fault::on(&["POST"], "/v2/roles", echo(json!(format!("no: {KEY}")))).times(1)).unwrap();
    world.apply(role("garbled", &[READ], json!({}))).await;
    world.reason("Role", "garbled", "Invalid").await;
    // A key that is not accepted.
    let wrong = "wrong-key-9876543210";
    world.secret(wrong).await;
    world.reason("Backend", "arize", "Denied").await;
    // A key under a name that is not asked for, and one that no header can carry.
    world.secret("line\nbroken-key-555").await;
    world
        .until("Backend", "arize", "told of the key", |backend| {
            crate::support::ready_condition(backend)["message"]
                .as_str()
                .is_some_and(|text| !text.contains("accept"))
        })
        .await;

    let (_, metrics) = world.operator.ask("/metrics").await;
    for (place, text) in [
        ("log", world.operator.log()),
        ("objects and Events", world.everything().await),
        ("metrics", metrics),
    ] {
        for secret in [KEY, wrong, "broken-key-555"] {
            assert!(!text.contains(secret), "{secret} is in the {place}");
        }
    }
}
