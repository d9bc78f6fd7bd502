//! CRDs are deleted, change their schema level, or the objects are released first. None of this removes anything from a back end.

use std::process::Command;

use serde_json::json;

use crate::support::{
    World, WorldBuilder, binding, dedicated_control_plane, has_finalizer, kubectl_on, reason, restriction,
    role, shared,
};

const READ: &str = "PROJECT_READ";
/// One object of each kind; bindings before their roles.
const OBJECTS: [(&str, &str); 4] =
    [("ResourceRestriction", "churn"), ("RoleBinding", "readers"), ("Role", "reader"), ("Backend", "arize")];

/// Creates the objects.
async fn populate(world: &World) {
    world
        .apply_all(&[
            role("reader", &[READ], json!({})),
            binding("readers", "reader", &["alice@example.com"], json!({})),
            restriction("churn", "churn", json!({})),
        ])
        .await;
}

/// The account has everything that the objects manage.
fn assert_nothing_removed(world: &World) {
    assert!(world.role_id("reader").is_some());
    assert_eq!(world.grants_of("alice@example.com").len(), 1);
    assert_eq!(world.sim.world().tenant().restrictions.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_the_crds_removes_nothing() {
    let plane = dedicated_control_plane("crd-deletion").await;
    let world = WorldBuilder::new("crds").on(&plane).listening().build_connected(json!({})).await;
    populate(&world).await;
    // A pause delays the removal of a role, but not the release of its object.
    world.apply(role("paused", &[READ], json!({}))).await;
    world.ready("Role", "paused").await;
    world.annotate("Role", "paused", "rolewright.dev/pause", "true").await;
    world.reports("Role", "paused", "InSync", &["paused"]).await;
    let since = world.log_position();
    // The operator notices the deletion of the first CRD. It must still release the objects of the others.
    let first = "resourcerestrictions.rolewright.dev";
    kubectl_on(&plane, &["delete", "--timeout=60s", "crd", first], None).await.unwrap();
    world.operator.until_status("/readyz", 503).await;
    let crds = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
    let all = ["delete", "--ignore-not-found", "--timeout=60s", "-f", crds];
    kubectl_on(&plane, &all, None).await.unwrap();
    world.assert_no_writes(since);
    assert_nothing_removed(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn crds_of_another_level_stop_all_writes() {
    let plane = dedicated_control_plane("crd-level").await;
    let mut world = WorldBuilder::new("level").on(&plane).listening().build_connected(json!({})).await;
    populate(&world).await;
    world.operator.until_status("/readyz", 200).await;
    let level = |level: &'static str| {
        let annotation = format!("rolewright.dev/schema-level={level}");
        let plane = &plane;
        async move {
            let name = "rolebindings.rolewright.dev";
            kubectl_on(plane, &["annotate", "--overwrite", "crd", name, &annotation], None).await.unwrap();
        }
    };

    level("2").await;
    world.operator.until_status("/readyz", 503).await;
    let names_level = |line: &serde_json::Value| {
        line["message"].as_str().is_some_and(|text| text.contains("has schema level 2"))
    };
    let line = world.operator.until_logged("the level", names_level).await;
    assert_eq!(line["level"], "ERROR");
    let since = world.log_position();
    let before = world.get("Role", "reader").await.metadata.resource_version;
    world.apply(role("writer", &[READ], json!({}))).await;
    world.assert_no_writes_after_sweep(since).await;
    assert!(world.get("Role", "writer").await.data.get("status").is_none());
    assert_eq!(world.get("Role", "reader").await.metadata.resource_version, before);

    // An operator that starts in this situation.
    world.operator.kill();
    let since = world.log_position();
    world.restart();
    world.operator.until_status("/readyz", 503).await;
    world.operator.until_status("/healthz", 200).await;
    assert!(world.get("Role", "writer").await.data.get("status").is_none());
    assert_eq!(world.log_position(), since, "the operator called the back end");

    level("1").await;
    world.operator.until_status("/readyz", 200).await;
    world.ready("Role", "writer").await;
}

/// Runs `rolewright release` for a namespace. Returns whether it succeeded, and its output.
fn release(kubeconfig: &std::path::Path, namespace: &str) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_rolewright"))
        .args(["release", "--namespace", namespace, "--operator-namespace", namespace])
        .env("KUBECONFIG", kubeconfig)
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(text).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn deletion_after_a_release_removes_nothing() {
    let kubeconfig = shared().await.kubeconfig();
    let mut world = WorldBuilder::new("release").args(["--leader-elect"]).build_connected(json!({})).await;
    populate(&world).await;
    let (done, output) = release(kubeconfig, &world.namespace);
    assert!(!done, "it succeeded although an operator has the Lease");
    assert!(output.contains("runs and would manage"), "{output}");
    for (kind, name) in OBJECTS {
        assert!(has_finalizer(&world.get(kind, name).await), "{kind} {name} was released");
    }

    assert!(world.operator.terminate().success());
    let since = world.log_position();
    let (done, output) = release(kubeconfig, &world.namespace);
    assert!(done, "{output}");
    assert!(output.contains("4 objects were released"), "{output}");
    for (kind, name) in OBJECTS {
        assert!(!has_finalizer(&world.get(kind, name).await), "{kind} {name}");
        world.delete_and_wait(kind, name).await;
    }
    assert_eq!(world.log_position(), since, "the operator called the back end");
    assert_nothing_removed(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_started_after_a_release_manages_again() {
    let kubeconfig = shared().await.kubeconfig();
    let mut world = WorldBuilder::new("manage-again").build_connected(json!({})).await;
    populate(&world).await;
    world.operator.kill();
    assert!(release(kubeconfig, &world.namespace).0);
    let since = world.log_position();
    world.restart();
    for (kind, name) in OBJECTS {
        world.until(kind, name, "with a finalizer again", has_finalizer).await;
    }
    world.assert_no_writes_after_sweep(since).await;
    assert_eq!(reason(&world.get("Role", "reader").await), "InSync");
}
