//! Permissions on single resources, and their levels (contract 2.5).

use serde::{Deserialize, Serialize};

use super::basic_role::BasicRole;
use crate::kit::table::identified;

/// A subject has a level on a resource.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct ManagedPermission {
    pub id: i64,
    pub org_id: i64,
    pub resource: ResourceKind,
    /// The number of a service account or a team; the uid of any other resource.
    pub resource_id: String,
    pub subject: Subject,
    /// The level, such as `View`.
    pub permission: String,
}

identified!(ManagedPermission, i64);

/// A subject of permissions on a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Subject {
    /// A user or a service account.
    User(i64),
    /// A team.
    Team(i64),
    /// Everyone with this basic role or a higher one.
    BuiltInRole(BasicRole),
}

/// A kind of resource with permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names are the vendor's")]
pub enum ResourceKind {
    Dashboards,
    Folders,
    Datasources,
    ServiceAccounts,
    Teams,
    Receivers,
}

impl ResourceKind {
    /// Its name in paths, actions and scopes.
    pub fn name(self) -> &'static str {
        match self {
            Self::Dashboards => "dashboards",
            Self::Folders => "folders",
            Self::Datasources => "datasources",
            Self::ServiceAccounts => "serviceaccounts",
            Self::Teams => "teams",
            Self::Receivers => "receivers",
        }
    }

    /// The scope of one resource.
    pub fn scope(self, id: &str) -> String {
        let attribute = if matches!(self, Self::ServiceAccounts | Self::Teams) { "id" } else { "uid" };
        format!("{}:{attribute}:{id}", self.name())
    }

    /// The scope of all resources of the kind, in its longer form.
    pub fn wildcard(self) -> String {
        self.scope("*")
    }

    /// One of them, in messages.
    pub fn singular(self) -> &'static str {
        match self {
            Self::Dashboards => "Dashboard",
            Self::Folders => "folder",
            Self::Datasources => "Data source",
            Self::ServiceAccounts => "service account",
            Self::Teams => "Team",
            Self::Receivers => "receiver",
        }
    }

    /// The levels, the lowest first, with the actions that each adds to the lower ones.
    fn levels(self) -> &'static [(&'static str, &'static [&'static str])] {
        match self {
            Self::Dashboards => &[
                ("View", &["dashboards:read", "annotations:read"]),
                (
                    "Edit",
                    &[
                        "dashboards:write",
                        "dashboards:delete",
                        "annotations:create",
                        "annotations:write",
                        "annotations:delete",
                    ],
                ),
                ("Admin", &["dashboards.permissions:read", "dashboards.permissions:write"]),
            ],
            Self::Folders => &[
                ("View", &["folders:read", "dashboards:read", "alert.rules:read", "library.panels:read"]),
                (
                    "Edit",
                    &[
                        "folders:write",
                        "folders:create",
                        "folders:delete",
                        "dashboards:write",
                        "dashboards:create",
                        "dashboards:delete",
                        "alert.rules:create",
                        "alert.rules:write",
                        "alert.rules:delete",
                        "library.panels:create",
                        "library.panels:write",
                        "library.panels:delete",
                    ],
                ),
                (
                    "Admin",
                    &[
                        "folders.permissions:read",
                        "folders.permissions:write",
                        "dashboards.permissions:read",
                        "dashboards.permissions:write",
                    ],
                ),
            ],
            Self::Datasources => &[
                ("Query", &["datasources:query", "datasources:read"]),
                ("Edit", &["datasources:write", "datasources:delete"]),
                (
                    "Admin",
                    &[
                        "datasources.permissions:read",
                        "datasources.permissions:write",
                        "datasources.caching:read",
                        "datasources.caching:write",
                    ],
                ),
            ],
            Self::Teams => &[
                ("Member", &["teams:read"]),
                (
                    "Admin",
                    &["teams:write", "teams:delete", "teams.permissions:read", "teams.permissions:write"],
                ),
            ],
            Self::Receivers => &[
                ("View", &["alert.notifications.receivers:read"]),
                ("Edit", &["alert.notifications.receivers:write", "alert.notifications.receivers:delete"]),
                ("Admin", &["receivers.permissions:read", "receivers.permissions:write"]),
            ],
            Self::ServiceAccounts => &[
                ("Edit", &["serviceaccounts:read", "serviceaccounts:write"]),
                (
                    "Admin",
                    &[
                        "serviceaccounts:delete",
                        "serviceaccounts.permissions:read",
                        "serviceaccounts.permissions:write",
                    ],
                ),
            ],
        }
    }

    /// The names of the levels, the lowest first.
    pub fn permissions(self) -> impl Iterator<Item = &'static str> {
        self.levels().iter().map(|(name, _)| *name)
    }

    /// The position of a level, from 0 for the lowest. None if this kind does not have it.
    pub fn rank(self, permission: &str) -> Option<usize> {
        self.permissions().position(|name| name == permission)
    }

    /// The actions of a level, including those of lower ones.
    pub fn actions(self, permission: &str) -> Vec<&'static str> {
        let count = self.rank(permission).map_or(0, |rank| rank + 1);
        self.levels().iter().take(count).flat_map(|(_, actions)| actions.iter().copied()).collect()
    }

    /// Whether subjects of this kind can have a level on these resources.
    pub fn accepts(self, subject: Subject) -> bool {
        match (self, subject) {
            (_, Subject::User(_)) => true,
            (Self::Teams, _) | (Self::ServiceAccounts, Subject::BuiltInRole(_)) => false,
            _ => true,
        }
    }
}
