//! Workspaces (contract 2.3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ids::Uuid, listed::Listed};
use crate::kit::table::identified;

/// A workspace of an organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Workspace {
    pub id: Uuid,
    pub organization_id: Uuid,
    /// Unique in the organization.
    pub name: String,
    #[serde(default)]
    pub display_name: Option<String>,
    pub status: Status,
    pub created: Timestamp,
    pub updated: Timestamp,
}

identified!(Workspace, Uuid);

impl Listed for Workspace {
    fn created(&self) -> Timestamp {
        self.created
    }
}

/// The status of a workspace's server.
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
    /// The URL of the workspace's own server, which does not exist.
    pub fn url(&self) -> String {
        format!("https://{}-zenml.workspaces.example.com", &self.id.to_string()[..8])
    }
}
