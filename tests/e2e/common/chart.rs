//! The chart: a real API server accepts what it renders, and the rights that it gives are all that the operator needs.

use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use control_plane::ControlPlane;
use serde_json::{Value, json};

use crate::support::{
    Setting, World, binding, client, kubectl_on, make_namespace, own_plane, restriction, role, run, shared,
    unique,
};

fn chart() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("charts/rolewright")
}

fn rendered(namespace: &str, args: &[&str]) -> String {
    let helm = control_plane::find_binary("helm").unwrap();
    let mut command = Command::new(helm);
    command.args(["template", "rolewright"]).arg(chart()).args(["--namespace", namespace]).args(args);
    run(&mut command)
}

fn documents(yaml: &str) -> Vec<Value> {
    use serde::Deserialize;
    let all = serde_yaml::Deserializer::from_str(yaml).map(|one| Value::deserialize(one).unwrap());
    all.filter(|document| !document.is_null()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_api_server_accepts_every_rendering() {
    let plane = shared().await;
    let client = client(plane).await;
    let mut seen = 0;
    // The namespaces that a file of values names have to be there.
    for namespace in ["team-a", "team-b"] {
        make_namespace(&client, namespace).await;
    }
    for entry in std::fs::read_dir(chart().join("ci")).unwrap() {
        let values = entry.unwrap().path();
        let namespace = unique("charted");
        make_namespace(&client, &namespace).await;
        let values = values.to_str().unwrap();
        let off = "metrics.serviceMonitor.enabled=false";
        let yaml = rendered(&namespace, &["--values", values, "--set", off]);
        // Strict: a field that the API server does not know is an error, not a warning.
        let args = ["apply", "--dry-run=server", "--validate=strict", "-f", "-"];
        if let Err(error) = kubectl_on(plane, &args, Some(&yaml)).await {
            panic!("{values}: {error}");
        }
        seen += 1;
    }
    assert!(seen >= 4, "{seen} files of values");
}

/// Applies the rights that the chart renders. Gives the operator's user and the arguments that decide what it serves.
async fn grant(plane: &ControlPlane, own: &str, args: &[&str]) -> (String, Vec<String>) {
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
    let said = pod["containers"][0]["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap());
    let serving = said.filter(|arg| arg.starts_with("--namespaces") || *arg == "--leader-elect");
    (format!("system:serviceaccount:{own}:{account}"), serving.map(str::to_owned).collect())
}

/// Everything that the operator does in its life, from the Lease to the last finalizer.
async fn lives(world: &mut World, own: &str) {
    world.apply(role("reader", &["PROJECT_READ"], json!({}))).await;
    world.apply(binding("readers", "reader", &["alice@example.com"], json!({}))).await;
    world.apply(restriction("churn", "churn", json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.ready("ResourceRestriction", "churn").await;
    world.event("reader", "Created").await;
    world.event("readers", "Granted").await;
    world.patch("Role", "reader", json!({ "spec": { "description": "Reads" } })).await;
    world.ready("Role", "reader").await;
    for (kind, name) in [
        ("Backend", "arize"),
        ("Role", "reader"),
        ("RoleBinding", "readers"),
        ("ResourceRestriction", "churn"),
    ] {
        world.delete(kind, name).await;
    }
    for (kind, name) in [
        ("RoleBinding", "readers"),
        ("Role", "reader"),
        ("ResourceRestriction", "churn"),
        ("Backend", "arize"),
    ] {
        world.gone(kind, name).await;
    }
    world.operator.logged("that it leads", |line| line["message"] == "leading: objects are worked on").await;
    let own_leases = kube::Api::<kube::api::DynamicObject>::namespaced_with(
        world.client.clone(),
        own,
        &kube::core::ApiResource::from_gvk(&kube::core::GroupVersionKind::gvk(
            "coordination.k8s.io",
            "v1",
            "Lease",
        )),
    );
    let held = |lease: kube::api::DynamicObject| lease.data["spec"]["holderIdentity"].is_string();
    assert!(held(own_leases.get("rolewright").await.unwrap()));
    assert!(world.operator.terminate(Duration::from_secs(10)).success());
    assert!(!held(own_leases.get("rolewright").await.unwrap()), "the Lease was not given up");
    let log = world.operator.log();
    let refused: Vec<&str> = log.lines().filter(|line| line.to_lowercase().contains("forbidden")).collect();
    assert!(refused.is_empty(), "{refused:?}");
    let troubles: Vec<Value> = world
        .operator
        .lines()
        .into_iter()
        .filter(|line| line["level"] == "WARN" || line["level"] == "ERROR")
        .collect();
    assert!(troubles.is_empty(), "{troubles:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rights_for_the_whole_cluster_are_enough() {
    let plane = own_plane("chart").await;
    let own = unique("rolewright-system");
    make_namespace(&client(&plane).await, &own).await;
    let (user, serving) = grant(&plane, &own, &[]).await;
    let kubeconfig = plane.kubeconfig_as(&user, &[]).unwrap();
    let setting = Setting::new("charted").on(&plane).own_namespace(&own).kubeconfig(kubeconfig);
    let mut world = setting.everywhere().args(serving).connected(json!({})).await;
    lives(&mut world, &own).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rights_in_named_namespaces_are_enough() {
    let plane = shared().await;
    let client = client(plane).await;
    let own = unique("named-system");
    let setting = Setting::new("named").own_namespace(&own);
    for namespace in [own.as_str(), setting.namespace()] {
        make_namespace(&client, namespace).await;
    }
    let watched = format!("watchNamespaces={{{}}}", setting.namespace());
    let (user, serving) = grant(plane, &own, &["--set", &watched]).await;
    assert!(serving.contains(&format!("--namespaces={}", setting.namespace())), "{serving:?}");
    let kubeconfig = plane.kubeconfig_as(&user, &[]).unwrap();
    let mut world = setting.kubeconfig(kubeconfig).everywhere().args(serving).connected(json!({})).await;
    lives(&mut world, &own).await;
}
