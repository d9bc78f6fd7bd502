//! What every schema has to be like.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray,
};
use kube::ResourceExt;

use super::crds;

/// Calls `each` with every field of a schema, and its path.
fn walk(path: &str, schema: &JSONSchemaProps, each: &mut dyn FnMut(&str, &JSONSchemaProps)) {
    for (name, field) in schema.properties.iter().flatten() {
        let path = format!("{path}.{name}");
        each(&path, field);
        walk(&path, field, each);
    }
    if let Some(JSONSchemaPropsOrArray::Schema(item)) = &schema.items {
        walk(&format!("{path}[]"), item, each);
    }
}

fn fields(each: &mut dyn FnMut(&str, &JSONSchemaProps)) {
    for crd in crds() {
        for version in &crd.spec.versions {
            let schema = version.schema.as_ref().and_then(|schema| schema.open_api_v3_schema.as_ref());
            walk(&crd.name_any(), schema.expect("every version has a schema"), each);
        }
    }
}

#[test]
fn every_field_says_what_it_is() {
    fields(&mut |path, field| {
        let said = field.description.as_deref().unwrap_or_default();
        assert!(path.ends_with("metadata") || !said.is_empty(), "{path} has no description");
    });
}

#[test]
fn a_field_with_a_choice_explains_each_value() {
    fields(&mut |path, field| {
        for value in field.enum_.iter().flatten().filter_map(|value| value.0.as_str()) {
            let ours = !path.contains(".conditions[]");
            let said = field.description.as_deref().unwrap_or_default();
            assert!(!ours || said.contains(value), "{path} does not explain {value}: {said:?}");
        }
    });
}
