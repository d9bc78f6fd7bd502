//! What is recorded: objects of each kind in the states that users meet.

use rolewright_simulators::{grafana::Grafana, kit::faults::Fault};
use serde_json::{Value, json};

use super::{
    Health::{Degraded, Healthy, Progressing, Suspended},
    PAUSE, Recording, get, has_state, reports,
};
use crate::{
    simulation::{
        ceilings::{SECRETS, cluster_backend, namespace, through},
        cluster::{Cluster, NAMESPACE},
        path::plural_of,
        scene::{Scene, Simulated, backend_with, host, simulated},
    },
    support::{
        ADMIN_CREDENTIAL, Account, approval, grafana, http_status, kind_and_name, offer_of, request_for,
        trial::Trial,
    },
};

const ALICE: (&str, &str) = ("User", "alice@example.com");
const BOB: (&str, &str) = ("User", "bob@example.com");
const ZOE: (&str, &str) = ("User", "zoe@example.com");

/// Records everything.
pub fn record(recording: &mut Recording) {
    simulated(1, roles(recording));
    simulated(2, bindings(recording));
    simulated(3, restrictions_and_prunes(recording));
    simulated(4, approvals(recording));
    simulated(5, requests(recording));
    simulated(6, backends(recording));
    simulated(7, cluster_backends(recording));
}

fn scene() -> Scene<Grafana> {
    let more = json!({ "sweepInterval": "1m", "exclusive": true });
    Scene::with(Grafana::servers().pop().unwrap(), more, 1)
}

fn role(name: &str, more: Value) -> Value {
    grafana::role(name, more)
}

fn binding(name: &str, subjects: &[(&str, &str)], more: Value) -> Value {
    grafana::binding(name, "reader", subjects, more)
}

fn paused(mut object: Value) -> Value {
    object["metadata"]["annotations"] = json!({ PAUSE: "true" });
    object
}

/// Applies an object, and records it when it has the reason.
async fn show(
    recording: &mut Recording,
    cluster: &Cluster,
    object: &Value,
    reason: &str,
    file: &str,
    health: super::Health,
) {
    let (kind, name) = kind_and_name(object);
    cluster.apply(object.clone());
    recording.add(&reports(cluster, kind, name, reason).await, file, health);
}

fn now(cluster: &Cluster, object: &Value) -> Value {
    let (kind, name) = kind_and_name(object);
    get(cluster, kind, name)
}

async fn roles(recording: &mut Recording) {
    let mut scene = scene();
    let cluster = &scene.cluster;
    let reader = role("reader", json!({}));
    cluster.apply(reader.clone());
    recording.add(&now(cluster, &reader), "progressing-new", Progressing);
    show(recording, cluster, &reader, "InSync", "healthy", Healthy).await;
    show(
        recording,
        cluster,
        &role("planned", json!({ "mode": "Plan" })),
        "Planned",
        "suspended-planned",
        Suspended,
    )
    .await;
    let approve = role("approve", json!({ "mode": "Approve" }));
    show(recording, cluster, &approve, "ApprovalRequired", "suspended-approval-required", Suspended).await;
    show(recording, cluster, &paused(role("held", json!({}))), "Paused", "suspended-paused", Suspended).await;
    let wrong = json!({ "rules": [{ "actions": ["report:read"], "resources": ["reports:*"] }] });
    show(recording, cluster, &role("wrong", wrong), "Invalid", "degraded-invalid", Degraded).await;
    let elsewhere = role("elsewhere", json!({ "backendRef": { "name": "missing" } }));
    show(recording, cluster, &elsewhere, "BackendNotReady", "progressing-backend-not-ready", Progressing)
        .await;
    cluster.apply(paused(reader.clone()));
    let is_paused = |cluster: &Cluster| {
        let message = &now(cluster, &reader)["status"]["conditions"][0]["message"];
        message.as_str().is_some_and(|message| message.contains("paused"))
    };
    cluster.until("it says that it is paused", is_paused).await.unwrap();
    recording.add(&now(cluster, &reader), "healthy-paused", Healthy);
    cluster.apply(role("reader", json!({ "description": "changed" })));
    recording.add(&now(cluster, &reader), "progressing-outdated", Progressing);
    reports(cluster, "Role", "reader", "InSync").await;

    scene.cluster.apply(binding("readers", &[ALICE], json!({ "deletionPolicy": "Retain" })));
    reports(&scene.cluster, "RoleBinding", "readers", "InSync").await;
    scene.cluster.api.delete("roles", NAMESPACE, "reader");
    recording.add(
        &reports(&scene.cluster, "Role", "reader", "DeletionBlocked").await,
        "degraded-deletion",
        Degraded,
    );
    scene.cluster.kill().await;
}

