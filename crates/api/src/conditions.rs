//! Condition types and reasons. Users and tools match on these words: never rename one. Each reason has a section in `docs/reasons.md`.

use k8s_openapi::{
    apimachinery::pkg::apis::meta::v1::{Condition, Time},
    jiff::{SignedDuration, Timestamp},
};

/// The reason of the condition `Ready`. Each reason belongs to one status of the condition, and shows whether the user must act.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// The back end equals the spec.
    InSync,
    /// On a RoleBinding with `missingSubjects: Wait`: the back end equals the spec, except for subjects that do not exist yet.
    MissingSubjects,
    /// On a Backend: the back end accepts the credential.
    Connected,
    /// Rolewright is making changes.
    Reconciling,
    /// The Backend of the object does not exist or is not ready.
    BackendNotReady,
    /// Another object that must come first does not exist or is not ready.
    DependencyNotReady,
    /// The back end limits the rate of calls (429).
    Throttled,
    /// The back end returned an error or did not answer. Rolewright retries.
    BackendError,
    /// On a Backend: the account was not read completely for a long time.
    SweepFailing,
    /// The object is being deleted, and Rolewright removes what it manages.
    Deleting,
    /// There are changes, and the mode does not allow Rolewright to make them.
    Planned,
    /// There are changes that need an approval: by the mode, or because they remove more than the guards allow.
    ApprovalRequired,
    /// The object has the annotation `rolewright.dev/pause`.
    Paused,
    /// The back end cannot accept this spec. The user must change it.
    Invalid,
    /// The back end does not have this feature.
    Unsupported,
    /// The spec conflicts with an existing external thing, another object, or another account.
    Conflict,
    /// A subject, scope, resource or external role does not exist, or the credential cannot see it.
    NotFound,
    /// The credential lacks a right.
    Denied,
    /// The object is being deleted, and what it manages cannot be removed.
    DeletionBlocked,
    /// Another client keeps reverting the changes of this object.
    Contested,
    /// On a Backend: many managed things vanished at once. The user must decide whether they were deleted.
    Vanished,
    /// The grants of a RoleBinding start later.
    Scheduled,
    /// The grants of a RoleBinding ended, and were revoked.
    Expired,
}

impl Reason {
    /// All reasons. The docs are checked against this list, and metrics use it as the bounded set of labels.
    pub const ALL: [Reason; 23] = [
        Reason::InSync,
        Reason::MissingSubjects,
        Reason::Connected,
        Reason::Reconciling,
        Reason::BackendNotReady,
        Reason::DependencyNotReady,
        Reason::Throttled,
        Reason::BackendError,
        Reason::SweepFailing,
        Reason::Deleting,
        Reason::Planned,
        Reason::ApprovalRequired,
        Reason::Paused,
        Reason::Invalid,
        Reason::Unsupported,
        Reason::Conflict,
        Reason::NotFound,
        Reason::Denied,
        Reason::DeletionBlocked,
        Reason::Contested,
        Reason::Vanished,
        Reason::Scheduled,
        Reason::Expired,
    ];

    /// The reason as the condition spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::InSync => "InSync",
            Reason::MissingSubjects => "MissingSubjects",
            Reason::Connected => "Connected",
            Reason::Reconciling => "Reconciling",
            Reason::BackendNotReady => "BackendNotReady",
            Reason::DependencyNotReady => "DependencyNotReady",
            Reason::Throttled => "Throttled",
            Reason::BackendError => "BackendError",
            Reason::SweepFailing => "SweepFailing",
            Reason::Deleting => "Deleting",
            Reason::Planned => "Planned",
            Reason::ApprovalRequired => "ApprovalRequired",
            Reason::Paused => "Paused",
            Reason::Invalid => "Invalid",
            Reason::Unsupported => "Unsupported",
            Reason::Conflict => "Conflict",
            Reason::NotFound => "NotFound",
            Reason::Denied => "Denied",
            Reason::DeletionBlocked => "DeletionBlocked",
            Reason::Contested => "Contested",
            Reason::Vanished => "Vanished",
            Reason::Scheduled => "Scheduled",
            Reason::Expired => "Expired",
        }
    }

    /// Whether `Ready` is True with this reason.
    pub fn ready(self) -> bool {
        matches!(self, Reason::InSync | Reason::MissingSubjects | Reason::Connected)
    }

    /// Whether there are changes that Rolewright makes only after a user decides.
    pub fn withheld(self) -> bool {
        matches!(self, Reason::Planned | Reason::ApprovalRequired | Reason::Paused)
    }

    /// Whether a person should know: a user must fix something, or decide about something that nobody asked to wait.
    pub fn warns(self) -> bool {
        self.stalled() || self == Reason::ApprovalRequired
    }

    /// Whether the user must fix something.
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
                | Reason::Vanished
                | Reason::Expired
        )
    }

    /// Whether work is in progress or waits. Such an object has the kstatus condition `Reconciling`.
    pub fn reconciling(self) -> bool {
        matches!(
            self,
            Reason::Reconciling
                | Reason::BackendNotReady
                | Reason::DependencyNotReady
                | Reason::Throttled
                | Reason::BackendError
                | Reason::SweepFailing
                | Reason::Deleting
                | Reason::Scheduled
        )
    }
}

