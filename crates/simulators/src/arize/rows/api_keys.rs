//! User keys and service keys (contract 2.7).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::Id;
use crate::kit::table::identified;

/// A user key or a service key, without its secret.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct ApiKey {
    /// Stays the same when the key is refreshed.
    pub id: Id,
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    pub status: KeyStatus,
    pub created_at: Timestamp,
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    pub created_by_user_id: Id,
    /// The user that a service key acts as; none for a user key.
    #[serde(default)]
    pub bot_user_id: Option<Id>,
    /// How often the key was refreshed. Part of the secret, so each refresh makes a new one.
    #[serde(default)]
    pub refreshes: u32,
}

identified!(ApiKey, Id);

impl ApiKey {
    /// The user that the key acts as.
    pub fn owner(&self) -> Id {
        self.bot_user_id.unwrap_or(self.created_by_user_id)
    }
}

/// Whether a key is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names say it")]
pub enum KeyStatus {
    Active,
    Revoked,
}
