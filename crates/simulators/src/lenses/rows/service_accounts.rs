//! The rows of service accounts (contract 2.4).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{metadata::Metadata, names::Named};

/// A service account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccount {
    /// Its name, which never changes.
    pub name: String,
    /// What people call it.
    pub display_name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Its identifier.
    pub id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it last called.
    #[serde(default)]
    pub last_seen_at: Option<Timestamp>,
    /// The number of its token; credentials with another number are refused.
    pub token: u64,
    /// When the token ends; never if absent.
    #[serde(default)]
    pub token_expires_at: Option<Timestamp>,
    /// Whether everything is permitted, whatever roles say.
    #[serde(default)]
    pub is_admin: bool,
    /// Texts by key.
    #[serde(default)]
    pub metadata: Metadata,
}

impl Named for ServiceAccount {
    fn name(&self) -> &str {
        &self.name
    }
}

impl ServiceAccount {
    /// A service account of this name, with nothing more.
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

    /// Whether the token is refused at this time.
    pub fn is_token_expired(&self, now: Timestamp) -> bool {
        self.token_expires_at.is_some_and(|end| end <= now)
    }
}
