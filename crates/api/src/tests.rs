//! Rules that every schema follows.

use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1::{
    JSONSchemaProps, JSONSchemaPropsOrArray,
};
use kube::ResourceExt;

use super::crds;

/// Calls `each` with the path and the schema of every field.
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
fn every_field_has_a_description() {
    fields(&mut |path, field| {
        let description = field.description.as_deref().unwrap_or_default();
        assert!(path.ends_with("metadata") || !description.is_empty(), "{path} has no description");
    });
}

#[test]
fn description_of_an_enum_field_names_each_value() {
    fields(&mut |path, field| {
        for value in field.enum_.iter().flatten().filter_map(|value| value.0.as_str()) {
            let from_kubernetes = path.contains(".conditions[]");
            let description = field.description.as_deref().unwrap_or_default();
            assert!(
                from_kubernetes || description.contains(value),
                "{path} does not explain {value}: {description:?}"
            );
        }
    });
}
