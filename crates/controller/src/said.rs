//! What objects say of themselves, as lines of the log.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::queue::Item;

/// What an object says is logged when it says something else.
pub fn log(item: &Item, before: &[Condition], after: &[Condition]) {
    let ready = |said: &[Condition]| {
        let ready = said.iter().find(|condition| condition.type_ == "Ready");
        ready.map(|said| (said.status.clone(), said.reason.clone(), said.message.clone()))
    };
    if let Some((ready, reason, message)) = ready(after).filter(|said| Some(said) != ready(before).as_ref()) {
        let (namespace, name) = (&item.name.namespace, &item.name.name);
        tracing::info!(kind = item.kind.as_str(), %namespace, %name, ready, reason, "{message}");
    }
}
