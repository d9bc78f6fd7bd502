//! When the grants of a RoleBinding are valid: from `spec.startsAt` to `spec.expiresAt`.

use jiff::{SignedDuration, Timestamp};
use rolewright_api as api;
use rolewright_api::Reason;

use crate::object::ManagedObject;

/// Users learn so long before that grants end.
const WARNING_PERIOD: SignedDuration = SignedDuration::from_hours(24);

/// Whether a spec applies now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Validity {
    /// It applies. The time is its end, if that is near.
    Current(Option<Timestamp>),
    /// It applies from this time on.
    Scheduled(Timestamp),
    /// It applied until this time.
    Expired(Timestamp),
}

impl Default for Validity {
    fn default() -> Self {
        Self::Current(None)
    }
}

impl Validity {
    /// The validity of a binding.
    pub fn of(binding: &api::RoleBinding, now: Timestamp) -> Self {
        let [starts, expires] = times(binding);
        match (starts, expires) {
            (_, Some(end)) if end <= now || has_expired(binding) => Self::Expired(end),
            (Some(start), _) if now < start => Self::Scheduled(start),
            (_, end) => Self::Current(end.filter(|end| end.duration_since(now) < WARNING_PERIOD)),
        }
    }

    /// The end of a spec that applies, if it is near.
    pub fn ends_soon(self) -> Option<Timestamp> {
        match self {
            Self::Current(end) => end,
            Self::Scheduled(_) | Self::Expired(_) => None,
        }
    }
}

/// Whether grants of a binding are still there although their time is over.
pub fn is_overdue(binding: &api::RoleBinding, now: Timestamp) -> bool {
    let [_, expires] = times(binding);
    let ends = [expires, recorded_end(binding)];
    ends.into_iter().flatten().any(|end| end <= now) && !binding.held().is_empty()
}

/// When time alone changes the validity of a binding.
pub fn next_change(binding: &api::RoleBinding, now: Timestamp) -> Option<Timestamp> {
    let [starts, expires] = times(binding);
    let warning = expires.and_then(|end| end.checked_sub(WARNING_PERIOD).ok());
    [starts, warning, expires, recorded_end(binding)].into_iter().flatten().filter(|at| now < *at).min()
}

/// The end of the grants that the status records.
pub fn recorded_end<K: ManagedObject>(object: &K) -> Option<Timestamp> {
    object.status()?.expires_at.as_ref().map(|end| end.0)
}

fn times(binding: &api::RoleBinding) -> [Option<Timestamp>; 2] {
    [&binding.spec.starts_at, &binding.spec.expires_at].map(|time| time.as_ref().map(|time| time.0))
}

/// Whether the status says that this very spec has expired: a clock that is set back grants nothing again.
fn has_expired(binding: &api::RoleBinding) -> bool {
    binding.status().is_some_and(|status| {
        let mut ready = status.conditions.iter().filter(|one| one.type_ == "Ready");
        status.observed_generation == binding.metadata.generation
            && ready.any(|ready| ready.reason == Reason::Expired.as_str())
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    const START: &str = "2027-01-10T00:00:00Z";
    const END: &str = "2027-01-31T18:00:00Z";

    fn binding(status: serde_json::Value) -> api::RoleBinding {
        serde_json::from_value(json!({
            "apiVersion": "rolewright.dev/v1alpha1", "kind": "RoleBinding", "metadata": {"name": "readers", "generation": 3},
            "spec": {
                "backendRef": {"name": "arize"}, "roleRef": {"name": "reader"}, "startsAt": START, "expiresAt": END,
                "subjects": [{"kind": "User", "name": "alice@example.com"}],
            },
            "status": status,
        }))
        .expect("a RoleBinding")
    }

    fn expired(generation: i64) -> serde_json::Value {
        let ready = json!({
            "type": "Ready", "status": "False", "reason": "Expired", "message": "", "lastTransitionTime": END,
        });
        json!({"observedGeneration": generation, "conditions": [ready]})
    }

    #[test]
    fn validity_follows_the_clock() {
        let validity = |now: &str| Validity::of(&binding(json!(null)), at(now));
        assert_eq!(validity("2027-01-09T23:59:59Z"), Validity::Scheduled(at(START)));
        assert_eq!(validity(START), Validity::Current(None));
        assert_eq!(validity("2027-01-30T18:00:00Z"), Validity::Current(None));
        assert_eq!(validity("2027-01-30T18:00:01Z"), Validity::Current(Some(at(END))));
        assert_eq!(validity(END), Validity::Expired(at(END)));
    }

    #[test]
    fn next_change_is_the_nearest_one_in_the_future() {
        let next = |now: &str| next_change(&binding(json!(null)), at(now)).map(|at| at.to_string());
        assert_eq!(next("2027-01-01T00:00:00Z").as_deref(), Some(START));
        assert_eq!(next(START).as_deref(), Some("2027-01-30T18:00:00Z"));
        assert_eq!(next("2027-01-30T18:00:00Z").as_deref(), Some(END));
        assert_eq!(next(END), None);
    }

    #[test]
    fn a_clock_that_is_set_back_grants_nothing_again() {
        let validity = |generation| Validity::of(&binding(expired(generation)), at("2027-01-20T00:00:00Z"));
        assert_eq!(validity(3), Validity::Expired(at(END)));
        assert_eq!(validity(2), Validity::Current(None), "a new spec was written since");
    }
}
