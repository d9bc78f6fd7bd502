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

/// A resource, or all of a type: `[<project>:]<type>[/<id>]`, on older servers `<server>@server:<type>[/<id>]`.
pub struct Resource {
    /// As it was written.
    pub text: String,
    /// The resource type.
    pub kind: String,
    /// Which one, if it is one.
    pub id: Option<String>,
    /// Where it is.
    pub place: Place,
}

impl Resource {
    /// Whether a user's roles permit this on every resource of the type.
    pub fn is_permitted_by_role(&self, tenant: &Tenant, user: Uuid, action: &str) -> bool {
        tenant.held_by(user).any(|(held, role)| {
            let is_here = match role.level {
                Level::Organization => role.organization_id == self.place.organization,
                Level::Workspace => held.workspace_id == self.place.workspace,
                Level::Project => held.project_id.is_some() && held.project_id == self.place.project,
            };
            let actions = role.permissions.get(&self.kind);
            role.kind == Kind::Normal && is_here && actions.is_some_and(|actions| actions.contains(action))
        })
    }

    /// Which resources of the type somebody shared with a user for this.
    pub fn shared_with(&self, tenant: &Tenant, user: Uuid, action: &str) -> BTreeSet<String> {
        let held = tenant.held_by(user).filter(|(held, role)| {
            let actions = role.permissions.get(&self.kind);
            held.workspace_id == self.place.workspace
                && held.project_id == self.place.project
                && actions.is_some_and(|actions| actions.contains(action))
        });
        let resources = held.filter_map(|(_, role)| role.shared_resource.as_deref()?.split_once('/'));
        resources.map(|(_, id)| id.to_owned()).collect()
    }

    /// Whether a user has this permission on the resource, by a role or because it is shared.
    pub fn is_permitted(&self, tenant: &Tenant, user: Uuid, action: &str) -> bool {
        let shared = || self.shared_with(tenant, user, action);
        self.is_permitted_by_role(tenant, user, action)
            || self.id.as_ref().is_some_and(|id| shared().contains(id))
    }
}
