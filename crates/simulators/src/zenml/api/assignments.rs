//! The operations on role assignments (contract 2.2). The query contains all values; bodies are ignored.

use serde_json::{Value, json};

use super::{assignment_rules as rules, call::Scene, principals, problem::Problem, roles};
use crate::zenml::{
    access::rights::Place,
    rows::{
        assignments::Assignment,
        ids::Uuid,
        principals::Principal,
        roles::{Level, Role},
        switches::ForbiddenLists,
        workspaces::{Status, Workspace},
    },
    state::Tenant,
};

/// GET `/roles/{role_id}/assignments`
pub fn list(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let role = roles::find(scene)?;
    let (workspace, project) = (scene.query_id("workspace_id")?, scene.query_id("project_id")?);
    let place = Place { organization: role.organization_id, workspace, project };
    let all = scene.can_list(place, "assignment:read")?;
    let tenant = &*scene.tenant;
    let switches = &tenant.switches;
    if switches.missing_scope_status == 404 {
        check_scope(tenant, workspace, project)?;
    }
    let own = scene.caller.grant.user_id.filter(|_| switches.forbidden_lists == ForbiddenLists::Own);
    let is_own = |principal: Principal| match principal {
        Principal::User(id) => own == Some(id),
        Principal::Team(id) => {
            let mut members = tenant.team_members.iter().filter(|row| row.team_id == id);
            members.any(|row| own.map(Principal::User) == Some(row.member))
        }
        Principal::Invitation(_) => false,
    };
    let matches = |row: &&Assignment| {
        let is_in_scope = if switches.unscoped_lists_all {
            workspace.is_none_or(|id| row.workspace_id == Some(id))
                && project.is_none_or(|id| row.project_id == Some(id))
        } else {
            row.workspace_id == workspace && row.project_id == project
        };
        let is_shown =
            switches.invitations_are_principals || !matches!(row.principal, Principal::Invitation(_));
        let is_visible = all || is_own(row.principal);
        row.role_id == role.id
            && is_in_scope
            && is_shown
            && is_visible
            && scene.caller.can_see_workspace(row.workspace_id)
    };
    let rows = tenant.assignments.iter().filter(matches);
    Ok(rows.map(|row| to_json(row, &role, tenant)).collect())
}

/// 404 for a workspace or project that does not exist. A deleted workspace can still be a row.
fn check_scope(tenant: &Tenant, workspace: Option<Uuid>, project: Option<Uuid>) -> Result<(), Problem> {
    let exists = |row: &Workspace| row.status != Status::Deleted;
    if workspace.is_some_and(|id| !tenant.workspaces.get(id).is_some_and(exists)) {
        return Err(Problem::missing("workspace"));
    }
    if project.is_some_and(|id| !tenant.projects.contains(id)) {
        return Err(Problem::missing("project"));
    }
    Ok(())
}

/// POST `/roles/{role_id}/assignments`
pub fn add(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let (role, assignment) = queried_assignment(scene, "assignment:create")?;
    rules::check_add(scene.tenant, &role, &assignment)?;
    if scene.tenant.assignments.contains(&assignment) {
        let status = scene.tenant.switches.repeated_assignment_status;
        if status == 200 {
            return Ok(to_json(&assignment, &role, scene.tenant));
        }
        return Err(Problem::exception(status, "EntityExistsError", "The role is already assigned"));
    }
    scene.tenant.assignments.push(assignment);
    if role.level == Level::Organization && scene.tenant.switches.membership_accepts_invitations {
        scene.tenant.accept_open_invitation(role.organization_id, assignment.principal);
    }
    Ok(to_json(&assignment, &role, scene.tenant))
}

/// DELETE `/roles/{role_id}/assignments`
pub fn remove(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let (role, assignment) = queried_assignment(scene, "assignment:delete")?;
    if !scene.tenant.assignments.contains(&assignment) {
        return match scene.tenant.switches.missing_removal_status {
            200 => Ok(Value::Null),
            status => Err(Problem::nothing_to_remove(status, "role assignment")),
        };
    }
    rules::check_remove(scene.tenant, &role, &assignment)?;
    scene.tenant.assignments.retain(|row| *row != assignment);
    Ok(Value::Null)
}

/// The role in the path, and the assignment in the query.
fn queried_assignment(scene: &Scene<'_>, right: &str) -> Result<(Role, Assignment), Problem> {
    let switches = &scene.tenant.switches;
    let user = scene.query_id("user_id")?.map(Principal::User);
    let team = scene.query_id("team_id")?.map(Principal::Team);
    // Older revisions do not know this parameter, and ignore it.
    let invitation = match switches.invitations_are_principals {
        true => scene.query_id("invitation_id")?.map(Principal::Invitation),
        false => None,
    };
    let (workspace_id, project_id) = (scene.query_id("workspace_id")?, scene.query_id("project_id")?);
    let role = roles::find(scene)?;
    let named: Vec<Principal> = [user, team, invitation].into_iter().flatten().collect();
    let [principal] = named[..] else {
        return Err(Problem::value(switches, "Exactly one of user_id and team_id must be given"));
    };
    if project_id.is_some() && workspace_id.is_none() {
        return Err(Problem::value(switches, "project_id needs a workspace_id"));
    }
    let place = Place { organization: role.organization_id, workspace: workspace_id, project: project_id };
    scene.require(place, right)?;
    Ok((role.clone(), Assignment { role_id: role.id, principal, workspace_id, project_id }))
}

fn to_json(row: &Assignment, role: &Role, tenant: &Tenant) -> Value {
    let mut body = json!({
        "user": null,
        "team": null,
        "role": roles::list_json(role, &tenant.switches),
        "organization_id": role.organization_id,
        "workspace_id": row.workspace_id,
        "project_id": row.project_id,
    });
    if tenant.switches.invitations_are_principals {
        body["invitation"] = Value::Null;
    }
    let (key, principal) = principals::to_json(row.principal, tenant);
    body[key] = principal;
    body
}
