//! Failures of calls to a back end. The class decides what happens next; the message is for the user.

use std::{fmt, time::Duration};

use rolewright_core::model::{Named, RoleRef};

/// The classes of failures. Each has one consequence, whatever the vendor: see [`Backend`](crate::Backend).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The request cannot succeed as the spec is: the user has to change it.
    Invalid,
    /// The credential may not do this to this thing.
    Denied,
    /// The back end does not accept the credential at all. This concerns the Backend, not the object.
    Unauthenticated,
    /// What the request names is deleted or hidden.
    Missing,
    /// A thing with the same identity exists, or something depends on the thing.
    Conflict,
    /// Too many calls: no calls to this account for this long.
    Throttled(Duration),
    /// The answer to a write was lost: it was executed or not. Look before you try again.
    Lost,
    /// Temporary: a later try can succeed and does no harm.
    Transient,
    /// The back end does not have this function, or it is switched off.
    Unsupported,
}

impl Class {
    /// Whether the back end answered with a refusal: the same request gets the same answer.
    pub fn is_refusal(self) -> bool {
        matches!(self, Class::Invalid | Class::Denied | Class::Missing | Class::Conflict | Class::Unsupported)
    }

    /// Whether the back end objects to the content of the request. Vendors do not document which of these statuses they use.
    pub fn is_objection(self) -> bool {
        matches!(self, Class::Invalid | Class::Conflict)
    }

    /// Whether the back end does not show something to this credential, or does not have it. Everything else is still readable.
    pub fn is_withheld(self) -> bool {
        matches!(self, Class::Denied | Class::Missing | Class::Unsupported)
    }

    /// A word for metrics and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Class::Invalid => "invalid",
            Class::Denied => "denied",
            Class::Unauthenticated => "unauthenticated",
            Class::Missing => "missing",
            Class::Conflict => "conflict",
            Class::Throttled(_) => "throttled",
            Class::Lost => "lost",
            Class::Transient => "transient",
            Class::Unsupported => "unsupported",
        }
    }
}

/// A failed call. The message is bounded and contains only fields of the vendor's error schema, never a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What happens next.
    pub class: Class,
    /// What the user reads.
    pub message: String,
    /// The answer was longer than any valid one: a request for less can succeed.
    pub oversized: bool,
}

impl Error {
    /// An error of a class.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), oversized: false }
    }

    /// The error of a request that no plan may contain. Nothing was sent.
    pub fn mistake(what: impl fmt::Display) -> Self {
        Self::new(Class::Invalid, format!("a mistake in Rolewright, please report it: {what}"))
    }
}

/// The role of a grant that is about to be written.
///
/// # Errors
/// A mistake if the role is only planned: the role's own create comes first.
pub fn existing_role(role: &RoleRef) -> Result<&Named, Error> {
    role.existing().ok_or_else(|| {
        Error::mistake(format!("a grant of the role {:?}, which does not exist yet", role.name()))
    })
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}