/// The type of the condition of a Backend whose credential expires soon.
pub const CREDENTIAL_EXPIRING: &str = "CredentialExpiring";

/// A credential has the condition from this time before its expiry on: two weeks.
const WARNING_PERIOD: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The condition of a Backend whose credential expires at `at`. None until two weeks before. `before` are the current conditions: the
/// transition time stays.
pub fn credential_expiring(
    at: Timestamp,
    generation: Option<i64>,
    before: &[Condition],
    now: Timestamp,
) -> Option<Condition> {
    let message = format!(
        "the credential expires at {at}: create a new one and put it into the Secret before that time"
    );
    (at.duration_since(now) < WARNING_PERIOD)
        .then(|| ends_soon(CREDENTIAL_EXPIRING, message, generation, before, now))
}

/// The type of the condition of a RoleBinding whose grants end within a day.
pub const EXPIRING: &str = "Expiring";

/// The condition of a RoleBinding whose grants end soon, at `at`. `before`: as for [`credential_expiring`].
pub fn grants_expiring(
    at: Timestamp,
    generation: Option<i64>,
    before: &[Condition],
    now: Timestamp,
) -> Condition {
    let message = format!("the grants end at {at}: to keep them, write a later time into spec.expiresAt");
    ends_soon(EXPIRING, message, generation, before, now)
}

fn ends_soon(
    type_: &str,
    message: String,
    generation: Option<i64>,
    before: &[Condition],
    now: Timestamp,
) -> Condition {
    let known = before.iter().find(|known| known.type_ == type_);
    Condition {
        type_: type_.to_owned(),
        status: "True".to_owned(),
        reason: "EndsSoon".to_owned(),
        message,
        observed_generation: generation,
        last_transition_time: known.map_or(Time(now), |known| known.last_transition_time.clone()),
    }
}

/// The type of the condition of a Backend that reports its last sweep.
pub const SYNCED: &str = "Synced";

