//! The rows of environments (contract 2.6).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{metadata::Metadata, names::Named};

/// An environment.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// Its name, which never changes.
    pub name: String,
    /// What people call it.
    pub display_name: String,
    /// Its identifier.
    pub id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// How much depends on it.
    pub tier: Tier,
    /// Texts by key.
    #[serde(default)]
    pub metadata: Metadata,
}

/// How much depends on an environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Tier {
    Development,
    Staging,
    Production,
}

impl Named for Environment {
    fn name(&self) -> &str {
        &self.name
    }
}
