//! The check of a tenant that a client puts.

use std::collections::BTreeSet;

use super::tenant::Tenant;
use crate::zenml::rows::principals::Principal;

impl Tenant {
    /// Checks a tenant that comes from outside.
    ///
    /// # Errors
    /// Which row hangs in the air, or occurs twice.
    pub fn admit(&mut self) -> Result<(), String> {
        let is_there = |principal| match principal {
            Principal::User(id) => self.users.contains(id),
            Principal::Team(id) => self.teams.contains(id),
            Principal::Invitation(id) => self.invitations.contains(id),
        };
        let mut seen = BTreeSet::new();
        for row in &self.assignments {
            if !self.roles.contains(row.role_id) || !is_there(row.principal) {
                return Err(format!("an assignment of role {} hangs in the air", row.role_id));
            }
            if !seen.insert(row) {
                return Err(format!("an assignment of role {} occurs twice", row.role_id));
            }
        }
        let stray =
            self.team_members.iter().find(|row| !self.teams.contains(row.team_id) || !is_there(row.member));
        if let Some(row) = stray {
            return Err(format!("a member of team {} hangs in the air", row.team_id));
        }
        let organizations = self
            .roles
            .iter()
            .map(|role| role.organization_id)
            .chain(self.teams.iter().map(|team| team.organization_id))
            .chain(self.workspaces.iter().map(|workspace| workspace.organization_id));
        for id in organizations {
            if !self.organizations.contains(id) {
                return Err(format!("there is no organization {id}"));
            }
        }
        match self.projects.iter().find(|project| !self.workspaces.contains(project.workspace_id)) {
            Some(project) => Err(format!("project {} has no workspace", project.id)),
            None => Ok(()),
        }
    }
}
