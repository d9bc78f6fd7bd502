//! What a caller can see and do on the control plane itself.
//!
//! The vendor does not publish the rights of its roles on the control plane. In this simulator, the rights of the
//! predefined roles follow their names. All other roles permit only to see the organization.

use super::caller::Caller;
use crate::zenml::{
    rows::{
        ids::Uuid,
        roles::{Level, Role},
    },
    state::Tenant,
};

/// The target of a right.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The organization.
    pub organization: Uuid,
    /// The workspace; none for the organization as a whole.
    pub workspace: Option<Uuid>,
    /// The project; none for the workspace or organization as a whole.
    pub project: Option<Uuid>,
}

impl Place {
    /// The organization as a whole.
    pub fn organization(organization: Uuid) -> Self {
        Self { organization, workspace: None, project: None }
    }
}

/// The rights of a role on the control plane.
fn rights_of_role(role: &Role) -> &'static [&'static str] {
    const MEMBER: &[&str] = &["organization:read", "team:read", "workspace:read", "user:read"];
    const SCOPE_ADMIN: &[&str] =
        &["organization:read", "workspace:read", "role:read", "assignment:*", "user:read"];
    if !role.system_managed {
        return MEMBER;
    }
    match (role.level, role.name.as_deref().unwrap_or_default()) {
        (Level::Organization, "Organization Admin") => &["*"],
        (Level::Organization, "Organization Manager") => &[
            "organization:read",
            "role:*",
            "assignment:*",
            "member:*",
            "team:*",
            "invitation:*",
            "service_account:*",
            "user:read",
            "workspace:*",
            "rbac:*",
        ],
        (Level::Organization, "Organization Viewer") => &["*:read"],
        (Level::Workspace, "Workspace Admin") | (Level::Project, "Project Admin") => SCOPE_ADMIN,
        _ => MEMBER,
    }
}

/// Whether a list of rights, such as `role:*`, contains this right.
fn covers<'a>(rights: impl IntoIterator<Item = &'a str>, right: &str) -> bool {
    let (resource, action) = right.split_once(':').unwrap_or((right, ""));
    rights.into_iter().any(|one| match one.split_once(':') {
        None => one == "*",
        Some((on, to)) => (on == "*" || on == resource) && (to == "*" || to == action),
    })
}

impl Caller {
    /// Whether the caller can see this organization.
    pub fn can_see_organization(&self, tenant: &Tenant, organization: Uuid) -> bool {
        let grant = &self.grant;
        if let Some(visible) = &grant.organizations {
            return visible.contains(&organization);
        }
        if let Some(workspace) = grant.client_of {
            return tenant.workspaces.get(workspace).is_some_and(|row| row.organization_id == organization);
        }
        match grant.user_id.and_then(|id| tenant.users.get(id)) {
            // A credential without a user, but with rights, sees all organizations.
            None => grant.rights.is_some(),
            Some(user) if user.is_service_account => user.organization_id == Some(organization),
            Some(user) => {
                user.is_superuser
                    || tenant.roles_of(user.id).any(|(_, role)| role.organization_id == organization)
            }
        }
    }

    /// Whether the caller can see this workspace, or rows without a workspace.
    pub fn can_see_workspace(&self, workspace: Option<Uuid>) -> bool {
        match (&self.grant.workspaces, workspace) {
            (Some(visible), Some(workspace)) => visible.contains(&workspace),
            _ => true,
        }
    }

    /// Whether the caller has this right at this place.
    pub fn can(&self, tenant: &Tenant, place: Place, right: &str) -> bool {
        if !self.can_see_organization(tenant, place.organization) || !self.can_see_workspace(place.workspace)
        {
            return false;
        }
        if let Some(rights) = &self.grant.rights {
            return covers(rights.iter().map(String::as_str), right);
        }
        if self.grant.client_of.is_some() {
            return covers(["rbac:*", "*:read"], right);
        }
        let Some(user) = self.grant.user_id.and_then(|id| tenant.users.get(id)) else { return false };
        user.is_superuser
            || tenant.roles_of(user.id).any(|(assignment, role)| {
                role.organization_id == place.organization
                    && (assignment.workspace_id.is_none() || assignment.workspace_id == place.workspace)
                    && (assignment.project_id.is_none() || assignment.project_id == place.project)
                    && covers(rights_of_role(role).iter().copied(), right)
            })
            || (right == "role:read" && self.can_assign_somewhere(tenant, user.id, place.organization))
    }

    /// Admins of a workspace or project can read the roles of the organization, because they can assign them.
    fn can_assign_somewhere(&self, tenant: &Tenant, user: Uuid, organization: Uuid) -> bool {
        tenant.roles_of(user).any(|(_, role)| {
            role.organization_id == organization
                && covers(rights_of_role(role).iter().copied(), "assignment:create")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn stars_match_all_resources_or_all_actions() {
        assert!(
            covers(["*"], "role:read") && covers(["*:read"], "role:read") && covers(["role:*"], "role:read")
        );
        assert!(!covers(["*:read", "team:*", "role:create"], "role:delete"));
        assert!(!covers([], "role:read"));
    }
}
