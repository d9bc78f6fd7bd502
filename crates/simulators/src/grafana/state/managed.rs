//! Permissions on single resources: setting and removing them (contract 2.5).

use super::tenant::{Kind, Tenant};
use crate::grafana::rows::{
    basic_role::BasicRole,
    managed::{ManagedPermission, ResourceKind, Subject},
    teams::TeamMember,
};

impl Tenant {
    /// Sets a subject's level on a resource. The empty level removes it.
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
            // A level on a team makes the user a member of it.
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

    /// Sets the permissions of a new resource: `Admin` for the creator, and lower levels for viewers and
    /// editors unless a folder passes on its own.
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

    /// Removes all permissions on a resource.
    pub fn forget_resource(&mut self, org_id: i64, resource: ResourceKind, resource_id: &str) {
        self.managed_permissions.retain(|row| {
            !(row.org_id == org_id && row.resource == resource && row.resource_id == resource_id)
        });
    }

    /// Removes all permissions of a subject.
    pub fn forget_subject(&mut self, subject: Subject) {
        self.managed_permissions.retain(|row| row.subject != subject);
    }
}
