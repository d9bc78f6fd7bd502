//! Organizations, with the rows that belong to them.

use jiff::Timestamp;

use super::{roles::ADMIN_ROLE, tenant::Tenant};
use crate::zenml::rows::{
    assignments::Assignment, ids::Uuid, organizations::Organization, principals::Principal,
};

impl Tenant {
    /// Adds an organization with its predefined roles. The owner gets the admin role.
    pub fn add_organization(
        &mut self,
        name: &str,
        description: Option<String>,
        owner_id: Option<Uuid>,
        created: Timestamp,
    ) -> Uuid {
        let id = self.issue();
        let name = name.to_owned();
        self.organizations.insert(Organization {
            id,
            name,
            description,
            owner_id,
            created,
            updated: created,
        });
        self.add_predefined_roles(id, created);
        if let (Some(owner), Some(role_id)) = (owner_id, self.role_by_name(id, ADMIN_ROLE)) {
            let principal = Principal::User(owner);
            self.assignments.push(Assignment { role_id, principal, workspace_id: None, project_id: None });
        }
        id
    }

    /// The organization with this name.
    pub fn organization_by_name(&self, name: &str) -> Option<Uuid> {
        self.organizations.iter().find(|row| row.name == name).map(|row| row.id)
    }

    /// Removes an organization with all rows that belong to it.
    pub fn remove_organization(&mut self, id: Uuid) {
        let teams =
            self.teams.iter().filter(|row| row.organization_id == id).map(|row| Principal::Team(row.id));
        let accounts = self.users.iter().filter(|row| row.organization_id == Some(id));
        let accounts = accounts.map(|row| Principal::User(row.id));
        let invitations = self.invitations.iter().filter(|row| row.organization_id == id);
        let invitations = invitations.map(|row| Principal::Invitation(row.id));
        let removed: Vec<Principal> = teams.chain(accounts).chain(invitations).collect();
        for principal in removed {
            self.remove_principal(principal);
        }
        self.teams.retain(|row| row.organization_id != id);
        self.users.retain(|row| row.organization_id != Some(id));
        self.invitations.retain(|row| row.organization_id != id);
        self.workspaces.retain(|row| row.organization_id != id);
        self.projects.retain(|row| self.workspaces.contains(row.workspace_id));
        self.roles.retain(|row| row.organization_id != id);
        self.assignments.retain(|row| self.roles.contains(row.role_id));
        self.organizations.remove(id);
    }
}
