//! Roles (contract 2.1).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{metadata::Metadata, names::Named, policy::Statement};

/// A role.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Role {
    /// A resource name, which never changes.
    pub name: String,
    pub display_name: String,
    #[serde(default)]
    pub description: String,
    /// Opaque; a role that is created again has another one.
    pub id: String,
    pub created_at: Timestamp,
    /// In the order of the request, with duplicates.
    #[serde(default)]
    pub policy: Vec<Statement>,
    #[serde(default)]
    pub metadata: Metadata,
}

impl Named for Role {
    fn name(&self) -> &str {
        &self.name
    }
}
