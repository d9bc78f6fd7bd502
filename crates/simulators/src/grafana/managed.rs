//! Permissions on single resources: the levels that users, teams and basic roles have there (contract 2.5).

use serde::{Deserialize, Serialize};

use super::{
    basic_role::BasicRole,
    state::{Kind, Tenant},
    teams::TeamMember,
};
use crate::kit::table::identified;

/// What somebody may do on a resource.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManagedPermission {
    /// Its number.
    pub id: i64,
    /// The organization.
    pub org_id: i64,
    /// The kind of resource.
    pub resource: ResourceKind,
    /// The uid of the resource, the number of a service account or a team.
    pub resource_id: String,
    /// Who has it.
    pub subject: Subject,
    /// The level, such as `View`.
    pub permission: String,
}

identified!(ManagedPermission, i64);

/// Who has a permission on a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Subject {
    /// A user or a service account.
    User(i64),
    /// A team.
    Team(i64),
    /// Everybody with this basic role, or a greater one.
    BuiltInRole(BasicRole),
}

/// A kind of resource that has permissions.
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
    /// Its name in paths and actions.
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

    /// The levels, the least first, with the actions that each adds.
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

    /// The names of the levels, the least first.
    pub fn permissions(self) -> impl Iterator<Item = &'static str> {
        self.levels().iter().map(|(name, _)| *name)
    }

    /// How much a level is, from 0; none for no level of this kind.
    pub fn rank(self, permission: &str) -> Option<usize> {
        self.permissions().position(|name| name == permission)
    }

    /// What a level permits, lesser ones included.
    pub fn actions(self, permission: &str) -> Vec<&'static str> {
        let count = self.rank(permission).map_or(0, |rank| rank + 1);
        self.levels().iter().take(count).flat_map(|(_, actions)| actions.iter().copied()).collect()
    }

    /// Whether somebody of this sort can have levels here.
    pub fn takes(self, subject: Subject) -> bool {
        match (self, subject) {
            (_, Subject::User(_)) => true,
            (Self::Teams, _) | (Self::ServiceAccounts, Subject::BuiltInRole(_)) => false,
            _ => true,
        }
    }
}

impl Tenant {
    /// Gives somebody a level on a resource, in place of the one before; the empty one takes it away.
    pub fn set_permission(
        &mut self,
        org_id: i64,
        (resource, resource_id): (ResourceKind, &str),
        subject: Subject,
        permission: &str,
    ) {
        self.managed_permissions.retain(|row| {
            !(row.org_id == org_id
                && row.resource == resource
                && row.resource_id == resource_id
                && row.subject == subject)
        });
        if let (ResourceKind::Teams, Subject::User(user_id), Ok(team_id)) =
            (resource, subject, resource_id.parse())
        {
            // Having a level on a team is being a member of it.
            let member = TeamMember { team_id, user_id };
            self.team_members.retain(|known| *known != member);
            self.team_members.extend((!permission.is_empty()).then_some(member));
        }
        if !permission.is_empty() {
            let id = self.issue(Kind::ManagedPermission);
            self.managed_permissions.insert(ManagedPermission {
                id,
                org_id,
                resource,
                resource_id: resource_id.to_owned(),
                subject,
                permission: permission.to_owned(),
            });
        }
    }

    /// What the vendor gives on a new resource: the creator everything and, unless a folder passes its own on,
    /// everybody something.
    pub fn set_default_permissions(
        &mut self,
        org_id: i64,
        resource: (ResourceKind, &str),
        creator: Option<i64>,
        is_nested: bool,
    ) {
        if let Some(creator) = creator {
            self.set_permission(org_id, resource, Subject::User(creator), "Admin");
        }
        let (viewers, editors) = match resource.0 {
            ResourceKind::Dashboards | ResourceKind::Folders | ResourceKind::Receivers if !is_nested => {
                ("View", "Edit")
            }
            ResourceKind::Datasources => ("Query", "Query"),
            _ => return,
        };
        self.set_permission(org_id, resource, Subject::BuiltInRole(BasicRole::Viewer), viewers);
        self.set_permission(org_id, resource, Subject::BuiltInRole(BasicRole::Editor), editors);
    }

    /// Forgets all permissions on a resource that is gone.
    pub fn forget_resource(&mut self, org_id: i64, resource: ResourceKind, resource_id: &str) {
        self.managed_permissions.retain(|row| {
            !(row.org_id == org_id && row.resource == resource && row.resource_id == resource_id)
        });
    }

    /// Forgets all permissions of somebody who is gone.
    pub fn forget_subject(&mut self, subject: Subject) {
        self.managed_permissions.retain(|row| row.subject != subject);
    }
}
