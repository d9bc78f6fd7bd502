//! The objects that tests apply.

use serde_json::{Value, json};

pub(super) fn object(kind: &str, name: &str, spec: Value) -> Value {
    json!({
        "apiVersion": "rolewright.dev/v1alpha1",
        "kind": kind,
        "metadata": { "name": name },
        "spec": spec,
    })
}

/// `base` with the fields of `more` on top.
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

/// A Backend of a vendor, which has the vendor's name: it sweeps all the time and may call as often as it likes.
pub(super) fn connection(vendor: &str, block: Value, more: Value) -> Value {
    let spec = json!({
        vendor: block,
        "sweepInterval": "1s",
        "requests": { "perSecond": 1000, "burst": 1000, "concurrency": 4 },
    });
    object("Backend", vendor, with(spec, more))
}

/// A RoleBinding of a Role of ours to subjects by kind and name.
pub(super) fn holders(
    backend: &str,
    name: &str,
    role: &str,
    subjects: &[(&str, &str)],
    more: Value,
) -> Value {
    let subjects: Vec<Value> =
        subjects.iter().map(|(kind, name)| json!({ "kind": kind, "name": name })).collect();
    let spec = json!({
        "backendRef": { "name": backend },
        "roleRef": { "name": role },
        "subjects": subjects,
    });
    object("RoleBinding", name, without_nulls(with(spec, more)))
}

/// A Backend named `arize` on the simulator.
pub fn backend(url: &str, more: Value) -> Value {
    let block = json!({
        "url": url,
        "allowInsecure": true,
        "credentials": { "apiKeySecretRef": { "name": "arize-key", "key": "key" } },
    });
    connection("arize", block, more)
}

/// A Role with these permissions.
pub fn role(name: &str, actions: &[&str], more: Value) -> Value {
    let spec = json!({ "backendRef": { "name": "arize" }, "rules": [{ "actions": actions }] });
    object("Role", name, with(spec, more))
}

/// A RoleBinding of a Role of ours, on the space `research` unless `more` says otherwise.
pub fn binding(name: &str, role: &str, users: &[&str], more: Value) -> Value {
    let subjects: Vec<(&str, &str)> = users.iter().map(|user| ("User", *user)).collect();
    holders("arize", name, role, &subjects, with(json!({ "scope": { "space": "research" } }), more))
}

/// A ResourceRestriction of a project of the space `research`.
pub fn restriction(name: &str, project: &str, more: Value) -> Value {
    let spec =
        json!({ "backendRef": { "name": "arize" }, "resource": { "space": "research", "project": project } });
    object("ResourceRestriction", name, with(spec, more))
}
