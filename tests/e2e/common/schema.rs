//! The custom resource definitions go, change their level, or are about to: nothing is removed from a back end by that.

use std::process::Command;

use kube::{Api, api::DynamicObject};
use serde_json::json;

use crate::support::{
    Setting, World, binding, kept, kubectl_on, own_plane, reason, restriction, role, shared,
};

const READ: &str = "PROJECT_READ";
const KINDS: [(&str, &str); 4] =
    [("ResourceRestriction", "churn"), ("RoleBinding", "readers"), ("Role", "reader"), ("Backend", "arize")];

async fn populate(world: &World) {
    world.apply(role("reader", &[READ], json!({}))).await;
    world.apply(binding("readers", "reader", &["alice@example.com"], json!({}))).await;
    world.apply(restriction("churn", "churn", json!({}))).await;
    world.ready("Role", "reader").await;
    world.ready("RoleBinding", "readers").await;
    world.ready("ResourceRestriction", "churn").await;
}

fn everything_is_there(world: &World) {
    assert!(world.role_id("reader").is_some());
    assert_eq!(world.grants_of("alice@example.com").len(), 1);
    assert_eq!(world.sim.world().tenant().restrictions.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn deleting_the_definitions_removes_nothing_from_the_back_end() {
    let plane = own_plane("crd-deletion").await;
    let world = Setting::new("crds").on(&plane).args(["--listen", "127.0.0.1:0"]).connected(json!({})).await;
    populate(&world).await;
    // A pause keeps a removal up; here nothing is to be removed.
    world.apply(role("paused", &[READ], json!({}))).await;
    world.ready("Role", "paused").await;
    world.annotate("Role", "paused", "rolewright.dev/pause", "true").await;
    world.reason("Role", "paused", "Paused").await;
    let since = world.now();
    // One is gone and noticed before the others go: their objects have still to be let go.
    let first = "resourcerestrictions.rolewright.dev";
    kubectl_on(&plane, &["delete", "--timeout=60s", "crd", first], None).await.unwrap();
    world.operator.answers("/readyz", 503).await;
    let crds = concat!(env!("CARGO_MANIFEST_DIR"), "/crds");
    let all = ["delete", "--ignore-not-found", "--timeout=60s", "-f", crds];
    kubectl_on(&plane, &all, None).await.unwrap();
    assert!(world.writes_since(since).is_empty(), "{:?}", world.writes_since(since));
    everything_is_there(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn definitions_of_another_level_stop_every_write_until_they_fit() {
    let plane = own_plane("crd-level").await;
    let mut world =
        Setting::new("level").on(&plane).args(["--listen", "127.0.0.1:0"]).connected(json!({})).await;
    populate(&world).await;
    world.operator.answers("/readyz", 200).await;
    let level = |level: &'static str| {
        let annotation = format!("rolewright.dev/schema-level={level}");
        let plane = &plane;
        async move {
            let name = "rolebindings.rolewright.dev";
            kubectl_on(plane, &["annotate", "--overwrite", "crd", name, &annotation], None).await.unwrap();
        }
    };

    level("2").await;
    world.operator.answers("/readyz", 503).await;
    let said = |line: &serde_json::Value| {
        line["message"].as_str().is_some_and(|text| text.contains("has schema level 2"))
    };
    let line = world.operator.logged("the level", said).await;
    assert_eq!(line["level"], "ERROR");
    let since = world.now();
    let before = world.get("Role", "reader").await.metadata.resource_version;
    world.apply(role("writer", &[READ], json!({}))).await;
    assert!(world.writes_after_a_sweep(since).await.is_empty());
    assert!(world.get("Role", "writer").await.data.get("status").is_none());
    assert_eq!(world.get("Role", "reader").await.metadata.resource_version, before);

    // A start in that situation.
    world.operator.kill();
    let since = world.now();
    world.restart();
    world.operator.answers("/readyz", 503).await;
    world.operator.answers("/healthz", 200).await;
    assert!(world.get("Role", "writer").await.data.get("status").is_none());
    assert_eq!(world.now(), since, "the back end was called");

    level("1").await;
    world.operator.answers("/readyz", 200).await;
    world.ready("Role", "writer").await;
}

/// Runs `rolewright release` for a namespace. Gives whether it succeeded, and what it said.
fn release(kubeconfig: &std::path::Path, namespace: &str) -> (bool, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_rolewright"))
        .args(["release", "--namespace", namespace, "--own-namespace", namespace])
        .env("KUBECONFIG", kubeconfig)
        .output()
        .unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_release_deleting_the_objects_removes_nothing() {
    let kubeconfig = shared().await.kubeconfig();
    let mut world = Setting::new("release").args(["--leader-elect"]).connected(json!({})).await;
    populate(&world).await;
    let (done, said) = release(kubeconfig, &world.namespace);
    assert!(!done, "it went on although an operator holds the Lease");
    assert!(said.contains("seems to run"), "{said}");
    for (kind, name) in KINDS {
        assert!(kept(&world.get(kind, name).await), "{kind} {name} was let go all the same");
    }

    assert!(world.operator.terminate(std::time::Duration::from_secs(10)).success());
    let since = world.now();
    let (done, said) = release(kubeconfig, &world.namespace);
    assert!(done, "{said}");
    assert!(said.contains("4 objects were released"), "{said}");
    for (kind, name) in KINDS {
        assert!(!kept(&world.get(kind, name).await), "{kind} {name}");
        world.delete(kind, name).await;
        world.gone(kind, name).await;
    }
    assert_eq!(world.now(), since, "the back end was called");
    everything_is_there(&world);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_operator_that_starts_after_a_release_holds_everything_again() {
    let kubeconfig = shared().await.kubeconfig();
    let mut world = Setting::new("rehold").connected(json!({})).await;
    populate(&world).await;
    world.operator.kill();
    assert!(release(kubeconfig, &world.namespace).0);
    let since = world.now();
    world.restart();
    for (kind, name) in KINDS {
        world.until(kind, name, "kept again", kept).await;
    }
    assert!(world.writes_after_a_sweep(since).await.is_empty());
    let role: Api<DynamicObject> = world.ours("Role");
    assert_eq!(reason(&role.get("reader").await.unwrap()), "InSync");
}
