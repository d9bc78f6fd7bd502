//! The chart: a real API server accepts its manifests, and the operator needs no other rights than those in the chart.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use control_plane::ControlPlane;
use k8s_openapi::api::coordination::v1::Lease;
use kube::{Api, api::Patch};
use serde_json::{Value, json};

use crate::support::{
    Operator, World, WorldBuilder, binding, client, dedicated_control_plane, free_offer_of, fresh_log,
    kubectl_on, make_namespace, plan_hash, request_for, restriction, role, run, shared, unique,
};

fn chart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/rolewright")
}

/// The manifests for a release in this namespace.
pub fn rendered(namespace: &str, args: &[&str]) -> String {
    let helm = control_plane::find_binary("helm").unwrap();
    let mut command = Command::new(helm);
    command.args(["template", "rolewright"]).arg(chart()).args(["--namespace", namespace]).args(args);
    run(&mut command)
}

/// The objects in a rendering.
pub fn documents(yaml: &str) -> Vec<Value> {
    use serde::Deserialize;
    let all = serde_yaml::Deserializer::from_str(yaml).map(|one| Value::deserialize(one).unwrap());
    all.filter(|document| !document.is_null()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn api_server_accepts_every_rendering() {
    let plane = shared().await;
    let client = client(plane).await;
    let mut count = 0;
    // The values files name these namespaces.
    for namespace in ["team-a", "team-b"] {
        make_namespace(&client, namespace).await;
    }
    for entry in std::fs::read_dir(chart().join("ci")).unwrap() {
        let values = entry.unwrap().path();
        let namespace = unique("charted");
        make_namespace(&client, &namespace).await;
        let values = values.to_str().unwrap();
        // This API server does not have the kinds of the Prometheus Operator.
        let off = ["serviceMonitor", "podMonitor", "prometheusRule"]
            .map(|kind| format!("metrics.{kind}.enabled=false"));
        let off = off.join(",");
        let yaml = rendered(&namespace, &["--values", values, "--set", &off]);
        // Strict: an unknown field is an error instead of a warning.
        let args = ["apply", "--dry-run=server", "--validate=strict", "-f", "-"];
        if let Err(error) = kubectl_on(plane, &args, Some(&yaml)).await {
            panic!("{values}: {error}");
        }
        count += 1;
    }
    assert!(count >= 4, "only {count} values files");
}

/// Applies the RBAC objects of the chart. Returns the operator's user, and its arguments for namespaces and leader election.
pub async fn apply_rbac(plane: &ControlPlane, own: &str, args: &[&str]) -> (String, Vec<String>) {
    const RIGHTS: [&str; 5] = ["ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"];
    let mut all = vec!["--set", "crds.install=false"];
    all.extend(args);
    let documents = documents(&rendered(own, &all));
    let kind = |document: &Value| document["kind"].as_str().unwrap().to_owned();
    let rights: Vec<&Value> = documents.iter().filter(|one| RIGHTS.contains(&kind(one).as_str())).collect();
    let list = json!({ "apiVersion": "v1", "kind": "List", "items": rights });
    kubectl_on(plane, &["apply", "-f", "-"], Some(&list.to_string())).await.unwrap();
    let deployment = documents.iter().find(|one| kind(one) == "Deployment").unwrap();
    let pod = &deployment["spec"]["template"]["spec"];
    let account = pod["serviceAccountName"].as_str().unwrap();
    let args = pod["containers"][0]["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap());
    let serving = args.filter(|arg| arg.starts_with("--namespaces") || *arg == "--leader-elect");
    (format!("system:serviceaccount:{own}:{account}"), serving.map(str::to_owned).collect())
}

const BOB: &str = "bob@example.com";
const CAROL: &str = "carol@example.com";

/// Uses every right of the operator, from the Lease to the last finalizer. No request may be forbidden.
async fn assert_rights_suffice(world: &mut World, own: &str) {
    world.apply(role("reader", &["PROJECT_READ"], json!({}))).await;
    world.apply(binding("readers", "reader", &["alice@example.com"], json!({}))).await;
    world.apply(restriction("churn", "churn", json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.ready("ResourceRestriction", "churn").await;
    // From now on the Namespace names the host of the Secret.
    world
        .annotate_namespace("rolewright.dev/secret-hosts", format!("arize-key={}", world.sim.address()))
        .await;
    let annotations = json!({ "metadata": { "annotations": { "rolewright.dev/hosts": null } } });
    let secrets = world.api("v1", "Secret");
    secrets.patch("arize-key", &Default::default(), &Patch::Merge(annotations)).await.unwrap();
    world.request_reconcile("Backend", "arize", "now").await;
    world
        .until("Backend", "arize", "reconciled", |it| it.data["status"]["lastHandledReconcileAt"] == "now")
        .await;
    world.ready("Backend", "arize").await;
    world.event("reader", "Created").await;
    world.event("readers", "Granted").await;
    world.patch("Role", "reader", json!({ "spec": { "description": "Reads" } })).await;
    world.ready("Role", "reader").await;
    // An AccessRequest, from the creation of its RoleBinding to its deletion.
    world.apply(free_offer_of(&binding("unused", "reader", &[BOB], json!({})))).await;
    world.apply(request_for("one", BOB, "20s")).await;
    for state in ["Active", "Ended"] {
        world.until("AccessRequest", "one", state, |it| it.data["status"]["state"] == state).await;
    }
    world
        .delete_all(&[
            ("Backend", "arize"),
            ("Role", "reader"),
            ("RoleBinding", "readers"),
            ("ResourceRestriction", "churn"),
        ])
        .await;
    world
        .operator
        .until_logged("the leadership", |line| line["message"] == "leading: objects are reconciled")
        .await;
    let leases: Api<Lease> = Api::namespaced(world.client.clone(), own);
    let holder = async || leases.get("rolewright").await.unwrap().spec.unwrap().holder_identity;
    assert!(holder().await.is_some());
    assert!(world.operator.terminate().success());
    assert_eq!(holder().await, None, "the Lease was not released");
    let log = world.operator.log();
    let forbidden: Vec<&str> = log.lines().filter(|line| line.to_lowercase().contains("forbidden")).collect();
    assert!(forbidden.is_empty(), "{forbidden:?}");
    let problems: Vec<Value> = world
        .operator
        .log_lines()
        .into_iter()
        .filter(|line| line["level"] == "WARN" || line["level"] == "ERROR")
        .collect();
    assert!(problems.is_empty(), "{problems:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn cluster_wide_rights_suffice() {
    let plane = dedicated_control_plane("chart").await;
    let own = unique("rolewright-system");
    make_namespace(&client(&plane).await, &own).await;
    let (user, serving) = apply_rbac(&plane, &own, &[]).await;
    let kubeconfig = plane.kubeconfig_as(&user, &[]).unwrap();
    let builder = WorldBuilder::new("charted").on(&plane).own_namespace(&own).kubeconfig(kubeconfig);
    let mut world = builder.all_namespaces().args(serving).build_connected(json!({})).await;
    assert_prunes(&world).await;
    assert_rights_suffice(&mut world, &own).await;
}

/// Lets a Prune remove the grants of one user that no object manages.
async fn assert_prunes(world: &World) {
    world.grant_by_hand(CAROL, "Legacy reviewer", "research");
    let keep: Vec<String> = ["alice", "bob", "dave", "erin", "admin"].map(|user| format!("{user}*")).to_vec();
    let spec = json!({ "backendRef": { "name": "arize" }, "kinds": ["Grant"], "keepSubjects": keep });
    let metadata = json!({ "name": "rest" });
    let prune = json!({
        "apiVersion": "rolewright.dev/v1alpha1", "kind": "Prune", "metadata": metadata, "spec": spec,
    });
    world.apply(prune).await;
    world.reports("Prune", "rest", "Denied", &["spec.exclusive of Backend arize is not true"]).await;
    assert!(!world.grants_of(CAROL).is_empty());
    world.patch("Backend", "arize", json!({ "spec": { "exclusive": true } })).await;
    let waits = world.reports("Prune", "rest", "ApprovalRequired", &["does not show whose credential"]).await;
    world.approve("prune", "Prune", "rest", &plan_hash(&waits)).await;
    world.ready("Prune", "rest").await;
    assert!(world.grants_of(CAROL).is_empty());
    world.delete_and_wait("Prune", "rest").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn namespaced_rights_suffice() {
    let plane = shared().await;
    let client = client(plane).await;
    let own = unique("named-system");
    let builder = WorldBuilder::new("named").own_namespace(&own);
    for namespace in [own.as_str(), builder.namespace()] {
        make_namespace(&client, namespace).await;
    }
    let watched = format!("watchNamespaces={{{}}}", builder.namespace());
    let (user, serving) = apply_rbac(plane, &own, &["--set", &watched]).await;
    assert!(serving.contains(&format!("--namespaces={}", builder.namespace())), "{serving:?}");
    let kubeconfig = plane.kubeconfig_as(&user, &[]).unwrap();
    let mut world =
        builder.kubeconfig(kubeconfig).all_namespaces().args(serving).build_connected(json!({})).await;
    assert_rights_suffice(&mut world, &own).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unreadable_namespace_is_not_called_missing() {
    let plane = shared().await;
    let own = unique("narrow-system");
    make_namespace(&client(plane).await, &own).await;
    let (user, _) = apply_rbac(plane, &own, &["--set", &format!("watchNamespaces={{{own}}}")]).await;
    let kubeconfig = plane.kubeconfig_as(&user, &[]).unwrap();
    let args = ["--namespaces", &unique("hidden"), "--own-namespace", &own];
    let operator = Operator::start(&kubeconfig, &fresh_log(&unique("hidden")), &args);
    let is_refused = |line: &Value| line["message"] == "a watch broke and is restarted";
    operator.until_logged("the refused watch, which comes after the check", is_refused).await;
    assert!(!operator.log().contains("--namespaces"), "{}", operator.log_tail());
}
