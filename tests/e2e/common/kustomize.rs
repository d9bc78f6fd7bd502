//! Kustomize merges the subjects of a RoleBinding, with the schema of `examples/kustomize`.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::support::{kubectl, shared};

fn overlay() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/kustomize/overlay"))
}

/// The subjects of the RoleBinding that kustomize builds from a folder.
async fn subjects_of(folder: &Path) -> Vec<Value> {
    shared().await;
    let built = kubectl(&["kustomize", folder.to_str().unwrap()], None).await.unwrap();
    let binding: Value = serde_yaml::from_str(&built).unwrap();
    binding["spec"]["subjects"].as_array().unwrap().clone()
}

fn subject(kind: &str, name: &str) -> Value {
    json!({ "kind": kind, "name": name })
}

#[tokio::test(flavor = "multi_thread")]
async fn overlay_adds_and_removes_single_subjects() {
    let subjects = subjects_of(overlay()).await;
    let expected = [
        subject("User", "bob@example.com"),
        subject("User", "alice@example.com"),
        subject("ServiceAccount", "sre"),
    ];
    assert_eq!(subjects, expected);
}

#[test]
fn schema_for_kustomize_has_the_keys_of_the_crd() {
    let schema: Value =
        serde_json::from_str(&fs::read_to_string(overlay().join("schema.json")).unwrap()).unwrap();
    let crds = rolewright_api::crds();
    let crd = crds.iter().find(|crd| crd.spec.names.kind == "RoleBinding").unwrap();
    let crd = serde_json::to_value(&crd.spec.versions[0].schema).unwrap();
    let in_crd = &crd["openAPIV3Schema"]["properties"]["spec"]["properties"]["subjects"];
    let binding = &schema["definitions"]["dev.rolewright.v1alpha1.RoleBinding"];
    let in_schema = &binding["properties"]["spec"]["properties"]["subjects"];
    for field in ["x-kubernetes-list-type", "x-kubernetes-list-map-keys"] {
        assert!(!in_crd[field].is_null());
        assert_eq!(in_schema[field], in_crd[field]);
    }
}
