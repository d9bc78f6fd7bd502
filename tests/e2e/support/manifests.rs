//! The JSON of custom resources. Each vendor's module builds its own from these.

use serde_json::{Value, json};

/// A custom resource.
pub(super) fn object(kind: &str, name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": "rolewright.dev/v1alpha1",
        "kind": kind,
        "metadata": { "name": name },
        "spec": spec,
    })
}

/// `base` with the fields of `more`, which win.
pub(super) fn with(mut base: Value, more: Value) -> Value {
    for (field, value) in more.as_object().unwrap() {
        base[field] = value.clone();
    }
    base
}

/// `spec` without the fields that are null.
pub(super) fn without_nulls(mut spec: Value) -> Value {
    spec.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    spec
}

/// A Backend with the vendor's name and block. It sweeps every second with a large budget, and its guards allow every removal.
pub(super) fn backend(vendor: &str, block: Value, more: Value) -> Value {
    let spec = json!({
        vendor: block,
        "sweepInterval": "1s",
        "requests": { "perSecond": 1000, "burst": 1000, "concurrency": 4 },
        "guards": { "maxRemovals": 1000, "maxRemovalPercent": 100 },
    });
    object("Backend", vendor, with(spec, more))
}

/// A Role of a vendor's Backend.
pub(super) fn role(vendor: &str, name: &str, rules: Value, more: Value) -> Value {
    let spec = json!({ "backendRef": { "name": vendor }, "rules": rules });
    object("Role", name, with(spec, more))
}

/// A RoleBinding from a Role object to subjects by kind and name. A null in `more` removes the field.
pub(super) fn binding(vendor: &str, name: &str, role: &str, subjects: &[(&str, &str)], more: Value) -> Value {
    let subjects: Vec<Value> =
        subjects.iter().map(|(kind, name)| json!({ "kind": kind, "name": name })).collect();
    let spec = json!({
        "backendRef": { "name": vendor },
        "roleRef": { "name": role },
        "subjects": subjects,
    });
    object("RoleBinding", name, without_nulls(with(spec, more)))
}

/// A ResourceRestriction of a vendor's Backend.
pub(super) fn restriction(vendor: &str, name: &str, resource: Value, more: Value) -> Value {
    let spec = json!({ "backendRef": { "name": vendor }, "resource": resource });
    object("ResourceRestriction", name, with(spec, more))
}

/// The kind and the name of an object.
pub fn kind_and_name(object: &Value) -> (&str, &str) {
    (object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap())
}
