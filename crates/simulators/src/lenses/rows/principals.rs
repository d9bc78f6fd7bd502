//! Principals: users and service accounts.

use serde::{Deserialize, Serialize};

use super::kind::Kind;

/// A user or a service account.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Principal {
    /// User or service account.
    pub kind: PrincipalKind,
    /// The name of the user or service account.
    pub name: String,
}

/// The kind of a principal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names say it")]
pub enum PrincipalKind {
    User,
    ServiceAccount,
}

impl PrincipalKind {
    /// Both kinds. A name that both have means the user.
    pub const ALL: [Self; 2] = [Self::User, Self::ServiceAccount];

    /// The kind of the principal's row.
    pub fn kind(self) -> Kind {
        match self {
            Self::User => Kind::User,
            Self::ServiceAccount => Kind::ServiceAccount,
        }
    }
}

impl Principal {
    /// A user.
    pub fn user(name: impl Into<String>) -> Self {
        Self { kind: PrincipalKind::User, name: name.into() }
    }

    /// A service account.
    pub fn service_account(name: impl Into<String>) -> Self {
        Self { kind: PrincipalKind::ServiceAccount, name: name.into() }
    }
}
