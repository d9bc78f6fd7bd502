//! Workspaces and projects.

use jiff::Timestamp;

use super::tenant::Tenant;
use crate::zenml::rows::{
    ids::Uuid,
    projects::Project,
    workspaces::{Status, Workspace},
};

impl Tenant {
    /// Adds a workspace with a running server.
    pub fn add_workspace(&mut self, organization_id: Uuid, name: &str, created: Timestamp) -> Uuid {
        let id = self.issue();
        self.workspaces.insert(Workspace {
            id,
            organization_id,
            name: name.to_owned(),
            display_name: Some(name.to_owned()),
            status: Status::Available,
            created,
            updated: created,
        });
        id
    }

    /// Deletes a workspace with its assignments. `listed`: it stays a row with the status deleted (contract 2.3).
    pub fn delete_workspace(&mut self, id: Uuid, listed: bool) {
        self.assignments.retain(|row| row.workspace_id != Some(id));
        match self.workspaces.get_mut(id) {
            Some(row) if listed => row.status = Status::Deleted,
            _ => {
                self.workspaces.remove(id);
                self.projects.retain(|row| row.workspace_id != id);
            }
        }
    }

    /// Deletes a project with its assignments.
    pub fn delete_project(&mut self, id: Uuid) {
        self.assignments.retain(|row| row.project_id != Some(id));
        self.projects.remove(id);
    }

    /// The workspace with this name.
    pub fn workspace_by_name(&self, organization: Uuid, name: &str) -> Option<Uuid> {
        let mut rows = self.workspaces.iter().filter(|row| row.organization_id == organization);
        rows.find(|row| row.name == name).map(|row| row.id)
    }

    /// Adds a project to a workspace.
    pub fn add_project(&mut self, workspace_id: Uuid, name: &str, created: Timestamp) -> Uuid {
        let id = self.issue();
        self.projects.insert(Project { id, workspace_id, name: name.to_owned(), created });
        id
    }

    /// The project with this name.
    pub fn project_by_name(&self, workspace: Uuid, name: &str) -> Option<Uuid> {
        let mut rows = self.projects.iter().filter(|row| row.workspace_id == workspace);
        rows.find(|row| row.name == name).map(|row| row.id)
    }
}
