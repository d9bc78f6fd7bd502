//! Questions of workspace servers: which users have which permissions on their resources (contract 2.1, 2.3).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{call::Scene, problem::Problem};
use crate::zenml::{
    access::{resources::Resource, rights::Place},
    rows::ids::Uuid,
    state::Tenant,
};

/// Reads a resource; the workspace is the caller's unless the text names it or its project.
///
/// # Errors
/// A ValueError for a text of another form, or without any workspace; 404 for a project or workspace.
pub fn resource(scene: &Scene<'_>, text: &str) -> Result<Resource, Problem> {
    let tenant = &*scene.tenant;
    let wrong = || Problem::value(&tenant.switches, format!("{text} is no resource"));
    let (scope, rest) = text.split_once(':').map_or((None, text), |(scope, rest)| (Some(scope), rest));
    let server = scope.and_then(|scope| scope.strip_suffix("@server"));
    let named = server.map(|id| id.parse::<Uuid>().map_err(|_| wrong())).transpose()?;
    let project = scope.filter(|_| server.is_none());
    let project = project.map(|id| id.parse::<Uuid>().map_err(|_| wrong())).transpose()?;
    let found = project.map(|id| tenant.projects.get(id).ok_or_else(|| Problem::missing("project")));
    let of_project = found.transpose()?.map(|project| project.workspace_id);
    let workspace = scene.caller.grant.client_of.or(named).or(of_project).ok_or_else(wrong)?;
    let row = tenant.workspaces.get(workspace).ok_or_else(|| Problem::missing("workspace"))?;
    let (kind, id) = rest.split_once('/').map_or((rest, None), |(kind, id)| (kind, Some(id.to_owned())));
    let place = Place { organization: row.organization_id, workspace: Some(workspace), project };
    Ok(Resource { text: text.to_owned(), kind: kind.to_owned(), id, place })
}

/// POST `/rbac/check_permissions`: the resources are a list in the body.
pub fn check(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let wrong = || Problem::invalid("body", "", "Input should be a valid list of strings", "list_type");
    let resources: Vec<String> = serde_json::from_slice(&scene.call.body).map_err(|_| wrong())?;
    permitted(scene, &resources)
}

/// GET `/rbac/check_permissions`, older: the resources are in the query.
pub fn check_queried(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let resources: Vec<String> = scene.call.parameters("resources").map(str::to_owned).collect();
    permitted(scene, &resources)
}

fn permitted(scene: &Scene<'_>, resources: &[String]) -> Result<Value, Problem> {
    let (user, action) = (user(scene)?, required(scene, "action")?);
    let mut answer = Map::new();
    for text in resources {
        let resource = self::resource(scene, text)?;
        scene.require(resource.place, "rbac:read")?;
        let may = passes(scene.tenant, user) && resource.is_permitted(scene.tenant, user, action);
        answer.insert(text.clone(), may.into());
    }
    Ok(answer.into())
}

fn passes(tenant: &Tenant, user: Uuid) -> bool {
    tenant.switches.inactive_users_pass_checks || tenant.users.get(user).is_some_and(|user| user.is_active)
}

/// GET `/rbac/allowed_resource_ids`
pub fn allowed_ids(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let (user, action) = (user(scene)?, required(scene, "action")?);
    let resource = self::resource(scene, required(scene, "resource")?)?;
    scene.require(resource.place, "rbac:read")?;
    let tenant = &*scene.tenant;
    let everything = passes(tenant, user) && resource.is_permitted_by_role(tenant, user, action);
    let ids = match everything || !passes(tenant, user) {
        true => BTreeSet::new(),
        false => resource.shared_with(tenant, user, action),
    };
    Ok(json!({ "full_access": everything, "ids": ids }))
}

/// GET `/rbac/user_team_ids`
pub fn team_ids(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let user = user(scene)?;
    let reached = scene.reached();
    let tenant = &*scene.tenant;
    let is_reached =
        |team: &Uuid| tenant.teams.get(*team).is_some_and(|row| reached.contains(&row.organization_id));
    Ok(json!(tenant.teams_of(user).filter(is_reached).collect::<Vec<_>>()))
}

fn user(scene: &Scene<'_>) -> Result<Uuid, Problem> {
    let id = scene.query_id("user_id")?.ok_or_else(|| Problem::required("query", "user_id"))?;
    if scene.tenant.users.contains(id) { Ok(id) } else { Err(Problem::missing("user")) }
}

/// A query parameter that must be there.
///
/// # Errors
/// 422.
pub fn required<'a>(scene: &'a Scene<'_>, name: &str) -> Result<&'a str, Problem> {
    scene.call.parameter(name).ok_or_else(|| Problem::required("query", name))
}
