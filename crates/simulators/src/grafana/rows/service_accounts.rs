//! Service accounts and their tokens (contract 1.1, 2.6).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::basic_role::BasicRole;
use crate::kit::table::identified;

/// A service account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct ServiceAccount {
    /// From the same sequence as the numbers of users.
    pub id: i64,
    pub uid: String,
    pub org_id: i64,
    /// Unique in the organization.
    pub name: String,
    /// Derived from the first name.
    pub login: String,
    pub role: BasicRole,
    /// Whether its tokens are refused.
    #[serde(default)]
    pub is_disabled: bool,
    pub created: Timestamp,
}

identified!(ServiceAccount, i64);

/// A token of a service account. Only the credentials have its secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Token {
    pub id: i64,
    pub service_account_id: i64,
    /// Unique for the service account.
    pub name: String,
    pub created: Timestamp,
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

identified!(Token, i64);