/// Why the last sweep did not read an account completely.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SyncFailure<'a> {
    /// Nothing could be read.
    SweepFailing(&'a str),
    /// Some parts could not be read; the others were.
    PartlyRead(&'a str),
}

/// The condition of a Backend after a sweep. `failure`: why the account could not be read completely. The transition time shows since when.
pub fn synced(
    failure: Option<SyncFailure<'_>>,
    generation: Option<i64>,
    before: &[Condition],
    now: Timestamp,
) -> Condition {
    let (status, reason, message) = match failure {
        None => ("True", "SweepComplete", "the last sweep read the account completely"),
        Some(SyncFailure::SweepFailing(error)) => ("False", "SweepFailing", error),
        Some(SyncFailure::PartlyRead(parts)) => ("False", "PartlyRead", parts),
    };
    let known = before.iter().find(|known| known.type_ == SYNCED && known.status == status);
    Condition {
        type_: SYNCED.to_owned(),
        status: status.to_owned(),
        reason: reason.to_owned(),
        message: message.to_owned(),
        observed_generation: generation,
        last_transition_time: known.map_or(Time(now), |known| known.last_transition_time.clone()),
    }
}

/// Reason and message of the condition `Verified` when it is False.
const NOT_READABLE: (&str, &str) = (
    "NotReadable",
    "the back end does not show the permissions of the role: Rolewright assumes that it has those that were last applied",
);

/// The address of the documentation.
pub const DOCUMENTATION: &str = "https://rolewright.github.io/rolewright/";

/// The conditions for `reason`: `Ready`; `Stalled` (nothing changes until a user acts) or `Reconciling` according to the reason, with a link
/// to its part of the documentation; and `Verified` (False) if the object is ready but `unverified`. `before` are the current conditions: a condition with the same status keeps its transition time, so equal input
/// results in equal conditions and no write.
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
    let with_link = format!("{message} ({}reasons.html#{})", DOCUMENTATION, word.to_lowercase());
    // For tools that know kstatus: without this condition, they wait for a change that no controller makes.
    if reason.stalled() || reason.withheld() {
        conditions.push(make("Stalled", true, word, &with_link));
    }
    if reason.reconciling() {
        conditions.push(make("Reconciling", true, word, &with_link));
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
    fn only_conditions_beside_ready_link_to_the_reason() {
        for reason in Reason::ALL {
            let conditions =
                condition(reason, "because of x", Some(1), false, &[], at("2027-01-01T00:00:00Z"));
            assert_eq!(conditions[0].message, "because of x", "Ready is what people read in tables");
            assert_eq!(conditions.len() == 1, reason.ready());
            for beside in &conditions[1..] {
                let anchor = reason.as_str().to_lowercase();
                let link = "https://rolewright.github.io/rolewright/reasons.html";
                assert_eq!(beside.message, format!("because of x ({link}#{anchor})"));
            }
        }
    }

    #[test]
    fn expiring_credential_has_a_stable_condition_for_two_weeks() {
        let end = at("2027-01-31T18:00:00Z");
        assert_eq!(credential_expiring(end, Some(1), &[], at("2027-01-17T18:00:00Z")), None);
        let first = credential_expiring(end, Some(1), &[], at("2027-01-17T18:00:01Z")).expect("a warning");
        assert!(first.message.contains("2027-01-31T18:00:00Z") && first.status == "True", "{first:?}");
        for later in ["2027-01-20T00:00:00Z", "2027-02-01T00:00:00Z"] {
            assert_eq!(
                credential_expiring(end, Some(1), std::slice::from_ref(&first), at(later)),
                Some(first.clone())
            );
        }
    }

    #[test]
    fn synced_keeps_its_transition_time_while_sweeps_fail() {
        let failing = Some(SyncFailure::SweepFailing("no answer"));
        let first = synced(failing, None, &[], at("2027-01-01T00:00:00Z"));
        let partly = Some(SyncFailure::PartlyRead("a list failed"));
        let later = synced(partly, None, std::slice::from_ref(&first), at("2027-01-01T01:00:00Z"));
        assert_eq!((later.status.as_str(), later.reason.as_str()), ("False", "PartlyRead"));
        assert_eq!(later.last_transition_time, first.last_transition_time);
        let healed = synced(None, None, &[later], at("2027-01-01T02:00:00Z"));
        assert_eq!(
            (healed.status.as_str(), healed.last_transition_time.0),
            ("True", at("2027-01-01T02:00:00Z"))
        );
    }

    #[test]
    fn verified_is_false_only_on_ready_objects() {
        let types = |reason, unverified| {
            let conditions = condition(reason, "", None, unverified, &[], at("2027-01-01T00:00:00Z"));
            conditions.into_iter().map(|condition| (condition.type_, condition.status)).collect::<Vec<_>>()
        };
        let pair = |type_: &str, status: &str| (type_.to_owned(), status.to_owned());
        assert_eq!(types(Reason::InSync, true), [pair("Ready", "True"), pair("Verified", "False")]);
        assert_eq!(types(Reason::InSync, false), [pair("Ready", "True")]);
        assert_eq!(types(Reason::Denied, true), [pair("Ready", "False"), pair("Stalled", "True")]);
    }

    #[test]
    fn every_reason_that_is_not_ready_is_stalled_or_reconciling() {
        for reason in Reason::ALL {
            let conditions = condition(reason, "", None, false, &[], at("2027-01-01T00:00:00Z"));
            let others = conditions.iter().filter(|condition| condition.type_ != "Ready").count();
            assert_eq!(others, usize::from(!reason.ready()), "{reason:?}");
        }
    }
}
