//! How organizations, spaces and resources nest, and which rows are deleted with them.

use super::tenant::Tenant;
use crate::arize::rows::ids::{Id, Kind};

impl Tenant {
    /// The space of a project, a dashboard or a prompt; the space itself for a space.
    pub fn space_of(&self, resource: Id) -> Option<Id> {
        match resource.kind {
            Kind::Space => self.spaces.get(resource).map(|space| space.id),
            Kind::Model => self.projects.get(resource).map(|project| project.space_id),
            Kind::Dashboard => self.dashboards.get(resource).map(|asset| asset.space_id),
            Kind::Prompt => self.prompts.get(resource).map(|asset| asset.space_id),
            _ => None,
        }
    }

    /// The spaces of an organization.
    pub fn spaces_in(&self, organization: Id) -> Vec<Id> {
        let spaces = self.spaces.iter().filter(|space| space.organization_id == organization);
        spaces.map(|space| space.id).collect()
    }

    /// Deletes a project with its bindings and its restriction (contract 4.8).
    pub fn drop_project(&mut self, project: Id) {
        self.projects.remove(project);
        self.forget_resource(project);
    }

    /// Deletes a space with everything in it.
    pub fn drop_space(&mut self, space: Id) {
        let projects: Vec<Id> = self
            .projects
            .iter()
            .filter(|project| project.space_id == space)
            .map(|project| project.id)
            .collect();
        for project in projects {
            self.drop_project(project);
        }
        let assets = self.dashboards.iter().chain(self.prompts.iter());
        let assets: Vec<Id> = assets.filter(|asset| asset.space_id == space).map(|asset| asset.id).collect();
        for asset in assets {
            self.dashboards.remove(asset);
            self.prompts.remove(asset);
            self.forget_resource(asset);
        }
        self.space_members.retain(|member| member.parent_id != space);
        self.spaces.remove(space);
        self.forget_resource(space);
    }

    /// Deletes an organization with its spaces.
    pub fn drop_organization(&mut self, organization: Id) {
        for space in self.spaces_in(organization) {
            self.drop_space(space);
        }
        self.organization_members.retain(|member| member.parent_id != organization);
        self.organizations.remove(organization);
    }

    fn forget_resource(&mut self, resource: Id) {
        self.role_bindings.retain(|binding| binding.resource_id != resource);
        self.restrictions.remove(resource);
    }
}
