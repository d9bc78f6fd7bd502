//! The rows of keys of accounts and users (contract 1.2, 2.3).

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::ids::Uuid;
use crate::kit::table::identified;

/// What keys begin with.
const PREFIX: &str = "ZENPROKEY_";

/// An API key of a service account, or a personal access token.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// Its identifier.
    pub id: Uuid,
    /// The account or user that it acts as.
    pub user_id: Uuid,
    /// Its name, unique among the keys of its user.
    pub name: String,
    /// Whether it is good.
    pub is_active: bool,
    /// When it ends.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created: Timestamp,
}

identified!(ApiKey, Uuid);

impl ApiKey {
    /// The same in every run, and easy to guess: it guards nothing but a simulator.
    pub fn secret(&self) -> String {
        let digest = Sha256::digest(self.id.to_string());
        format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(digest))
    }
}
