//! The permissions of users on the resources of workspaces (contract 2.1, 2.3).

use std::collections::BTreeSet;

use super::rights::Place;
use crate::zenml::{
    rows::{
        ids::Uuid,
        roles::{Kind, Level},
    },
    state::Tenant,
};

/// A resource, or all resources of a type: `[<project>:]<type>[/<id>]`, on older servers
/// `<server>@server:<type>[/<id>]`.
pub struct Resource {
    /// The text of the request.
    pub text: String,
    /// The resource type.
    pub kind: String,
    /// The identifier; none for all resources of the type.
    pub id: Option<String>,
    /// The workspace, and the project if the text names one.
    pub place: Place,
}

impl Resource {
    /// Whether a user's roles permit this action on all resources of the type.
    pub fn is_permitted_by_role(&self, tenant: &Tenant, user: Uuid, action: &str) -> bool {
        tenant.roles_of(user).any(|(assignment, role)| {
            let is_in_scope = match role.level {
                Level::Organization => role.organization_id == self.place.organization,
                Level::Workspace => assignment.workspace_id == self.place.workspace,
                Level::Project => {
                    assignment.project_id.is_some() && assignment.project_id == self.place.project
                }
            };
            let actions = role.permissions.get(&self.kind);
            role.kind == Kind::Normal
                && is_in_scope
                && actions.is_some_and(|actions| actions.contains(action))
        })
    }

    /// The identifiers of the resources of the type that are shared with a user for this action.
    pub fn shared_with(&self, tenant: &Tenant, user: Uuid, action: &str) -> BTreeSet<String> {
        let shares = tenant.roles_of(user).filter(|(assignment, role)| {
            let actions = role.permissions.get(&self.kind);
            assignment.workspace_id == self.place.workspace
                && assignment.project_id == self.place.project
                && actions.is_some_and(|actions| actions.contains(action))
        });
        let resources = shares.filter_map(|(_, role)| role.shared_resource.as_deref()?.split_once('/'));
        resources.map(|(_, id)| id.to_owned()).collect()
    }

    /// Whether a user can do this action on the resource, by a role or by a share.
    pub fn is_permitted(&self, tenant: &Tenant, user: Uuid, action: &str) -> bool {
        let shared = || self.shared_with(tenant, user, action);
        self.is_permitted_by_role(tenant, user, action)
            || self.id.as_ref().is_some_and(|id| shared().contains(id))
    }
}
