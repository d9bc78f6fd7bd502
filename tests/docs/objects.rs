//! The examples, and the objects that the pages show, are valid by the JSON Schemas in `schemas/`.

use std::fs;

use jsonschema::{Registry, Validator};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::pages::{self, root};

const API_VERSION: &str = "rolewright.dev/v1alpha1";

fn read_schema(name: &str) -> Value {
    let path = root().join("schemas/rolewright.dev").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap()
}

/// The schema that validates objects of all kinds.
fn validator() -> Validator {
    let all = read_schema("all.json");
    let uri = |name: &str| format!("https://schemas.test/{name}");
    let parts = all["allOf"].as_array().unwrap().iter().map(|part| part["then"]["$ref"].as_str().unwrap());
    let parts: Vec<(String, Value)> = parts.map(|name| (uri(name), read_schema(name))).collect();
    assert_eq!(parts.len(), rolewright_api::crds().len());
    let registry = Registry::new().extend(parts).unwrap().prepare().unwrap();
    let options = jsonschema::options().with_base_uri(uri("all.json"));
    options.with_registry(&registry).build(&all).unwrap()
}

fn documents(text: &str) -> Vec<Value> {
    let documents = serde_yaml::Deserializer::from_str(text);
    documents.map(|document| Value::deserialize(document).unwrap_or_default()).collect()
}

/// The objects in all examples and pages, each with its file.
fn objects() -> Vec<(String, Value)> {
    let mut texts: Vec<(String, String)> = Vec::new();
    let mut folders = vec![root().join("examples")];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            // An overlay contains patches: parts of objects.
            if path.is_dir() && !path.ends_with("overlay") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "yaml") {
                texts.push((path.display().to_string(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    for page in pages::all() {
        texts.extend(page.blocks("yaml").into_iter().map(|block| (page.path.clone(), block)));
    }
    let objects = texts
        .into_iter()
        .flat_map(|(name, text)| documents(&text).into_iter().map(move |document| (name.clone(), document)));
    objects.filter(|(_, object)| object["apiVersion"] == API_VERSION).collect()
}

fn errors(validator: &Validator, object: &Value) -> Vec<String> {
    validator.iter_errors(object).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn examples_and_objects_in_pages_match_the_schemas() {
    let validator = validator();
    let objects = objects();
    assert!(objects.len() > 30, "only {} objects found", objects.len());
    for (name, object) in &objects {
        let errors = errors(&validator, object);
        assert!(errors.is_empty(), "{name}, {}:\n{}", object["metadata"]["name"], errors.join("\n"));
    }
}

#[test]
fn schemas_refuse_misspelt_fields_and_wrong_types() {
    let validator = validator();
    let role = json!({
        "apiVersion": API_VERSION,
        "kind": "Role",
        "metadata": { "name": "a" },
        "spec": { "backendRef": { "name": "b" }, "rules": [{ "actions": ["c"] }] },
    });
    assert_eq!(errors(&validator, &role), [""; 0]);
    let changed = |pointer: &str, field: &str, value: Value| {
        let mut role = role.clone();
        role.pointer_mut(pointer).unwrap()[field] = value;
        errors(&validator, &role).join("\n")
    };
    assert!(changed("/spec/rules/0", "ressources", json!(["*"])).contains("ressources"));
    assert!(changed("", "specs", json!({})).contains("specs"));
    assert!(changed("/spec", "mode", json!("Enforced")).contains("/spec/mode"));
    assert!(changed("/metadata", "labels", json!({ "a": 1 })).contains("/metadata/labels/a"));
    assert!(changed("", "kind", json!("Rolle")).contains("/kind"));
    assert!(changed("", "apiVersion", json!("rolewright.dev/v1")).contains("/apiVersion"));
    assert_eq!(changed("/spec", "mode", Value::Null), "", "the API server accepts null");
}
