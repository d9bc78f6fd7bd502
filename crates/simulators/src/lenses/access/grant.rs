//! The access of a credential (contract 1.2).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::lenses::rows::{
    policy::Statement,
    principals::{Principal, PrincipalKind},
};

/// The access of a service account's token, or of a user's session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grant {
    /// The service account that the token acts as.
    pub service_account: Option<String>,
    /// The number of the account's token. The credential ends when that token is renewed or expires. If absent, it does
    /// not.
    pub token: Option<u64>,
    /// The user of the session.
    pub user: Option<String>,
    /// Exactly these statements. If absent: those of the principal's groups.
    pub policy: Option<Vec<Statement>>,
    /// When the credential ends.
    pub expires_at: Option<Timestamp>,
}

impl Grant {
    /// A token of a service account.
    pub fn of_service_account(name: impl Into<String>) -> Self {
        Self { service_account: Some(name.into()), ..Self::default() }
    }

    /// A session of a user.
    pub fn of_user(name: impl Into<String>) -> Self {
        Self { user: Some(name.into()), ..Self::default() }
    }

    /// The service account, or else the user.
    pub fn principal(&self) -> Option<Principal> {
        let account = self.service_account.as_ref().map(|name| (PrincipalKind::ServiceAccount, name));
        let named = account.or_else(|| self.user.as_ref().map(|name| (PrincipalKind::User, name)));
        named.map(|(kind, name)| Principal { kind, name: name.clone() })
    }
}
