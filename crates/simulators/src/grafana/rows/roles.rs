//! Roles (contract 2.1, 3.3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::permissions::Permission;
use crate::kit::table::identified;

/// A role.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Role {
    /// No path shows it.
    pub id: i64,
    /// Unique on the server.
    pub uid: String,
    /// 0 for a global role.
    #[serde(default)]
    pub org_id: i64,
    #[serde(default)]
    pub version: i64,
    /// Unique in the organization.
    pub name: String,
    #[serde(default)]
    pub display_name: String,
    #[serde(default)]
    pub description: String,
    /// The heading above it in the user interface.
    #[serde(default)]
    pub group: String,
    /// Whether lists omit it.
    #[serde(default)]
    pub hidden: bool,
    /// In the order of the request.
    #[serde(default)]
    pub permissions: Vec<Permission>,
    pub created: Timestamp,
    pub updated: Timestamp,
}

identified!(Role, i64);

/// The kind of a role (contract 3.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleKind {
    /// Comes with the server; assignable.
    Fixed,
    /// Comes with a plugin; assignable.
    Plugin,
    /// The permissions of a basic role of an organization; not assignable.
    Basic,
    /// Permissions on single resources; never shown.
    Managed,
    /// Belongs to an external service; not assignable.
    ExternalService,
    /// Made by users; assignable.
    Custom,
}

impl RoleKind {
    const RESERVED: [(Self, &str, &str); 5] = [
        (Self::Fixed, "fixed:", "fixed_"),
        (Self::Plugin, "plugins:", "plugins_"),
        (Self::Basic, "basic:", "basic_"),
        (Self::Managed, "managed:", "managed_"),
        (Self::ExternalService, "extsvc:", "extsvc_"),
    ];

    /// The kind of a role with this name.
    pub fn of_name(name: &str) -> Self {
        let reserved = Self::RESERVED.into_iter().find(|(_, prefix, _)| name.starts_with(prefix));
        reserved.map_or(Self::Custom, |(kind, _, _)| kind)
    }

    /// Whether a uid has a prefix that custom roles cannot have.
    pub fn reserves_uid(uid: &str) -> bool {
        Self::RESERVED.into_iter().any(|(_, _, prefix)| uid.starts_with(prefix))
    }
}

impl Role {
    /// Its kind: by its name, and for two kinds also by its uid (contract 3.3).
    pub fn kind(&self) -> RoleKind {
        match RoleKind::of_name(&self.name) {
            RoleKind::Custom if self.uid.starts_with("basic_") => RoleKind::Basic,
            RoleKind::Custom if self.uid.starts_with("extsvc_") => RoleKind::ExternalService,
            kind => kind,
        }
    }

    /// Whether it exists in all organizations.
    pub fn is_global(&self) -> bool {
        self.org_id == 0
    }

    /// Whether it exists in an organization.
    pub fn is_in(&self, org: i64) -> bool {
        self.is_global() || self.org_id == org
    }
}
