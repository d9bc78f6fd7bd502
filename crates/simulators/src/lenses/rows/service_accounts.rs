//! Service accounts (contract 2.4).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{metadata::Metadata, names::Named};

/// A service account. It has one token.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct ServiceAccount {
    /// A resource name, which never changes.
    pub name: String,
    pub display_name: String,
    #[serde(default)]
    pub description: String,
    pub id: String,
    pub created_at: Timestamp,
    /// The time of the last call.
    #[serde(default)]
    pub last_seen_at: Option<Timestamp>,
    /// The number of its token. Credentials with another number are refused.
    pub token: u64,
    /// When the token expires; never if absent.
    #[serde(default)]
    pub token_expires_at: Option<Timestamp>,
    /// Whether the account can do everything, independent of roles (contract 1.2).
    #[serde(default)]
    pub is_admin: bool,
    #[serde(default)]
    pub metadata: Metadata,
}

impl Named for ServiceAccount {
    fn name(&self) -> &str {
        &self.name
    }
}

impl ServiceAccount {
    /// A service account without metadata and admin rights, whose token does not expire.
    pub fn new(name: &str, display_name: &str, id: String, created_at: Timestamp, token: u64) -> Self {
        Self {
            name: name.to_owned(),
            display_name: display_name.to_owned(),
            description: String::new(),
            id,
            created_at,
            last_seen_at: None,
            token,
            token_expires_at: None,
            is_admin: false,
            metadata: Metadata::new(),
        }
    }

    /// Whether the token is expired at this time.
    pub fn is_token_expired(&self, now: Timestamp) -> bool {
        self.token_expires_at.is_some_and(|end| end <= now)
    }
}
