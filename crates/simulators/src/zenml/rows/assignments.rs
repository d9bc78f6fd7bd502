//! Role assignments (contract 2.2).

use serde::{Deserialize, Serialize};

use super::{ids::Uuid, principals::Principal};

/// A role of a principal in a scope. An assignment has no identifier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assignment {
    /// The assigned role.
    pub role_id: Uuid,
    /// The principal that has the role.
    pub principal: Principal,
    /// The workspace, for roles of the levels workspace and project.
    #[serde(default)]
    pub workspace_id: Option<Uuid>,
    /// The project, for roles of the level project.
    #[serde(default)]
    pub project_id: Option<Uuid>,
}
