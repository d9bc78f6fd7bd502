//! The rights of a credential.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::grafana::rows::permissions::Permissions;

/// What a credential can see and do. It is a token of one organization or, with `user_id`, a user with a
/// password (contract 1.1).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grant {
    /// The user whose `login:password` the secret is. If absent, the secret is a bearer token.
    pub user_id: Option<i64>,
    /// The organization of a token; the first one if absent.
    pub org_id: i64,
    /// The service account that a token acts as.
    pub service_account_id: Option<i64>,
    /// Exactly these permissions. If absent, those of the user or service account.
    pub permissions: Option<Permissions>,
    /// Whether the token was revoked.
    pub revoked: bool,
    /// When the token expires.
    pub expires_at: Option<Timestamp>,
}

impl Default for Grant {
    fn default() -> Self {
        Self {
            user_id: None,
            org_id: 1,
            service_account_id: None,
            permissions: None,
            revoked: false,
            expires_at: None,
        }
    }
}

impl Grant {
    /// A token of a service account.
    pub fn of_service_account(id: i64, org_id: i64) -> Self {
        Self { service_account_id: Some(id), org_id, ..Self::default() }
    }

    /// A user with a password.
    pub fn of_user(id: i64) -> Self {
        Self { user_id: Some(id), ..Self::default() }
    }
}
