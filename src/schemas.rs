//! JSON Schemas of the custom resources, for editors and for checks without a cluster. `rolewright crds --json-schema` writes them.
//!
//! A CRD has a schema of OpenAPI. JSON Schema differs from it: a type lists null instead of `nullable`, and has no CEL rules. Unlike a CRD,
//! these schemas refuse unknown fields, because the API server reports a misspelt field only to clients that ask for it.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::CustomResourceDefinition;
use serde_json::{Map, Value, json};

use rolewright_api as api;

const DRAFT: &str = "http://json-schema.org/draft-07/schema#";

/// The schemas of all versions of all kinds, each with the name of its file, and a schema that chooses one by kind and version.
pub fn all() -> Result<Vec<(String, Value)>, String> {
    let mut files = Vec::new();
    let mut choices = Vec::new();
    let mut kinds = Vec::new();
    for crd in api::crds() {
        let kind = &crd.spec.names.kind;
        for version in &crd.spec.versions {
            let name = format!("{}_{}.json", kind.to_lowercase(), version.name);
            let api_version = format!("{}/{}", crd.spec.group, version.name);
            choices.push(json!({
                "if": {
                    "properties": { "apiVersion": { "const": api_version }, "kind": { "const": kind } },
                    "required": ["apiVersion", "kind"],
                },
                "then": { "$ref": name },
            }));
            files.push((name, schema(&crd, &version.name)?));
        }
        kinds.push(kind.clone());
    }
    let versions: Vec<&Value> = files.iter().flat_map(|(_, schema)| enum_of(schema, "apiVersion")).collect();
    let any = json!({
        "$schema": DRAFT,
        "description": "Any object of Rolewright",
        "type": "object",
        "properties": { "apiVersion": { "enum": distinct(&versions) }, "kind": { "enum": kinds } },
        "required": ["apiVersion", "kind"],
        "allOf": choices,
    });
    files.push(("all.json".to_owned(), any));
    Ok(files)
}

fn enum_of<'a>(schema: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    schema["properties"][field]["enum"].as_array().into_iter().flatten()
}

fn distinct(values: &[&Value]) -> Vec<Value> {
    let mut distinct: Vec<Value> = Vec::new();
    for value in values {
        if !distinct.contains(value) {
            distinct.push((*value).clone());
        }
    }
    distinct
}

/// The schema of one version of a kind.
fn schema(crd: &CustomResourceDefinition, version: &str) -> Result<Value, String> {
    let kind = &crd.spec.names.kind;
    let found = crd.spec.versions.iter().find(|candidate| candidate.name == version);
    let schema = found
        .and_then(|version| version.schema.as_ref())
        .and_then(|schema| schema.open_api_v3_schema.as_ref())
        .ok_or_else(|| format!("{kind} has no schema in {version}"))?;
    let mut schema = serde_json::to_value(schema).map_err(|error| format!("{kind}: {error}"))?;
    let fields = object(&mut schema["properties"]);
    fields.insert("apiVersion".to_owned(), json!({ "enum": [format!("{}/{version}", crd.spec.group)] }));
    fields.insert("kind".to_owned(), json!({ "enum": [kind] }));
    fields.insert("metadata".to_owned(), metadata());
    let required = schema["required"].as_array().cloned().unwrap_or_default();
    let always = ["apiVersion", "kind", "metadata"].map(Value::from);
    schema["required"] = always.into_iter().chain(required).collect();
    convert(&mut schema);
    schema["$schema"] = DRAFT.into();
    Ok(schema)
}

/// The metadata that users write. The API server defines further fields.
fn metadata() -> Value {
    let texts = json!({ "type": "object", "additionalProperties": { "type": "string" } });
    json!({
        "type": "object",
        "properties": {
            "name": { "type": "string" },
            "namespace": { "type": "string" },
            "labels": texts,
            "annotations": texts,
        },
        "additionalProperties": true,
    })
}

/// Turns a schema of a CRD, and all schemas in it, into JSON Schema.
fn convert(schema: &mut Value) {
    let Value::Object(map) = schema else { return };
    let is_open = map.get("x-kubernetes-preserve-unknown-fields") == Some(&Value::Bool(true));
    if map.get("x-kubernetes-int-or-string") == Some(&Value::Bool(true)) {
        map.insert("type".to_owned(), json!(["integer", "string"]));
    }
    map.retain(|key, _| !key.starts_with("x-kubernetes-"));
    if map.remove("nullable") == Some(Value::Bool(true)) {
        add_null(map);
    }
    if let Some(Value::Object(fields)) = map.get_mut("properties") {
        fields.values_mut().for_each(convert);
        // Extra fields, and a schema for the values of a map, exclude each other in a CRD.
        if !is_open && !map.contains_key("additionalProperties") {
            map.insert("additionalProperties".to_owned(), Value::Bool(false));
        }
    }
    for part in ["items", "additionalProperties", "not"] {
        map.get_mut(part).into_iter().for_each(convert);
    }
    for list in ["allOf", "anyOf", "oneOf"] {
        let parts = map.get_mut(list).and_then(Value::as_array_mut);
        // A part adds a condition to the fields of the whole: the fields that it does not name are not unknown.
        for part in parts.into_iter().flatten() {
            convert(part);
            object(part).remove("additionalProperties");
        }
    }
}

fn add_null(map: &mut Map<String, Value>) {
    match map.get("type").cloned() {
        Some(Value::String(one)) => drop(map.insert("type".to_owned(), json!([one, "null"]))),
        Some(Value::Array(mut several)) => {
            several.push("null".into());
            map.insert("type".to_owned(), several.into());
        }
        _ => {}
    }
    if let Some(Value::Array(values)) = map.get_mut("enum")
        && !values.contains(&Value::Null)
    {
        values.push(Value::Null);
    }
}

fn object(value: &mut Value) -> &mut Map<String, Value> {
    if !value.is_object() {
        *value = Value::Object(Map::new());
    }
    value.as_object_mut().expect("the value was made an object")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted(mut schema: Value) -> Value {
        convert(&mut schema);
        schema
    }

    #[test]
    fn object_refuses_unknown_fields_unless_the_crd_keeps_them() {
        assert_eq!(
            converted(json!({ "type": "object", "properties": { "a": { "type": "object" } } })),
            json!({ "type": "object", "properties": { "a": { "type": "object" } }, "additionalProperties": false })
        );
        let map = json!({ "type": "object", "additionalProperties": { "type": "string" } });
        assert_eq!(converted(map.clone()), map);
        assert_eq!(
            converted(json!({ "properties": {}, "x-kubernetes-preserve-unknown-fields": true })),
            json!({ "properties": {} })
        );
    }

    #[test]
    fn nullable_type_and_enum_include_null() {
        assert_eq!(
            converted(json!({ "type": "string", "enum": ["a"], "nullable": true })),
            json!({ "type": ["string", "null"], "enum": ["a", null] })
        );
        assert_eq!(
            converted(json!({ "x-kubernetes-int-or-string": true, "nullable": true })),
            json!({ "type": ["integer", "string", "null"] })
        );
    }

    #[test]
    fn part_of_a_choice_refuses_no_field_of_the_whole() {
        let choice = json!({ "oneOf": [{ "properties": { "a": { "enum": [1] } }, "required": ["a"] }] });
        assert_eq!(converted(choice.clone()), choice);
    }
}