async fn bindings(recording: &mut Recording) {
    let mut scene = scene();
    let cluster = &scene.cluster;
    cluster.apply(role("reader", json!({})));
    let cases = [
        (binding("readers", &[ALICE, BOB], json!({})), "InSync", "healthy", Healthy),
        (binding("wrong", &[ALICE, ZOE], json!({})), "NotFound", "degraded-not-found", Degraded),
        (
            binding("newcomers", &[ALICE, ZOE], json!({ "missingSubjects": "Wait" })),
            "MissingSubjects",
            "healthy-missing-subjects",
            Healthy,
        ),
        (
            binding("later", &[ALICE], json!({ "startsAt": "2099-01-01T00:00:00Z" })),
            "Scheduled",
            "suspended-scheduled",
            Suspended,
        ),
        (
            binding("over", &[ALICE], json!({ "expiresAt": "2020-01-01T00:00:00Z" })),
            "Expired",
            "degraded-expired",
            Degraded,
        ),
        (
            binding(
                "planned",
                &[ZOE, BOB],
                json!({ "mode": "Plan", "roleRef": { "external": { "name": "Legacy reviewer" } } }),
            ),
            "Planned",
            "suspended-planned",
            Suspended,
        ),
        (
            binding("waiting", &[ALICE], json!({ "roleRef": { "name": "missing" } })),
            "DependencyNotReady",
            "progressing-dependency-not-ready",
            Progressing,
        ),
    ];
    for (object, reason, file, health) in cases {
        show(recording, cluster, &object, reason, file, health).await;
    }
    // What is shared blocks nothing.
    let misspelt = binding("readers", &[ALICE, ("User", "bobb@example.com")], json!({}));
    show(recording, cluster, &misspelt, "ApprovalRequired", "suspended-approval-required", Suspended).await;
    scene.cluster.kill().await;
}

async fn restrictions_and_prunes(recording: &mut Recording) {
    let mut scene = scene();
    let cluster = &scene.cluster;
    let closed = Grafana::restriction().unwrap();
    show(recording, cluster, &closed, "InSync", "healthy", Healthy).await;
    let prune = |name: &str, more: Value| {
        let mut spec = json!({ "backendRef": { "name": "grafana" }, "kinds": ["Grant"] });
        for (field, value) in more.as_object().unwrap() {
            spec[field] = value.clone();
        }
        json!({ "apiVersion": "rolewright.dev/v1alpha1", "kind": "Prune", "metadata": { "name": name }, "spec": spec })
    };
    let waits = prune("rest", json!({ "keepRoles": ["*"] }));
    show(recording, cluster, &waits, "InSync", "healthy", Healthy).await;
    let planned = prune("planned", json!({ "mode": "Plan" }));
    show(recording, cluster, &planned, "Planned", "suspended-planned", Suspended).await;
    let approve = prune("approve", json!({ "mode": "Approve" }));
    show(recording, cluster, &approve, "ApprovalRequired", "suspended-approval-required", Suspended).await;
    cluster.apply(backend_with::<Grafana>(json!({ "sweepInterval": "1m" })));
    recording.add(&reports(cluster, "Prune", "rest", "Denied").await, "degraded-denied", Degraded);
    let unknown = grafana::restriction("unknown", json!({ "folder": "Nowhere" }), json!({}));
    show(recording, cluster, &unknown, "NotFound", "degraded-not-found", Degraded).await;
    scene.cluster.kill().await;
}

