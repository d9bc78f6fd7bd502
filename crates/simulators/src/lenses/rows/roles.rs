//! The rows of roles (contract 2.1).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{metadata::Metadata, names::Named, policy::Statement};

/// A role.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Its name, which never changes.
    pub name: String,
    /// What people call it.
    pub display_name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Its identifier: another one if it was deleted and made again.
    pub id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// What it allows and denies.
    #[serde(default)]
    pub policy: Vec<Statement>,
    /// Texts by key.
    #[serde(default)]
    pub metadata: Metadata,
}

impl Named for Role {
    fn name(&self) -> &str {
        &self.name
    }
}
