//! Which roles can be assigned and unassigned (contract 2.2, 3.1).

use super::problem::Problem;
use crate::zenml::{
    rows::{
        assignments::Assignment,
        ids::Uuid,
        principals::Principal,
        roles::{Kind, Level, Role},
        switches::LastRole,
    },
    state::{Tenant, roles::ADMIN_ROLE},
};

/// Whether a role can be given so.
///
/// # Errors
/// 404: principal, workspace or project; 403: another organization, not at that scope, or a share role.
pub fn may_be_added(tenant: &Tenant, role: &Role, asked: &Assignment) -> Result<(), Problem> {
    let organization = role.organization_id;
    let is_here = match asked.principal {
        Principal::User(id) => {
            let user = tenant.users.get(id).ok_or_else(|| Problem::missing("user"))?;
            match user.organization_id {
                Some(own) => own == organization,
                // The first role of the organization's level is what makes somebody a member.
                None => {
                    role.level == Level::Organization
                        || tenant.switches.roles_for_non_members
                        || tenant.is_member(id, organization)
                }
            }
        }
        Principal::Team(id) => {
            tenant.teams.get(id).ok_or_else(|| Problem::missing("team"))?.organization_id == organization
        }
        Principal::Invitation(id) => {
            let found = tenant.invitations.get(id).filter(|invitation| !invitation.is_accepted);
            found.ok_or_else(|| Problem::missing("invitation"))?.organization_id == organization
        }
    };
    if !is_here {
        return Err(Problem::illegal("The role belongs to a different organization"));
    }
    let is_there = has_scope(tenant, organization, asked)?;
    let scope = (asked.workspace_id.is_some(), asked.project_id.is_some());
    let wanted = match role.level {
        Level::Organization => (false, false),
        Level::Workspace => (true, false),
        Level::Project => (true, true),
    };
    if scope != wanted || !is_there {
        return Err(Problem::illegal("The role can't be assigned at the given scope"));
    }
    if role.kind == Kind::Share {
        return Err(Problem::illegal("Share roles can't be assigned"));
    }
    Ok(())
}

/// Whether workspace and project belong together and to the organization.
fn has_scope(tenant: &Tenant, organization: Uuid, asked: &Assignment) -> Result<bool, Problem> {
    let Some(workspace) = asked.workspace_id else { return Ok(true) };
    let row = tenant.workspaces.get(workspace).ok_or_else(|| Problem::missing("workspace"))?;
    let Some(project) = asked.project_id else { return Ok(row.organization_id == organization) };
    let project = tenant.projects.get(project).ok_or_else(|| Problem::missing("project"))?;
    Ok(row.organization_id == organization && project.workspace_id == workspace)
}

/// Whether a role can be taken away.
///
/// # Errors
/// 403: an owner's admin role, or a member's last one.
pub fn may_be_removed(tenant: &Tenant, role: &Role, asked: &Assignment) -> Result<(), Problem> {
    let owner = tenant.organizations.get(role.organization_id).and_then(|row| row.owner_id);
    let is_admin_role = role.system_managed && role.name.as_deref() == Some(ADMIN_ROLE);
    if is_admin_role && owner.map(Principal::User) == Some(asked.principal) {
        return Err(Problem::illegal("The admin role of an organization owner cannot be removed"));
    }
    let is_protected = match asked.principal {
        Principal::User(_) => true,
        Principal::Team(_) => tenant.switches.last_role_protects_teams,
        Principal::Invitation(_) => false,
    };
    if is_protected && is_last(tenant, role, asked) {
        return Err(Problem::illegal("The last role of an organization member cannot be removed"));
    }
    Ok(())
}

fn is_last(tenant: &Tenant, role: &Role, asked: &Assignment) -> bool {
    let counts = |role: &Role| match tenant.switches.last_role {
        LastRole::OfAnyLevel => true,
        LastRole::OfTheOrganization => role.level == Level::Organization,
    };
    let is_another = |row: &&Assignment| row.principal == asked.principal && *row != asked;
    let others = tenant.assignments.iter().filter(is_another);
    let mut roles = others.filter_map(|row| tenant.roles.get(row.role_id));
    counts(role) && !roles.any(|other| other.organization_id == role.organization_id && counts(other))
}
