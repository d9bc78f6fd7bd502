//! The operations that share single resources. They create share roles (contract 2.3, 3.1).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    call::Scene,
    principals,
    problem::Problem,
    rbac::{parse_resource, required_parameter},
};
use crate::zenml::{
    access::resources::Resource,
    rows::{
        assignments::Assignment,
        permissions::on,
        principals::Principal,
        roles::{Kind, Level, Role},
    },
};

/// GET `/rbac/resource_members?resource=`
pub fn list(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let resource = parse_resource(scene, required_parameter(scene, "resource")?)?;
    scene.require(resource.place, "rbac:read")?;
    let tenant = &*scene.tenant;
    let entry = |row: &Assignment| {
        let role = tenant.roles.get(row.role_id)?;
        if role.shared_resource.as_ref() != Some(&resource.text) {
            return None;
        }
        let actions = role.permissions.get(&resource.kind).cloned().unwrap_or_default();
        let mut body = json!({ "user": null, "team": null, "actions": actions });
        let (key, principal) = principals::to_json(row.principal, tenant);
        body[key] = principal;
        Some(body)
    };
    Ok(tenant.assignments.iter().filter_map(entry).collect())
}

/// POST `/rbac/resource_members`. Sets the actions that are shared with a principal on one resource. Without actions,
/// the resource is no longer shared with it.
pub fn set(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let resource = parse_resource(scene, required_parameter(scene, "resource")?)?;
    scene.require(resource.place, "rbac:update")?;
    let user = scene.query_id("user_id")?.map(Principal::User);
    let team = scene.query_id("team_id")?.map(Principal::Team);
    let principal = match (user, team) {
        (Some(principal), None) | (None, Some(principal)) => principal,
        _ => {
            return Err(Problem::value(
                &scene.tenant.switches,
                "Exactly one of user_id and team_id is needed",
            ));
        }
    };
    if resource.id.is_none() {
        return Err(Problem::value(&scene.tenant.switches, "Only single resources can be shared"));
    }
    let exists = match principal {
        Principal::User(id) => scene.tenant.users.contains(id),
        Principal::Team(id) => scene.tenant.teams.contains(id),
        Principal::Invitation(_) => false,
    };
    if !exists {
        return Err(Problem::missing("member"));
    }
    let actions: Vec<&str> = scene.call.parameters("actions").collect();
    let tenant = &mut *scene.tenant;
    let roles = &tenant.roles;
    let is_replaced = |row: &Assignment| {
        row.principal == principal
            && roles
                .get(row.role_id)
                .is_some_and(|role| role.shared_resource.as_ref() == Some(&resource.text))
    };
    let replaced: Vec<_> =
        tenant.assignments.iter().filter(|row| is_replaced(row)).map(|row| row.role_id).collect();
    tenant.assignments.retain(|row| !replaced.contains(&row.role_id));
    tenant.roles.retain(|role| !replaced.contains(&role.id));
    if actions.is_empty() {
        return Ok(Value::Null);
    }
    let id = tenant.issue();
    let Resource { text, kind, place, .. } = resource;
    tenant.roles.insert(Role {
        id,
        organization_id: place.organization,
        name: None,
        description: None,
        level: if place.project.is_some() { Level::Project } else { Level::Workspace },
        system_managed: false,
        kind: Kind::Share,
        permissions: on(&[&kind], &actions),
        shared_resource: Some(text),
        created: Timestamp::now(),
    });
    let (workspace_id, project_id) = (place.workspace, place.project);
    tenant.assignments.push(Assignment { role_id: id, principal, workspace_id, project_id });
    Ok(Value::Null)
}

/// DELETE `/rbac/resources?resources=`. Ends the sharing of deleted resources.
pub fn delete(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let texts: Vec<String> = scene.call.parameters("resources").map(str::to_owned).collect();
    for text in &texts {
        let place = parse_resource(scene, text)?.place;
        scene.require(place, "rbac:update")?;
    }
    let tenant = &mut *scene.tenant;
    tenant.roles.retain(|role| role.shared_resource.as_ref().is_none_or(|shared| !texts.contains(shared)));
    tenant.assignments.retain(|row| tenant.roles.contains(row.role_id));
    Ok(Value::Null)
}
