//! The rules for adding and removing assignments (contract 2.2, 3.1).

use super::problem::Problem;
use crate::zenml::{
    rows::{
        assignments::Assignment,
        ids::Uuid,
        principals::Principal,
        roles::{Kind, Level, Role},
        switches::LastRole,
        workspaces::Status,
    },
    state::{Tenant, roles::ADMIN_ROLE},
};

/// Checks whether an assignment can be added.
///
/// # Errors
/// 404 if the principal, workspace or project does not exist. 403 if the principal belongs to another organization, the
/// scope does not fit the level of the role, or the role is a share role.
pub fn check_add(tenant: &Tenant, role: &Role, assignment: &Assignment) -> Result<(), Problem> {
    let organization = role.organization_id;
    let is_in_organization = match assignment.principal {
        Principal::User(id) => {
            let user = tenant.users.get(id).ok_or_else(|| Problem::missing("user"))?;
            match user.organization_id {
                Some(own) => own == organization,
                // A role of the level organization makes the user a member.
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
    if !is_in_organization {
        return Err(Problem::illegal("The role belongs to a different organization"));
    }
    let is_scope_consistent = is_consistent(tenant, organization, assignment)?;
    let scope = (assignment.workspace_id.is_some(), assignment.project_id.is_some());
    let required = match role.level {
        Level::Organization => (false, false),
        Level::Workspace => (true, false),
        Level::Project => (true, true),
    };
    if scope != required || !is_scope_consistent {
        return Err(Problem::illegal("The role can't be assigned at the given scope"));
    }
    if role.kind == Kind::Share {
        return Err(Problem::illegal("Share roles can't be assigned"));
    }
    Ok(())
}

/// Whether the workspace belongs to the organization, and the project to the workspace.
fn is_consistent(tenant: &Tenant, organization: Uuid, assignment: &Assignment) -> Result<bool, Problem> {
    let Some(workspace) = assignment.workspace_id else { return Ok(true) };
    let row = tenant.workspaces.get(workspace).filter(|row| row.status != Status::Deleted);
    let row = row.ok_or_else(|| Problem::missing("workspace"))?;
    let Some(project) = assignment.project_id else { return Ok(row.organization_id == organization) };
    let project = tenant.projects.get(project).ok_or_else(|| Problem::missing("project"))?;
    Ok(row.organization_id == organization && project.workspace_id == workspace)
}

/// Checks whether an assignment can be removed.
///
/// # Errors
/// 403 for the admin role of an owner, or the last role of a member.
pub fn check_remove(tenant: &Tenant, role: &Role, assignment: &Assignment) -> Result<(), Problem> {
    let owner = tenant.organizations.get(role.organization_id).and_then(|row| row.owner_id);
    let is_admin_role = role.system_managed && role.name.as_deref() == Some(ADMIN_ROLE);
    if is_admin_role && owner.map(Principal::User) == Some(assignment.principal) {
        return Err(Problem::illegal("The admin role of an organization owner cannot be removed"));
    }
    let is_protected = match assignment.principal {
        Principal::User(_) => true,
        Principal::Team(_) => tenant.switches.last_role_protects_teams,
        Principal::Invitation(_) => false,
    };
    if is_protected && is_last(tenant, role, assignment) {
        return Err(Problem::illegal("The last role of an organization member cannot be removed"));
    }
    Ok(())
}

fn is_last(tenant: &Tenant, role: &Role, assignment: &Assignment) -> bool {
    let counts = |role: &Role| match tenant.switches.last_role {
        LastRole::OfAnyLevel => true,
        LastRole::OfTheOrganization => role.level == Level::Organization,
    };
    let is_another = |row: &&Assignment| row.principal == assignment.principal && *row != assignment;
    let others = tenant.assignments.iter().filter(is_another);
    let mut roles = others.filter_map(|row| tenant.roles.get(row.role_id));
    counts(role) && !roles.any(|other| other.organization_id == role.organization_id && counts(other))
}
