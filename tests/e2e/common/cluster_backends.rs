//! ClusterBackends on a real API server, with the rights of the chart.

use serde_json::{Value, json};

use super::chart::apply_rbac;
use crate::support::{
    ADMIN_CREDENTIAL, World, WorldBuilder, backend, binding, client, dedicated_control_plane, make_namespace,
    role, subject_status, unique,
};

const ALICE: &str = "alice@example.com";
const BOB: &str = "bob@example.com";

/// The ClusterBackend of the world's account.
fn cluster_backend(world: &World, more: Value) -> Value {
    let mut backend = backend(&world.sim.url(), more);
    backend["kind"] = json!("ClusterBackend");
    backend["spec"]["secretNamespace"] = json!(world.namespace);
    backend["spec"]["hosts"] = json!([world.sim.address()]);
    backend
}

fn through(mut object: Value) -> Value {
    object["spec"]["backendRef"]["kind"] = json!("ClusterBackend");
    object
}

#[tokio::test(flavor = "multi_thread")]
async fn cluster_backend_serves_the_namespaces_that_it_selects() {
    let plane = dedicated_control_plane("cluster-backends").await;
    let own = unique("rolewright-system");
    make_namespace(&client(&plane).await, &own).await;
    let (user, serving) = apply_rbac(&plane, &own, &[]).await;
    let kubeconfig = plane.kubeconfig_as(&user, &[]).unwrap();
    let builder = WorldBuilder::new("served").on(&plane).own_namespace(&own).kubeconfig(kubeconfig);
    let mut world = builder.all_namespaces().args(serving).build().await;
    let selects = json!({ "matchLabels": { "shared": "yes" } });
    let terms = json!({
        "namespaceSelector": selects,
        "allow": { "roleNames": ["{namespace}-*"] },
        "ceiling": { "users": { "deny": [BOB] } },
    });

    // Its Secret, and the host of its connection.
    world.apply(cluster_backend(&world, terms.clone())).await;
    let missing = format!("there is no Secret arize-key in namespace {}", world.namespace);
    world.reports("ClusterBackend", "arize", "NotFound", &[&missing]).await;
    let mut elsewhere = cluster_backend(&world, terms.clone());
    elsewhere["spec"]["hosts"] = json!(["api.example.com"]);
    world.apply(elsewhere).await;
    world.apply_secret(ADMIN_CREDENTIAL).await;
    world.reports("ClusterBackend", "arize", "Denied", &["spec.hosts does not name"]).await;
    let reader =
        through(role("reader", &["PROJECT_READ"], json!({ "name": format!("{}-reader", world.namespace) })));
    world.apply(reader).await;
    let words = ["ClusterBackend arize is not ready (Denied): ask its owner"];
    world.reports("Role", "reader", "BackendNotReady", &words).await;
    world.apply(cluster_backend(&world, terms)).await;
    world.ready("ClusterBackend", "arize").await;

    // The namespace, and the ceiling.
    world.reports("Role", "reader", "Denied", &["spec.namespaceSelector of ClusterBackend arize"]).await;
    world.patch_namespace(json!({ "labels": { "shared": "yes" } })).await;
    world.ready("Role", "reader").await;
    world.apply(through(binding("readers", "reader", &[ALICE, BOB], json!({})))).await;
    let words = ["1 of 2 subjects", "spec.subjects[1]: spec.ceiling.users.deny of ClusterBackend arize", BOB];
    let denied = world.reports("RoleBinding", "readers", "Denied", &words).await;
    assert_eq!(subject_status(&denied, ALICE).0, "Granted");
    assert_eq!(subject_status(&denied, BOB).0, "Refused");
    assert_eq!(world.grants_of(BOB).iter().filter(|(_, role)| role.ends_with("reader")).count(), 0);
    world.assert_steady().await;

    // It waits for its objects, and they are deleted through it.
    world.delete("ClusterBackend", "arize").await;
    let words = format!("RoleBinding {}/readers", world.namespace);
    world.reports("ClusterBackend", "arize", "Deleting", &[&words]).await;
    world.delete_all(&[("Role", "reader"), ("RoleBinding", "readers")]).await;
    world.wait_deleted("ClusterBackend", "arize").await;
    assert!(world.grants_of(ALICE).iter().all(|(_, role)| !role.ends_with("reader")));
    assert!(world.operator.terminate().success());
    let log = world.operator.log();
    assert!(!log.to_lowercase().contains("forbidden"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_of_single_namespaces_serves_no_cluster_backend() {
    let world = World::new("served-single").await;
    world.apply(through(role("reader", &["PROJECT_READ"], json!({})))).await;
    let words = ["spec.backendRef.kind", "--namespaces", "no ClusterBackend arize"];
    world.reports("Role", "reader", "BackendNotReady", &words).await;
    let refused =
        world.try_apply(role("reader", &["PROJECT_READ"], json!({}))).await.unwrap_err().to_string();
    assert!(refused.contains("backendRef cannot be changed"), "{refused}");
    world.delete_and_wait("Role", "reader").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_cluster_backends_are_refused() {
    let world = World::without_backend("served-invalid").await;
    let invalid = [
        (json!({ "hosts": [] }), "hosts"),
        (json!({ "secretNamespace": null }), "secretNamespace"),
        (json!({ "allow": { "roleNames": ["[a-z]*"] } }), "roleNames"),
        (json!({ "allow": { "roleNames": ["{name}-*"] } }), "roleNames"),
        (json!({ "ceiling": { "users": { "allow": [] } } }), "users.allow"),
        (json!({ "ceiling": { "maxDuration": "1s" } }), "at least 1m"),
        (json!({ "arize": null }), "write exactly one back-end block"),
    ];
    for (more, words) in invalid {
        let mut backend = cluster_backend(&world, json!({}));
        backend["metadata"]["name"] = json!(unique("refused"));
        for (field, value) in more.as_object().unwrap() {
            backend["spec"][field] = value.clone();
        }
        backend["spec"].as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let refused = world.try_apply(backend).await.unwrap_err().to_string();
        assert!(refused.contains(words), "{more}: {refused}");
    }
}
