//! A problem that no change of a plan fixes.

use crate::model::Fault;

/// Why a desired item cannot be satisfied, or a managed thing cannot be removed.
///
/// Ordered by urgency: of several problems, the smallest issue is the one to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Issue {
    /// The spec is wrong.
    Invalid,
    /// The back end does not have this function.
    Unsupported,
    /// The ClusterBackend does not allow it.
    Denied,
    /// Another object or an unmanaged thing is in the way.
    Conflict,
    /// A name refers to nothing that the credential can read.
    NotFound,
    /// A thing is missing from the snapshot, but its absence is not proven.
    NotVisible,
    /// A thing cannot be deleted while others depend on it.
    Blocked,
    /// A call that would show the thing failed, so it is unknown.
    Unread,
    /// Another object must act first, and will.
    Waiting,
}

/// An issue with a message for the user: what failed, why, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The kind of problem.
    pub issue: Issue,
    /// The message for the status.
    pub message: String,
}

impl Problem {
    /// A problem with its message.
    pub fn new(issue: Issue, message: impl Into<String>) -> Self {
        Self { issue, message: message.into() }
    }

    /// The problem of a spec with these faults, with the messages of the first ones.
    pub fn of_faults(faults: &[Fault]) -> Self {
        const SHOWN: usize = 5;
        let lines = faults.iter().take(SHOWN).map(|fault| format!("{}: {}", fault.field, fault.message));
        let mut text = lines.collect::<Vec<_>>().join("; ");
        if faults.len() > SHOWN {
            text.push_str(&format!("; and {} more", faults.len() - SHOWN));
        }
        Self::new(Issue::Invalid, text)
    }

    /// The same problem, with the field of the spec that has it.
    #[must_use]
    pub fn of_field(self, field: &str) -> Self {
        Self { message: format!("{field}: {}", self.message), ..self }
    }
}
