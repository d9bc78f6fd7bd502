//! Condition types and reasons. Users and tools match on these words, so they are an enum and each has a page in the docs.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::{SignedDuration, Timestamp},
};

/// Why `Ready` is what it is. Each reason belongs to one status and says who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The back end is known to equal the spec.
    InSync,
    /// The back end accepts the Backend's credential.
    Connected,
    /// Changes are being made.
    Reconciling,
    /// The Backend is missing or not ready.
    BackendNotReady,
    /// Another object that this one refers to is missing or not ready.
    DependencyNotReady,
    /// The back end asked for fewer calls.
    Throttled,
    /// The back end failed; it will be tried again.
    BackendError,
    /// The object is going; what it holds is being removed.
    Deleting,
    /// The changes are shown and, by mode, not made.
    Planned,
    /// The pause annotation is set.
    Paused,
    /// The spec cannot be honoured as it stands.
    Invalid,
    /// The back end does not have this.
    Unsupported,
    /// Something else has, or is, what the spec asks for.
    Conflict,
    /// A subject, scope, resource or external role does not exist, or the key cannot see it.
    NotFound,
    /// The key may not do this.
    Denied,
    /// What the object holds cannot be removed yet.
    DeletionBlocked,
    /// Somebody keeps changing back what this object says.
    Contested,
}

impl Reason {
    /// All reasons, for the reference documentation and for bounded metric labels.
    pub const ALL: [Reason; 17] = [
        Reason::InSync,
        Reason::Connected,
        Reason::Reconciling,
        Reason::BackendNotReady,
        Reason::DependencyNotReady,
        Reason::Throttled,
        Reason::BackendError,
        Reason::Deleting,
        Reason::Planned,
        Reason::Paused,
        Reason::Invalid,
        Reason::Unsupported,
        Reason::Conflict,
        Reason::NotFound,
        Reason::Denied,
        Reason::DeletionBlocked,
        Reason::Contested,
    ];

    /// The word in the condition.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::InSync => "InSync",
            Reason::Connected => "Connected",
            Reason::Reconciling => "Reconciling",
            Reason::BackendNotReady => "BackendNotReady",
            Reason::DependencyNotReady => "DependencyNotReady",
            Reason::Throttled => "Throttled",
            Reason::BackendError => "BackendError",
            Reason::Deleting => "Deleting",
            Reason::Planned => "Planned",
            Reason::Paused => "Paused",
            Reason::Invalid => "Invalid",
            Reason::Unsupported => "Unsupported",
            Reason::Conflict => "Conflict",
            Reason::NotFound => "NotFound",
            Reason::Denied => "Denied",
            Reason::DeletionBlocked => "DeletionBlocked",
            Reason::Contested => "Contested",
        }
    }

    /// Whether `Ready` is true with this reason.
    pub fn ready(self) -> bool {
        matches!(self, Reason::InSync | Reason::Connected)
    }

    /// Whether the user has to act: `Stalled` in the words of kstatus.
    pub fn stalled(self) -> bool {
        matches!(
            self,
            Reason::Invalid
                | Reason::Unsupported
                | Reason::Conflict
                | Reason::NotFound
                | Reason::Denied
                | Reason::DeletionBlocked
                | Reason::Contested
        )
    }

    /// Whether work is under way or waited for: `Reconciling` in the words of kstatus.
    pub fn reconciling(self) -> bool {
        matches!(
            self,
            Reason::Reconciling
                | Reason::BackendNotReady
                | Reason::DependencyNotReady
                | Reason::Throttled
                | Reason::BackendError
                | Reason::Deleting
        )
    }
}

/// The type of the condition of a Backend whose credential ends soon.
pub const CREDENTIAL_EXPIRING: &str = "CredentialExpiring";

/// How long before its end a credential is warned of: two weeks.
const WARNED: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The condition that says that a credential ends soon; None while there is time.
pub fn expiring(
    at: Timestamp,
    generation: Option<i64>,
    before: &[Condition],
    now: Timestamp,
) -> Option<Condition> {
    let known = before.iter().find(|known| known.type_ == CREDENTIAL_EXPIRING);
    (at.duration_since(now) < WARNED).then(|| Condition {
        type_: CREDENTIAL_EXPIRING.to_owned(),
        status: "True".to_owned(),
        reason: "EndsSoon".to_owned(),
        message: format!(
            "the credential ends at {at}: make a new one, and put it into the Secret before that"
        ),
        observed_generation: generation,
        last_transition_time: known.map_or(Time(now), |known| known.last_transition_time.clone()),
    })
}

/// Why a condition `Verified` is False: the back end does not show all that the object stands for.
const NOT_READABLE: (&str, &str) = (
    "NotReadable",
    "the back end does not show what the role permits: what was last applied is taken to be there",
);

/// The conditions that say `reason`: `Ready`, and `Stalled` or `Reconciling` beside it, and `Verified` where what Ready says is not wholly
/// shown by the back end. A condition whose status does not change keeps
/// its transition time, so an unchanged verdict makes unchanged conditions.
pub fn condition(
    reason: Reason,
    message: &str,
    generation: Option<i64>,
    unverified: bool,
    before: &[Condition],
    now: Timestamp,
) -> Vec<Condition> {
    let make = |type_: &str, status: bool, reason: &str, message: &str| {
        let status = if status { "True" } else { "False" };
        let since = before
            .iter()
            .find(|known| known.type_ == type_ && known.status == status)
            .map_or(Time(now), |known| known.last_transition_time.clone());
        Condition {
            type_: type_.to_owned(),
            status: status.to_owned(),
            reason: reason.to_owned(),
            message: message.to_owned(),
            observed_generation: generation,
            last_transition_time: since,
        }
    };
    let word = reason.as_str();
    let mut conditions = vec![make("Ready", reason.ready(), word, message)];
    if reason.stalled() {
        conditions.push(make("Stalled", true, word, message));
    }
    if reason.reconciling() {
        conditions.push(make("Reconciling", true, word, message));
    }
    if reason.ready() && unverified {
        let (word, message) = NOT_READABLE;
        conditions.push(make("Verified", false, word, message));
    }
    conditions
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_credential_is_warned_of_two_weeks_before_its_end_and_the_warning_does_not_move() {
        let end = at("2027-01-31T18:00:00Z");
        assert_eq!(expiring(end, Some(1), &[], at("2027-01-17T18:00:00Z")), None);
        let first = expiring(end, Some(1), &[], at("2027-01-17T18:00:01Z")).expect("a warning");
        assert!(first.message.contains("2027-01-31T18:00:00Z") && first.status == "True", "{first:?}");
        for later in ["2027-01-20T00:00:00Z", "2027-02-01T00:00:00Z"] {
            assert_eq!(expiring(end, Some(1), std::slice::from_ref(&first), at(later)), Some(first.clone()));
        }
    }

    #[test]
    fn what_is_not_shown_whole_is_said_to_be_unverified_only_where_it_is_ready() {
        let types = |reason, unverified| {
            let said = condition(reason, "", None, unverified, &[], at("2027-01-01T00:00:00Z"));
            said.into_iter().map(|condition| (condition.type_, condition.status)).collect::<Vec<_>>()
        };
        let pair = |type_: &str, status: &str| (type_.to_owned(), status.to_owned());
        assert_eq!(types(Reason::InSync, true), [pair("Ready", "True"), pair("Verified", "False")]);
        assert_eq!(types(Reason::InSync, false), [pair("Ready", "True")]);
        assert_eq!(types(Reason::Denied, true), [pair("Ready", "False"), pair("Stalled", "True")]);
    }
}
