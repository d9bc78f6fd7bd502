//! The operations on role assignments (contract 2.2). Everything is said in the query; an assignment has no identifier.

use serde_json::{Value, json};

use super::{assignment_rules as rules, call::Scene, principals::principal, problem::Problem, roles};
use crate::zenml::{
    access::rights::Place,
    rows::{
        assignments::Assignment,
        principals::Principal,
        roles::{Level, Role},
    },
    state::Tenant,
};

/// GET `/roles/{role_id}/assignments`
pub fn list(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let role = roles::reach(scene)?;
    let (workspace, project) = (scene.query_id("workspace_id")?, scene.query_id("project_id")?);
    let place = Place { organization: role.organization_id, workspace, project };
    if !scene.may_list(place, "assignment:read")? {
        return Ok(json!([]));
    }
    let tenant = &*scene.tenant;
    let switches = &tenant.switches;
    let is_wanted = |row: &&Assignment| {
        let is_in_scope = if switches.unscoped_lists_all {
            workspace.is_none_or(|id| row.workspace_id == Some(id))
                && project.is_none_or(|id| row.project_id == Some(id))
        } else {
            row.workspace_id == workspace && row.project_id == project
        };
        let is_shown =
            switches.invitations_are_principals || !matches!(row.principal, Principal::Invitation(_));
        row.role_id == role.id && is_in_scope && is_shown && scene.caller.sees_workspace(row.workspace_id)
    };
    let shown = tenant.assignments.iter().filter(is_wanted);
    Ok(shown.map(|row| wire(row, &role, tenant)).collect())
}

/// POST `/roles/{role_id}/assignments`; a body, or none, says nothing.
pub fn add(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let (role, asked) = asked(scene, "assignment:create")?;
    rules::may_be_added(scene.tenant, &role, &asked)?;
    if scene.tenant.assignments.contains(&asked) {
        let status = scene.tenant.switches.repeated_assignment_status;
        if status == 200 {
            return Ok(wire(&asked, &role, scene.tenant));
        }
        return Err(Problem::exception(status, "EntityExistsError", "The role is already assigned"));
    }
    scene.tenant.assignments.push(asked);
    if role.level == Level::Organization && scene.tenant.switches.membership_accepts_invitations {
        scene.tenant.accept_open_invitation(role.organization_id, asked.principal);
    }
    Ok(wire(&asked, &role, scene.tenant))
}

/// DELETE `/roles/{role_id}/assignments`
pub fn remove(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let (role, asked) = asked(scene, "assignment:delete")?;
    if !scene.tenant.assignments.contains(&asked) {
        return match scene.tenant.switches.missing_removal_status {
            200 => Ok(Value::Null),
            status => Err(Problem::nothing_to_remove(status, "role assignment")),
        };
    }
    rules::may_be_removed(scene.tenant, &role, &asked)?;
    scene.tenant.assignments.retain(|row| *row != asked);
    Ok(Value::Null)
}

/// The role of the path, and the assignment that the query describes.
fn asked(scene: &Scene<'_>, right: &str) -> Result<(Role, Assignment), Problem> {
    let switches = &scene.tenant.switches;
    let user = scene.query_id("user_id")?.map(Principal::User);
    let team = scene.query_id("team_id")?.map(Principal::Team);
    // An older revision does not know the parameter, and what it does not know it ignores.
    let invitation = match switches.invitations_are_principals {
        true => scene.query_id("invitation_id")?.map(Principal::Invitation),
        false => None,
    };
    let (workspace_id, project_id) = (scene.query_id("workspace_id")?, scene.query_id("project_id")?);
    let role = roles::reach(scene)?;
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

fn wire(row: &Assignment, role: &Role, tenant: &Tenant) -> Value {
    let mut body = json!({
        "user": null,
        "team": null,
        "role": roles::listed(role, &tenant.switches),
        "organization_id": role.organization_id,
        "workspace_id": row.workspace_id,
        "project_id": row.project_id,
    });
    if tenant.switches.invitations_are_principals {
        body["invitation"] = Value::Null;
    }
    let (key, principal) = principal(row.principal, tenant);
    body[key] = principal;
    body
}
