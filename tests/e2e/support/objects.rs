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

/// A Backend named `arize` on the simulator.
pub fn backend(url: &str, more: Value) -> Value {
    let spec = json!({
        "arize": {
            "url": url,
            "allowInsecure": true,
            "credentials": { "apiKeySecretRef": { "name": "arize-key", "key": "key" } },
        },
        "sweepInterval": "1s",
        "requests": { "perSecond": 1000, "burst": 1000, "concurrency": 4 },
    });
    object("Backend", "arize", with(spec, more))
}

/// A Role with these permissions.
pub fn role(name: &str, actions: &[&str], more: Value) -> Value {
    let spec = json!({ "backendRef": { "name": "arize" }, "rules": [{ "actions": actions }] });
    object("Role", name, with(spec, more))
}

/// A RoleBinding of a Role of ours, on the space `research` unless `more` says otherwise.
pub fn binding(name: &str, role: &str, users: &[&str], more: Value) -> Value {
    let subjects: Vec<Value> = users.iter().map(|user| json!({ "kind": "User", "name": user })).collect();
    let spec = json!({
        "backendRef": { "name": "arize" },
        "roleRef": { "name": role },
        "subjects": subjects,
        "scope": { "space": "research" },
    });
    object("RoleBinding", name, with(spec, more))
}

/// A ResourceRestriction of a project of the space `research`.
pub fn restriction(name: &str, project: &str, more: Value) -> Value {
    let spec =
        json!({ "backendRef": { "name": "arize" }, "resource": { "space": "research", "project": project } });
    object("ResourceRestriction", name, with(spec, more))
}