/// The hash of the plan of an object.
fn plan_of(cluster: &Cluster, kind: &str, name: &str) -> String {
    let status = &get(cluster, kind, name)["status"]["plan"];
    status["hash"].as_str().or(status.as_str()).expect("a plan").to_owned()
}

async fn approvals(recording: &mut Recording) {
    let mut scene = scene();
    let cluster = &scene.cluster;
    for name in ["one", "two", "three"] {
        cluster.apply(role(name, json!({ "mode": "Approve" })));
        reports(cluster, "Role", name, "ApprovalRequired").await;
    }
    let decide = |name: &str, role: &str, plan: &str, decision: &str| {
        let approval = approval(name, "Role", role, plan, decision);
        cluster.apply(approval.clone());
        approval
    };
    let new = decide("yes", "one", &plan_of(cluster, "Role", "one"), "Approve");
    recording.add(&now(cluster, &new), "progressing-new", Progressing);
    recording.add(&has_state(cluster, "Approval", "yes", "Executed").await, "healthy-executed", Healthy);
    decide("no", "two", &plan_of(cluster, "Role", "two"), "Reject");
    recording.add(&has_state(cluster, "Approval", "no", "Rejected").await, "healthy-rejected", Healthy);
    decide("old", "three", &format!("v1-{}", "0".repeat(40)), "Approve");
    recording.add(&has_state(cluster, "Approval", "old", "Outdated").await, "degraded-outdated", Degraded);
    // The back end fails.
    let fault = Fault::on(&["POST"], "/api/access-control/roles", http_status(500));
    scene.sim.world().faults.add(fault).unwrap();
    decide("soon", "three", &plan_of(cluster, "Role", "three"), "Approve");
    recording.add(
        &has_state(cluster, "Approval", "soon", "Executing").await,
        "progressing-executing",
        Progressing,
    );
    cluster.apply(role("four", json!({ "mode": "Plan" })));
    reports(cluster, "Role", "four", "Planned").await;
    decide("plan", "four", &plan_of(cluster, "Role", "four"), "Approve");
    recording.add(&has_state(cluster, "Approval", "plan", "Ignored").await, "degraded-ignored", Degraded);
    scene.cluster.kill().await;
}

async fn requests(recording: &mut Recording) {
    const KIND: &str = "AccessRequest";
    let mut scene = scene();
    let cluster = &scene.cluster;
    cluster.apply(role("reader", json!({})));
    let offer = offer_of(&binding("", &[ALICE], json!({})), json!({ "otherUsers": ["*@example.com"] }));
    cluster.apply(offer.clone());
    scene.settled().await.unwrap();
    recording.add(&now(cluster, &offer), "healthy", Healthy);
    let request = request_for("one", ALICE.1, "2h");
    cluster.apply(request.clone());
    recording.add(&now(cluster, &request), "progressing-new", Progressing);
    recording.add(&has_state(cluster, KIND, "one", "Pending").await, "suspended-pending", Suspended);
    // Nothing is granted or revoked while the Backend is paused.
    let more = json!({ "sweepInterval": "1m", "exclusive": true });
    cluster.apply(paused(backend_with::<Grafana>(more.clone())));
    let plan = plan_of(cluster, KIND, "one");
    cluster.apply(approval("yes", KIND, "one", &plan, "Approve"));
    recording.add(&has_state(cluster, KIND, "one", "Granting").await, "progressing-granting", Progressing);
    cluster.apply(backend_with::<Grafana>(more.clone()));
    recording.add(&has_state(cluster, KIND, "one", "Active").await, "healthy-active", Healthy);
    cluster.apply(paused(backend_with::<Grafana>(more.clone())));
    cluster.apply(approval("no", KIND, "one", &plan, "Reject"));
    recording.add(&has_state(cluster, KIND, "one", "Ending").await, "progressing-ending", Progressing);
    cluster.apply(backend_with::<Grafana>(more));
    recording.add(&has_state(cluster, KIND, "one", "Ended").await, "healthy-ended", Healthy);
    cluster.apply(request_for("two", BOB.1, "100h"));
    recording.add(&has_state(cluster, KIND, "two", "Denied").await, "degraded-denied", Degraded);
    scene.cluster.kill().await;
}

