//! The rows of workspaces (contract 2.3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ids::Uuid, listed::Listed};
use crate::kit::table::identified;

/// A workspace.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workspace {
    /// Its identifier.
    pub id: Uuid,
    /// The organization.
    pub organization_id: Uuid,
    /// Its name, unique in the organization.
    pub name: String,
    /// The name that people see.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Whether it runs.
    pub status: Status,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
}

identified!(Workspace, Uuid);

impl Listed for Workspace {
    fn created(&self) -> Timestamp {
        self.created
    }
}

/// Whether a workspace runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Status {
    NotInitialized,
    Pending,
    Available,
    Failed,
    Deactivated,
    Deleted,
}

impl Workspace {
    /// Where its own server would be.
    pub fn url(&self) -> String {
        format!("https://{}-zenml.workspaces.example.com", &self.id.to_string()[..8])
    }
}
