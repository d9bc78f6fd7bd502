//! AccessOffers and AccessRequests.

use serde_json::{Value, json};

use super::manifests::object;

/// An offer of the role of a RoleBinding, which alice@example.com approves also for herself, with these fields. A null removes a field.
pub fn offer_of(binding: &Value, more: Value) -> Value {
    let spec = &binding["spec"];
    let mut offer = json!({
        "backendRef": spec["backendRef"],
        "roleRef": spec["roleRef"],
        "maxDuration": "8h",
        "requesters": { "users": ["*"] },
        "approvers": { "users": ["alice@example.com"] },
        "allowSelfApproval": true,
    });
    if !spec["scope"].is_null() {
        offer["scope"] = spec["scope"].clone();
    }
    for (field, value) in more.as_object().unwrap() {
        offer[field] = value.clone();
    }
    offer.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    object("AccessOffer", "on-call", offer)
}

/// An offer of the role of a RoleBinding for which nobody approves requests.
pub fn free_offer_of(binding: &Value) -> Value {
    offer_of(binding, json!({ "approvers": null, "allowSelfApproval": null, "withoutApproval": true }))
}

/// A request by and for this user.
pub fn request_for(name: &str, user: &str, duration: &str) -> Value {
    let spec = json!({ "offer": "on-call", "duration": duration, "reason": "INC-123", "requestedBy": user });
    object("AccessRequest", name, spec)
}
