//! Every file of `examples/` does what it shows.

use std::{fs, path::Path};

use rolewright_simulators::{arize::Arize, grafana::Grafana, kit::Options, lenses::Lenses, zenml::ZenMl};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::support::{Account, KEY, World};

/// The folders of `examples/` that a test here covers: a new one fails until it has its test.
const COVERED: [&str; 4] = ["arize", "grafana", "lenses", "zenml"];

fn examples() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/examples"))
}

#[test]
fn every_folder_of_examples_has_its_test() {
    let folders = fs::read_dir(examples()).unwrap().map(|entry| entry.unwrap());
    let names: Vec<String> = folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
    let missed: Vec<&String> = names.iter().filter(|name| !COVERED.contains(&name.as_str())).collect();
    assert!(missed.is_empty(), "{missed:?} is not applied by any test");
}

/// All objects of a folder, with `connection` in the vendor's block of the Backend.
fn objects(vendor: &str, connection: &Value) -> Vec<Value> {
    let mut objects = Vec::new();
    for entry in fs::read_dir(examples().join(vendor)).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(path.extension().and_then(|end| end.to_str()), Some("yaml"), "{path:?} is not covered");
        let text = fs::read_to_string(&path).unwrap();
        let read: Vec<Value> = serde_yaml::Deserializer::from_str(&text)
            .map(|document| Value::deserialize(document).unwrap())
            .filter(|document| !document.is_null())
            .collect();
        assert!(!read.is_empty(), "{path:?} shows nothing");
        objects.extend(read);
    }
    for object in &mut objects {
        assert!(object["metadata"]["namespace"].is_null(), "an example says in which namespace it is tried");
        if object["kind"] == "Backend" {
            let block = object["spec"][vendor].as_object_mut().unwrap();
            block.remove("region");
            block.extend(connection.as_object().unwrap().clone());
        }
    }
    objects
}

async fn all_become_ready<V: Account>(name: &str) {
    let world = World::<V>::unconnected(name, Options::new(KEY)).await;
    world.secret(KEY).await;
    let objects = objects(V::NAME, &json!({ "url": world.sim.url(), "allowInsecure": true }));
    for object in &objects {
        world.apply(object.clone()).await;
    }
    for object in &objects {
        world.ready(object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap()).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_for_arize_becomes_ready() {
    all_become_ready::<Arize>("example").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_for_grafana_becomes_ready() {
    all_become_ready::<Grafana>("gf-example").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_for_lenses_becomes_ready() {
    all_become_ready::<Lenses>("lh-example").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_example_for_zenml_becomes_ready() {
    all_become_ready::<ZenMl>("zm-example").await;
}