async fn backends(recording: &mut Recording) {
    let mut scene = scene();
    let cluster = &scene.cluster;
    let connected = backend_with::<Grafana>(json!({ "sweepInterval": "1m", "exclusive": true }));
    show(recording, cluster, &connected, "Connected", "healthy", Healthy).await;
    let named = |name: &str, secret: &str| {
        let mut backend = connected.clone();
        backend["metadata"]["name"] = json!(name);
        backend["spec"]["grafana"]["credentials"]["tokenSecretRef"]["name"] = json!(secret);
        backend
    };
    let without = named("without-secret", "missing");
    cluster.apply(without.clone());
    recording.add(&now(cluster, &without), "progressing-new", Progressing);
    show(recording, cluster, &without, "NotFound", "degraded-not-found", Degraded).await;
    cluster.apply_secret(NAMESPACE, ("revoked", "token"), "glsa_revoked", &host());
    show(recording, cluster, &named("revoked", "revoked"), "Denied", "degraded-denied", Degraded).await;
    // It waits for its object, which cannot be deleted while the back end fails.
    cluster.apply(role("reader", json!({})));
    reports(cluster, "Role", "reader", "InSync").await;
    for methods in [&["GET"][..], &["DELETE"]] {
        let fault = Fault::on(methods, "/**", http_status(503));
        scene.sim.world().faults.add(fault).unwrap();
    }
    show(
        recording,
        cluster,
        &named("failing", Grafana::SECRET.0),
        "BackendError",
        "progressing-backend-error",
        Progressing,
    )
    .await;
    cluster.api.delete(plural_of("Role"), NAMESPACE, "reader");
    cluster.api.delete(plural_of("Backend"), NAMESPACE, "grafana");
    let deleting = reports(cluster, "Backend", "grafana", "Deleting").await;
    recording.add(&deleting, "progressing-deleting", Progressing);
    scene.cluster.kill().await;
}

async fn cluster_backends(recording: &mut Recording) {
    let scene = scene();
    let mut cluster = scene.another_cluster();
    cluster.apply_secret(SECRETS, Grafana::SECRET, ADMIN_CREDENTIAL, &host());
    cluster.apply(namespace(json!({ "shared": "yes" })));
    let shared = cluster_backend::<Grafana>(json!({}));
    cluster.apply(shared.clone());
    recording.add(&now(&cluster, &shared), "progressing-new", Progressing);
    show(recording, &cluster, &shared, "Connected", "healthy", Healthy).await;
    let mut elsewhere = cluster_backend::<Grafana>(json!({ "hosts": ["other.example.com"] }));
    elsewhere["metadata"]["name"] = json!("elsewhere");
    show(recording, &cluster, &elsewhere, "Denied", "degraded-denied", Degraded).await;
    // The ceiling of a ClusterBackend does not allow the Role.
    let narrow = cluster_backend::<Grafana>(json!({ "ceiling": { "actions": { "deny": ["*"] } } }));
    cluster.apply(narrow);
    let outside = through(role("outside", json!({})));
    show(recording, &cluster, &outside, "Denied", "degraded-denied", Degraded).await;
    cluster.kill().await;
}
