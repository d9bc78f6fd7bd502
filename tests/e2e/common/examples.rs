//! The objects of every file in `examples/` become ready.

use std::{fs, path::Path};

use rolewright_simulators::{arize::Arize, grafana::Grafana, kit::Options, lenses::Lenses, zenml::ZenMl};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{ADMIN_CREDENTIAL, Account, World};

/// The folders of `examples/` that have a test here.
const TESTED: [&str; 4] = ["arize", "grafana", "lenses", "zenml"];

/// The folders for other tools: `tests/gitops` and `kustomize` test them.
const OF_TOOLS: [&str; 3] = ["argocd", "flux", "kustomize"];

fn examples() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples"))
}

#[test]
fn every_folder_of_examples_has_a_test() {
    let folders = fs::read_dir(examples()).unwrap().map(|entry| entry.unwrap());
    let names: Vec<String> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    let untested: Vec<&String> = names
        .iter()
        .filter(|name| !TESTED.contains(&name.as_str()) && !OF_TOOLS.contains(&name.as_str()))
        .collect();
    assert!(untested.is_empty(), "no test applies {untested:?}");
}

/// All objects of a folder, with the fields of `connection` in the Backend's block.
fn objects(vendor: &str, connection: &Value) -> Vec<Value> {
    let mut objects = Vec::new();
    for entry in fs::read_dir(examples().join(vendor)).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(path.extension().and_then(|end| end.to_str()), Some("yaml"), "{path:?} is not tested");
        let text = fs::read_to_string(&path).unwrap();
        let read: Vec<Value> = serde_yaml::Deserializer::from_str(&text)
            .map(|document| Value::deserialize(document).unwrap())
            .filter(|document| !document.is_null())
            .collect();
        assert!(!read.is_empty(), "{path:?} has no objects");
        objects.extend(read);
    }
    for object in &mut objects {
        assert!(object["metadata"]["namespace"].is_null(), "an example must not have a namespace");
        if object["kind"] == "Backend" {
            let block = object["spec"][vendor].as_object_mut().unwrap();
            block.remove("region");
            block.extend(connection.as_object().unwrap().clone());
        }
    }
    objects
}

async fn all_become_ready<V: Account>(name: &str) {
    let world = World::<V>::unconnected(name, Options::new(ADMIN_CREDENTIAL)).await;
    world.apply_secret(ADMIN_CREDENTIAL).await;
    world.apply_all(&objects(V::NAME, &json!({ "url": world.sim.url(), "allowInsecure": true }))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn arize_examples_become_ready() {
    all_become_ready::<Arize>("arize-example").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grafana_examples_become_ready() {
    all_become_ready::<Grafana>("grafana-example").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lenses_examples_become_ready() {
    all_become_ready::<Lenses>("lenses-example").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn zenml_examples_become_ready() {
    all_become_ready::<ZenMl>("zenml-example").await;
}
