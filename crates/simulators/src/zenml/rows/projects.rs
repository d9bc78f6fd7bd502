//! The rows of projects (contract 2.3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ids::Uuid, listed::Listed};
use crate::kit::table::identified;

/// A project.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Its identifier.
    pub id: Uuid,
    /// The workspace.
    pub workspace_id: Uuid,
    /// Its name, unique in the workspace.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
}

identified!(Project, Uuid);

impl Listed for Project {
    fn created(&self) -> Timestamp {
        self.created
    }
}
