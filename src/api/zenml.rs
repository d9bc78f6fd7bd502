//! What only ZenML Pro has: its block of a Role.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What only a ZenML role has.
#[derive(Clone, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ZenmlRole {
    /// Where the role can be given: Workspace, on workspaces; or Project, on projects of a workspace. Cannot be changed.
    pub level: ZenmlLevel,
}

/// The levels that custom roles can be of.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, PartialEq, Eq, JsonSchema)]
pub enum ZenmlLevel {
    /// It is given on a workspace.
    Workspace,
    /// It is given on a project of a workspace.
    Project,
}

impl ZenmlRole {
    /// Its fields by name.
    pub(super) fn settings(&self) -> BTreeMap<String, String> {
        let level = match self.level {
            ZenmlLevel::Workspace => "workspace",
            ZenmlLevel::Project => "project",
        };
        BTreeMap::from([("level".to_owned(), level.to_owned())])
    }
}
