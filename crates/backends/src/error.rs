//! What a call to a back end can come to. The class decides what happens next; the message is for the user.

use std::{fmt, time::Duration};

use rolewright_core::model::{Named, RoleRef};

/// The classes of failure. Each has one consequence, whatever the vendor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Class {
    /// The request can never succeed as the spec stands: the user has to change it.
    Invalid,
    /// The credential may not do this to this thing.
    Denied,
    /// The credential is not accepted at all: the Backend's matter, not the object's.
    Unauthenticated,
    /// What the request names is not there, or hidden.
    Missing,
    /// Something with the same identity is there already, or something else depends on the thing.
    Conflict,
    /// Too many calls: none for this tenant before this time has passed.
    Throttled(Duration),
    /// The write may have been made or not: the answer was lost. Look before trying again.
    Lost,
    /// Trying again later may help, and does no harm.
    Transient,
    /// The back end does not have this function, or it is switched off.
    Unsupported,
}

impl Class {
    /// Whether the back end answered, and said no: asking again as it is gives the same.
    pub fn is_refusal(self) -> bool {
        matches!(self, Class::Invalid | Class::Denied | Class::Missing | Class::Conflict | Class::Unsupported)
    }

    /// Whether the back end objects to what was asked, by whichever status: which one stands for what, vendors do not document.
    pub fn is_objection(self) -> bool {
        matches!(self, Class::Invalid | Class::Conflict)
    }

    /// Whether the back end kept something from this credential, or does not have it: the rest can be read without it.
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

/// A failed call. The message is bounded, holds only fields of the vendor's own error schema, and never a credential.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// What happens next.
    pub class: Class,
    /// What the user is told.
    pub message: String,
}

impl Error {
    /// An error of a class.
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self { class, message: message.into() }
    }

    /// Something that no plan should ask for. Nothing was sent.
    pub fn mistake(what: impl fmt::Display) -> Self {
        Self::new(Class::Invalid, format!("a mistake in Rolewright, please report it: {what}"))
    }
}

/// The role of a grant that is to be written.
///
/// # Errors
/// A mistake, where it is only planned: what depends on it is not carried out before it.
pub fn existing(role: &RoleRef) -> Result<&Named, Error> {
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
