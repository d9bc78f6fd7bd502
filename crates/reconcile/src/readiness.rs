//! Reason and message of the condition `Ready`. Pure.

use jiff::Timestamp;
use rolewright_api::Reason;
use rolewright_backends::{Class, Error};
use rolewright_core::planner::{Finding, Issue};

/// The longest message of a condition or an Event, in bytes.
pub const MAX_MESSAGE: usize = 1024;

/// The name of a finding that is about the membership of a RoleBinding and not about one subject.
pub const MEMBERSHIP: &str = "spec.membership";

/// The longest prefix of a text within this many bytes.
pub fn truncate(text: &str, max_bytes: usize) -> &str {
    &text[..text.floor_char_boundary(max_bytes)]
}

/// The reason and the message of an object's condition `Ready`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Readiness {
    /// The reason.
    pub reason: Reason,
    /// The message, within the limit of a condition.
    pub message: String,
}

impl Readiness {
    /// A reason with its message, which is cut to fit.
    pub fn new(reason: Reason, message: impl AsRef<str>) -> Self {
        Self { reason, message: truncate(message.as_ref(), MAX_MESSAGE).to_owned() }
    }

    /// After a failed call.
    pub fn of_error(error: &Error) -> Self {
        let reason = match error.class {
            Class::Invalid => Reason::Invalid,
            Class::Denied => Reason::Denied,
            Class::Unauthenticated => Reason::BackendNotReady,
            Class::Missing => Reason::NotFound,
            Class::Conflict => Reason::Conflict,
            Class::Throttled(_) => Reason::Throttled,
            Class::Lost | Class::Transient => Reason::BackendError,
            Class::Unsupported => Reason::Unsupported,
        };
        Self::new(reason, &error.message)
    }

    /// With the message of another problem at its end.
    #[must_use]
    pub fn and(self, other: Option<&Self>) -> Self {
        match other {
            Some(other) => Self::new(self.reason, format!("{}; also: {}", self.message, other.message)),
            None => self,
        }
    }

    /// For what no change can fix: the gravest finding decides the reason. None without findings. `is_awaited`: whether a finding is about a
    /// subject that the object waits for. Alone, such findings leave the object ready.
    pub fn of_findings(
        findings: &[Finding],
        desired: usize,
        is_awaited: impl Fn(&Finding) -> bool,
    ) -> Option<Self> {
        let gravity = |finding: &&Finding| (is_awaited(finding), finding.issue);
        let reason = match findings.iter().map(|finding| gravity(&finding)).min()? {
            (true, _) => Reason::MissingSubjects,
            (false, issue) => reason_of(issue),
        };
        let mut sorted: Vec<&Finding> = findings.iter().collect();
        sorted.sort_by_key(gravity);
        let lines: Vec<String> = sorted
            .iter()
            .take(5)
            .map(|finding| match &finding.name {
                Some(name) if !finding.message.contains(name.as_str()) => {
                    format!("{name}: {}", finding.message)
                }
                _ => finding.message.clone(),
            })
            .collect();
        let mut message = lines.join("; ");
        if findings.len() > lines.len() {
            message.push_str(&format!("; and {} more", findings.len() - lines.len()));
        }
        let of_subjects = findings.iter().filter_map(|finding| finding.name.as_deref());
        let count = of_subjects.filter(|name| *name != MEMBERSHIP).count();
        if count > 0 && desired > 1 {
            message = format!("{count} of {desired} subjects: {message}");
        }
        Some(Self::new(reason, message))
    }

    /// With remarks at the end of its message.
    #[must_use]
    pub fn remarking(self, remarks: &[String]) -> Self {
        let all: Vec<&str> = std::iter::once(&self.message).chain(remarks).map(String::as_str).collect();
        Self::new(self.reason, all.join("; "))
    }

    /// When everything is as the spec says.
    pub fn in_sync(desired: usize, kind: &str, remarks: &[String]) -> Self {
        let message = match (kind, desired) {
            ("Role", _) => "the role is as the spec says".to_owned(),
            // The remark on what stays open implies that the rest is closed.
            ("ResourceRestriction", _) if !remarks.is_empty() => String::new(),
            ("ResourceRestriction", _) => "the resource is restricted".to_owned(),
            ("Prune", _) => "nothing that the credential shows is to be removed".to_owned(),
            (_, 1) => "the subject has the role".to_owned(),
            (_, desired) => format!("all {desired} subjects have the role"),
        };
        Self::with(&message, remarks)
    }

    /// When everything is as the spec says, in words of the caller.
    pub fn with(message: &str, remarks: &[String]) -> Self {
        let all = std::iter::once(message).filter(|message| !message.is_empty());
        let all: Vec<&str> = all.chain(remarks.iter().map(String::as_str)).collect();
        Self::new(Reason::InSync, all.join("; "))
    }
}

fn reason_of(issue: Issue) -> Reason {
    match issue {
        Issue::Invalid => Reason::Invalid,
        Issue::Unsupported => Reason::Unsupported,
        Issue::Conflict => Reason::Conflict,
        Issue::NotFound => Reason::NotFound,
        Issue::NotVisible | Issue::Denied => Reason::Denied,
        Issue::Blocked => Reason::DeletionBlocked,
        Issue::Unread => Reason::BackendError,
        Issue::Waiting => Reason::DependencyNotReady,
    }
}

/// For a RoleBinding before `spec.startsAt`.
pub fn scheduled(at: Timestamp) -> Readiness {
    Readiness::new(Reason::Scheduled, format!("spec.startsAt: the grants start at {at}"))
}

/// For a RoleBinding after `spec.expiresAt`.
pub fn expired(at: Timestamp) -> Readiness {
    Readiness::new(
        Reason::Expired,
        format!(
            "spec.expiresAt: the grants ended at {at}. To make them again, write a later time; else delete this object"
        ),
    )
}

/// For an object whose external things others keep changing.
pub fn contested() -> Readiness {
    Readiness::new(
        Reason::Contested,
        "others keep changing what this object manages: drift was corrected three times within an hour, and the next corrections wait \
         longer each time. Find who or what else manages it",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn awaited_subjects_alone_leave_an_object_ready() {
        let of = |others: &[Issue]| {
            let finding = |name: &str, issue| Finding {
                name: Some(name.to_owned()),
                issue,
                message: format!("{name}: {issue:?}"),
            };
            let others = others.iter().map(|issue| finding("another", *issue));
            let findings: Vec<Finding> =
                [finding("zoe", Issue::NotFound)].into_iter().chain(others).collect();
            let is_awaited = |finding: &Finding| finding.name.as_deref() == Some("zoe");
            Readiness::of_findings(&findings, 2, is_awaited).expect("findings")
        };
        let missing = of(&[]);
        assert_eq!((missing.reason, missing.reason.ready()), (Reason::MissingSubjects, true));
        assert_eq!(missing.message, "1 of 2 subjects: zoe: NotFound");
        // Also those that are less urgent than a subject that is not found and not awaited.
        for issue in [Issue::Invalid, Issue::NotFound, Issue::Unread, Issue::Waiting] {
            let found = of(&[issue]);
            assert_eq!((found.reason, found.reason.ready()), (reason_of(issue), false));
            assert_eq!(found.message, format!("2 of 2 subjects: another: {issue:?}; zoe: NotFound"));
        }
        assert_eq!(Readiness::of_findings(&[], 2, |_| true), None);
    }
}
