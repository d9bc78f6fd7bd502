//! API keys and personal access tokens (contract 1.2).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ids::Uuid;
use crate::kit::table::identified;

/// The first characters of each key.
const PREFIX: &str = "ZENPROKEY_";

/// An API key of a service account, or a personal access token of a user.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct ApiKey {
    pub id: Uuid,
    /// The service account or user that the key acts as.
    pub user_id: Uuid,
    /// Unique among the keys of the user.
    pub name: String,
    pub is_active: bool,
    /// When the key expires; never if absent.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    pub created: Timestamp,
}

identified!(ApiKey, Uuid);

impl ApiKey {
    /// The secret. It is the same in every run and easy to guess, because it protects only a simulator.
    pub fn secret(&self) -> String {
        let digest = Sha256::digest(self.id.to_string());
        format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(digest))
    }
}
