//! One log line for each change of a condition `Ready`.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use rolewright_reconcile::object::ObjectRef;

/// Logs the condition `Ready` of an object if it changed.
pub fn log_condition(object: &ObjectRef, before: &[Condition], after: &[Condition]) {
    let ready = |conditions: &[Condition]| {
        let ready = conditions.iter().find(|condition| condition.type_ == "Ready");
        ready.map(|ready| (ready.status.clone(), ready.reason.clone(), ready.message.clone()))
    };
    if let Some((ready, reason, message)) = ready(after).filter(|now| Some(now) != ready(before).as_ref()) {
        let (namespace, name) = (&object.name.namespace, &object.name.name);
        tracing::info!(kind = object.kind.as_str(), %namespace, %name, ready, reason, "{message}");
    }
}
