//! What is published when a condition `Ready` changes: a log line, and a Warning Event where a person must act.

use k8s_openapi::{api::core::v1::ObjectReference, apimachinery::pkg::apis::meta::v1::Condition};
use rolewright_api::Reason;
use rolewright_reconcile::object::ObjectRef;

use super::events::{Events, Severity};

/// Publishes the condition `Ready` of an object if it changed. An Event only if its reason changed, so that a message with a count in it
/// does not repeat the Event.
pub fn publish_condition(
    events: &Events,
    object: ObjectReference,
    reference: &ObjectRef,
    before: &[Condition],
    after: &[Condition],
) {
    if let Some((ready, reason, message)) =
        ready_of(after).filter(|now| Some(now) != ready_of(before).as_ref())
    {
        let (namespace, name) = (&reference.name.namespace, &reference.name.name);
        tracing::info!(kind = reference.kind.as_str(), %namespace, %name, ready, reason, "{message}");
        let warns = Reason::ALL.iter().any(|known| known.as_str() == reason && known.warns());
        if warns && ready_of(before).is_none_or(|(_, known, _)| known != reason) {
            events.publish(object, Severity::Warning, &reason, &message);
        }
    }
}

/// Status, reason and message of the condition `Ready`.
fn ready_of(conditions: &[Condition]) -> Option<(String, String, String)> {
    let ready = conditions.iter().find(|condition| condition.type_ == "Ready");
    ready.map(|ready| (ready.status.clone(), ready.reason.clone(), ready.message.clone()))
}
