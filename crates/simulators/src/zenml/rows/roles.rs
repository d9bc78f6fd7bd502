//! Roles (contract 2.1).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ids::Uuid, listed::Listed, permissions::Permissions};
use crate::kit::table::identified;

/// A predefined role, a custom role or a share role.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Role {
    pub id: Uuid,
    pub organization_id: Uuid,
    #[serde(default)]
    pub name: Option<String>,
    #[serde(default)]
    pub description: Option<String>,
    /// The scope that an assignment needs.
    pub level: Level,
    /// Whether the role is predefined.
    #[serde(default)]
    pub system_managed: bool,
    /// Normal or share role.
    #[serde(default, rename = "type")]
    pub kind: Kind,
    #[serde(default)]
    pub permissions: Permissions,
    /// The resource of a share role, such as `<project>:pipeline/<id>`.
    #[serde(default)]
    pub shared_resource: Option<String>,
    pub created: Timestamp,
}

identified!(Role, Uuid);

impl Listed for Role {
    fn created(&self) -> Timestamp {
        self.created
    }
}

/// The level of a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Level {
    Organization,
    Workspace,
    Project,
}

/// The values of `level`.
pub const LEVELS: [(&str, Level); 3] =
    [("organization", Level::Organization), ("workspace", Level::Workspace), ("project", Level::Project)];

/// The type of a role.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A predefined or custom role.
    #[default]
    Normal,
    /// A role that the server creates when a resource is shared.
    Share,
}

/// The values of `type`.
pub const KINDS: [(&str, Kind); 2] = [("normal", Kind::Normal), ("share", Kind::Share)];
