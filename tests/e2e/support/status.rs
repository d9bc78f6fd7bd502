//! Reads the status of an object.

use kube::{ResourceExt, api::DynamicObject};
use serde_json::Value;

/// The condition of this type, null if there is none, whatever generation it describes.
pub fn condition(object: &DynamicObject, kind: &str) -> Value {
    let conditions = object.data["status"]["conditions"].as_array().cloned().unwrap_or_default();
    conditions.into_iter().find(|condition| condition["type"] == kind).unwrap_or_default()
}

/// The `Ready` condition, null if there is none for the current generation.
pub fn ready_condition(object: &DynamicObject) -> Value {
    if object.data["status"]["observedGeneration"].as_i64() != object.metadata.generation {
        return Value::Null;
    }
    condition(object, "Ready")
}

/// The reason of the `Ready` condition, empty if there is none for the current generation.
pub fn reason(object: &DynamicObject) -> String {
    ready_condition(object)["reason"].as_str().unwrap_or_default().to_owned()
}

/// Whether an object has this reason and all these words in its message.
pub fn has_reason(object: &DynamicObject, reason: &str, words: &[&str]) -> bool {
    let ready = ready_condition(object);
    let message = ready["message"].as_str().unwrap_or_default();
    ready["reason"] == reason && words.iter().all(|word| message.contains(word))
}

/// The ids of the external things that an object manages.
pub fn managed_ids(object: &DynamicObject) -> Vec<String> {
    let held = object.data["status"]["held"].as_array().cloned().unwrap_or_default();
    held.iter().filter_map(|entry| entry["id"].as_str().map(str::to_owned)).collect()
}

/// Whether an object has Rolewright's finalizer.
pub fn has_finalizer(object: &DynamicObject) -> bool {
    object.finalizers().iter().any(|finalizer| finalizer == "rolewright.dev/hold")
}

/// The plan in the status, null if there is nothing to do.
pub fn plan(object: &DynamicObject) -> &Value {
    &object.data["status"]["plan"]
}

/// The state and the message of a binding's subject.
pub fn subject_status(object: &DynamicObject, name: &str) -> (String, String) {
    let subjects = object.data["status"]["subjects"].as_array().cloned().unwrap_or_default();
    let found = subjects.iter().find(|subject| subject["name"] == name).cloned().unwrap_or_default();
    let text = |field: &str| found[field].as_str().unwrap_or_default().to_owned();
    (text("state"), text("message"))
}
