//! What a caller may see and do on the control plane itself.
//!
//! The vendor does not publish which of its roles may do what here. A simplification: the predefined roles give
//! what their names say, others let their holders see the organization.

use super::caller::Caller;
use crate::zenml::{
    rows::{
        ids::Uuid,
        roles::{Level, Role},
    },
    state::Tenant,
};

/// Where something is done.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// The organization.
    pub organization: Uuid,
    /// The workspace, if it is done in one.
    pub workspace: Option<Uuid>,
    /// The project, if it is done in one.
    pub project: Option<Uuid>,
}

impl Place {
    /// The organization as a whole.
    pub fn organization(organization: Uuid) -> Self {
        Self { organization, workspace: None, project: None }
    }
}

/// What a role gives on the control plane.
fn given_by(role: &Role) -> &'static [&'static str] {
    const SEEN: &[&str] = &["organization:read", "team:read", "workspace:read", "user:read"];
    const DELEGATED: &[&str] =
        &["organization:read", "workspace:read", "role:read", "assignment:*", "user:read"];
    if !role.system_managed {
        return SEEN;
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
        (Level::Workspace, "Workspace Admin") | (Level::Project, "Project Admin") => DELEGATED,
        _ => SEEN,
    }
}

/// Whether rights such as `role:*` contain this one.
fn covers<'a>(held: impl IntoIterator<Item = &'a str>, right: &str) -> bool {
    let (resource, action) = right.split_once(':').unwrap_or((right, ""));
    held.into_iter().any(|held| match held.split_once(':') {
        None => held == "*",
        Some((on, may)) => (on == "*" || on == resource) && (may == "*" || may == action),
    })
}

impl Caller {
    /// Whether the caller may know of this organization.
    pub fn reaches(&self, tenant: &Tenant, organization: Uuid) -> bool {
        let grant = &self.grant;
        if let Some(seen) = &grant.organizations {
            return seen.contains(&organization);
        }
        if let Some(workspace) = grant.client_of {
            return tenant.workspaces.get(workspace).is_some_and(|row| row.organization_id == organization);
        }
        match grant.user_id.and_then(|id| tenant.users.get(id)) {
            // A credential that is nobody's sees what its rights reach.
            None => grant.rights.is_some(),
            Some(user) if user.is_service_account => user.organization_id == Some(organization),
            Some(user) => {
                user.is_superuser
                    || tenant.held_by(user.id).any(|(_, role)| role.organization_id == organization)
            }
        }
    }

    /// Whether the caller may know of this workspace.
    pub fn sees_workspace(&self, workspace: Option<Uuid>) -> bool {
        match (&self.grant.workspaces, workspace) {
            (Some(seen), Some(workspace)) => seen.contains(&workspace),
            _ => true,
        }
    }

    /// Whether the caller may do this there.
    pub fn may(&self, tenant: &Tenant, place: Place, right: &str) -> bool {
        if !self.reaches(tenant, place.organization) || !self.sees_workspace(place.workspace) {
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
            || tenant.held_by(user.id).any(|(held, role)| {
                role.organization_id == place.organization
                    && (held.workspace_id.is_none() || held.workspace_id == place.workspace)
                    && (held.project_id.is_none() || held.project_id == place.project)
                    && covers(given_by(role).iter().copied(), right)
            })
            || (right == "role:read" && self.delegates_somewhere(tenant, user.id, place.organization))
    }

    /// Who assigns the roles of a workspace or project has to see them.
    fn delegates_somewhere(&self, tenant: &Tenant, user: Uuid, organization: Uuid) -> bool {
        tenant.held_by(user).any(|(_, role)| {
            role.organization_id == organization
                && covers(given_by(role).iter().copied(), "assignment:create")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_star_stands_for_everything_in_its_place() {
        assert!(
            covers(["*"], "role:read") && covers(["*:read"], "role:read") && covers(["role:*"], "role:read")
        );
        assert!(!covers(["*:read", "team:*", "role:create"], "role:delete"));
        assert!(!covers([], "role:read"));
    }
}
