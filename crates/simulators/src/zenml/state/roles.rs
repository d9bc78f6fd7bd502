//! Roles: the predefined roles of each organization (contract 3.1), and custom roles.
//!
//! The vendor does not publish the permissions of the predefined roles. Here they follow the names.

use jiff::{Timestamp, ToSpan};

use super::tenant::Tenant;
use crate::zenml::rows::{
    assignments::Assignment,
    ids::Uuid,
    permissions::{ACTIONS, Permissions, RESOURCES, on},
    principals::Principal,
    roles::{Kind, Level, Role},
};

/// The predefined role that the owner of an organization cannot lose.
pub const ADMIN_ROLE: &str = "Organization Admin";

/// Level and name of each predefined role.
pub const PREDEFINED: [(Level, &str); 14] = [
    (Level::Organization, "Organization Admin"),
    (Level::Organization, "Organization Manager"),
    (Level::Organization, "Organization Viewer"),
    (Level::Organization, "Billing Admin"),
    (Level::Organization, "Organization Member"),
    (Level::Workspace, "Workspace Admin"),
    (Level::Workspace, "Workspace Developer"),
    (Level::Workspace, "Workspace Contributor"),
    (Level::Workspace, "Workspace Viewer"),
    (Level::Workspace, "Stack Admin"),
    (Level::Project, "Project Admin"),
    (Level::Project, "Project Developer"),
    (Level::Project, "Project Contributor"),
    (Level::Project, "Project Viewer"),
];

/// Resource types outside projects (contract 2.1).
const SHARED: [&str; 7] =
    ["flavor", "secret", "service_connector", "stack", "stack_component", "tag", "service_account"];

const STACKS: [&str; 4] = ["flavor", "service_connector", "stack", "stack_component"];

fn permissions_of(level: Level, name: &str) -> Permissions {
    let of_projects = || RESOURCES.into_iter().filter(|kind| !SHARED.contains(kind)).collect::<Vec<_>>();
    let kinds = if level == Level::Project { of_projects() } else { RESOURCES.to_vec() };
    match name.rsplit(' ').next() {
        _ if name == "Stack Admin" => on(&STACKS, &["create", "read", "update", "delete"]),
        Some("Admin") if name != "Billing Admin" => on(&kinds, &ACTIONS),
        Some("Developer") => on(&kinds, &["create", "read", "update", "delete", "client", "promote"]),
        Some("Contributor") => on(&kinds, &["create", "read", "update", "client"]),
        Some("Viewer") => on(&kinds, &["read"]),
        _ => Permissions::new(),
    }
}

impl Tenant {
    /// Adds the predefined roles to an organization.
    pub fn add_predefined_roles(&mut self, organization_id: Uuid, start: Timestamp) {
        let mut created = start;
        for (level, name) in PREDEFINED {
            created += 1.microsecond();
            let id = self.issue();
            self.roles.insert(Role {
                id,
                organization_id,
                name: Some(name.to_owned()),
                description: Some(format!("{name}, managed by the system")),
                level,
                system_managed: true,
                kind: Kind::Normal,
                permissions: permissions_of(level, name),
                shared_resource: None,
                created,
            });
        }
    }

    /// Adds a custom role.
    pub fn add_role(
        &mut self,
        organization_id: Uuid,
        level: Level,
        name: &str,
        permissions: Permissions,
        created: Timestamp,
    ) -> Uuid {
        let id = self.issue();
        self.roles.insert(Role {
            id,
            organization_id,
            name: Some(name.to_owned()),
            description: None,
            level,
            system_managed: false,
            kind: Kind::Normal,
            permissions,
            shared_resource: None,
            created,
        });
        id
    }

    /// The oldest role with this name.
    pub fn role_by_name(&self, organization: Uuid, name: &str) -> Option<Uuid> {
        let rows = self.roles.iter().filter(|role| role.organization_id == organization);
        let named = rows.filter(|role| role.name.as_deref() == Some(name));
        named.min_by_key(|role| (role.created, role.id)).map(|role| role.id)
    }

    /// Assigns the oldest role with this name, without the checks of the API. Does nothing if the role does not exist
    /// or is already assigned.
    pub fn assign(
        &mut self,
        organization: Uuid,
        role: &str,
        principal: Principal,
        workspace_id: Option<Uuid>,
        project_id: Option<Uuid>,
    ) {
        let Some(role_id) = self.role_by_name(organization, role) else { return };
        let row = Assignment { role_id, principal, workspace_id, project_id };
        if !self.assignments.contains(&row) {
            self.assignments.push(row);
        }
    }
}
