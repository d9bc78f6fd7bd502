//! Projects (contract 2.3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ids::Uuid, listed::Listed};
use crate::kit::table::identified;

/// A project of a workspace. Workspace servers create projects; the control plane uses them as scopes.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Project {
    pub id: Uuid,
    pub workspace_id: Uuid,
    /// Unique in the workspace.
    pub name: String,
    pub created: Timestamp,
}

identified!(Project, Uuid);

impl Listed for Project {
    fn created(&self) -> Timestamp {
        self.created
    }
}
