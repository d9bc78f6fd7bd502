//! The rows of roles (contract 2.1).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ids::Uuid, listed::Listed, permissions::Permissions};
use crate::kit::table::identified;

/// A role.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Role {
    /// Its identifier.
    pub id: Uuid,
    /// The organization.
    pub organization_id: Uuid,
    /// Its name.
    #[serde(default)]
    pub name: Option<String>,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Where it can be assigned.
    pub level: Level,
    /// Whether the vendor made it.
    #[serde(default)]
    pub system_managed: bool,
    /// Whether it is one that sharing a resource made.
    #[serde(default, rename = "type")]
    pub kind: Kind,
    /// What it permits.
    #[serde(default)]
    pub permissions: Permissions,
    /// The resource that a share role is about, such as `<project>:pipeline/<id>`.
    #[serde(default)]
    pub shared_resource: Option<String>,
    /// When it was made.
    pub created: Timestamp,
}

identified!(Role, Uuid);

impl Listed for Role {
    fn created(&self) -> Timestamp {
        self.created
    }
}

/// Where a role can be assigned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Level {
    Organization,
    Workspace,
    Project,
}

/// The vendor's words for levels.
pub const LEVELS: [(&str, Level); 3] =
    [("organization", Level::Organization), ("workspace", Level::Workspace), ("project", Level::Project)];

/// Where a role comes from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Made as a role.
    #[default]
    Normal,
    /// Made by sharing a resource.
    Share,
}

/// The vendor's words for kinds of roles.
pub const KINDS: [(&str, Kind); 2] = [("normal", Kind::Normal), ("share", Kind::Share)];
