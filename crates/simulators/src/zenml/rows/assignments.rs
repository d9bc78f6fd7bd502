//! The rows of role assignments (contract 2.2).

use serde::{Deserialize, Serialize};

use super::{ids::Uuid, principals::Principal};

/// A role that somebody holds somewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The role.
    pub role_id: Uuid,
    /// Who holds it.
    pub principal: Principal,
    /// The workspace, for roles of workspaces and projects.
    #[serde(default)]
    pub workspace_id: Option<Uuid>,
    /// The project, for roles of projects.
    #[serde(default)]
    pub project_id: Option<Uuid>,
}
