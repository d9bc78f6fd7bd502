//! The rules that a tenant must satisfy before it replaces the current one.

use std::collections::BTreeSet;

use super::tenant::Tenant;
use crate::zenml::rows::principals::Principal;

impl Tenant {
    /// Checks the tenant.
    ///
    /// # Errors
    /// The row that refers to an unknown row, or the assignment that occurs twice.
    pub fn admit(&mut self) -> Result<(), String> {
        let exists = |principal| match principal {
            Principal::User(id) => self.users.contains(id),
            Principal::Team(id) => self.teams.contains(id),
            Principal::Invitation(id) => self.invitations.contains(id),
        };
        let mut seen = BTreeSet::new();
        for row in &self.assignments {
            if !self.roles.contains(row.role_id) || !exists(row.principal) {
                return Err(format!(
                    "an assignment of role {} has an unknown role or principal",
                    row.role_id
                ));
            }
            if !seen.insert(row) {
                return Err(format!("an assignment of role {} occurs twice", row.role_id));
            }
        }
        let stray =
            self.team_members.iter().find(|row| !self.teams.contains(row.team_id) || !exists(row.member));
        if let Some(row) = stray {
            return Err(format!("a membership in team {} has an unknown team or member", row.team_id));
        }
        let organizations = self
            .roles
            .iter()
            .map(|role| role.organization_id)
            .chain(self.teams.iter().map(|team| team.organization_id))
            .chain(self.workspaces.iter().map(|workspace| workspace.organization_id));
        for id in organizations {
            if !self.organizations.contains(id) {
                return Err(format!("the organization {id} does not exist"));
            }
        }
        match self.projects.iter().find(|project| !self.workspaces.contains(project.workspace_id)) {
            Some(project) => Err(format!("project {} has an unknown workspace", project.id)),
            None => Ok(()),
        }
    }
}
