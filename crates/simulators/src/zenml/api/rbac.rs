//! Permission checks for workspace servers: what users can do with their resources (contract 2.1, 2.3).

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::{call::Scene, problem::Problem};
use crate::zenml::{
    access::{resources::Resource, rights::Place},
    rows::ids::Uuid,
    state::Tenant,
};

/// Parses a resource. Its workspace is that of the calling workspace server, else the one in the text, else that of the
/// project in the text.
///
/// # Errors
/// A ValueError for another form, or if no workspace follows. 404 if the project or workspace does not exist.
pub fn parse_resource(scene: &Scene<'_>, text: &str) -> Result<Resource, Problem> {
    let tenant = &*scene.tenant;
    let invalid = || Problem::value(&tenant.switches, format!("{text} is not a resource"));
    let (scope, rest) = text.split_once(':').map_or((None, text), |(scope, rest)| (Some(scope), rest));
    let server = scope.and_then(|scope| scope.strip_suffix("@server"));
    let named = server.map(|id| id.parse::<Uuid>().map_err(|_| invalid())).transpose()?;
    let project = scope.filter(|_| server.is_none());
    let project = project.map(|id| id.parse::<Uuid>().map_err(|_| invalid())).transpose()?;
    let found = project.map(|id| tenant.projects.get(id).ok_or_else(|| Problem::missing("project")));
    let of_project = found.transpose()?.map(|project| project.workspace_id);
    let workspace = scene.caller.grant.client_of.or(named).or(of_project).ok_or_else(invalid)?;
    let row = tenant.workspaces.get(workspace).ok_or_else(|| Problem::missing("workspace"))?;
    let (kind, id) = rest.split_once('/').map_or((rest, None), |(kind, id)| (kind, Some(id.to_owned())));
    let place = Place { organization: row.organization_id, workspace: Some(workspace), project };
    Ok(Resource { text: text.to_owned(), kind: kind.to_owned(), id, place })
}

/// POST `/rbac/check_permissions`, with the resources as a list in the body.
pub fn check(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let invalid = || Problem::invalid("body", "", "Input should be a valid list of strings", "list_type");
    let resources: Vec<String> = serde_json::from_slice(&scene.call.body).map_err(|_| invalid())?;
    check_resources(scene, &resources)
}

/// GET `/rbac/check_permissions`, the older form, with the resources in the query.
pub fn check_queried(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let resources: Vec<String> = scene.call.parameters("resources").map(str::to_owned).collect();
    check_resources(scene, &resources)
}

fn check_resources(scene: &Scene<'_>, resources: &[String]) -> Result<Value, Problem> {
    let (user, action) = (queried_user(scene)?, required_parameter(scene, "action")?);
    let mut answer = Map::new();
    for text in resources {
        let resource = parse_resource(scene, text)?;
        scene.require(resource.place, "rbac:read")?;
        let is_permitted =
            passes_checks(scene.tenant, user) && resource.is_permitted(scene.tenant, user, action);
        answer.insert(text.clone(), is_permitted.into());
    }
    Ok(answer.into())
}

fn passes_checks(tenant: &Tenant, user: Uuid) -> bool {
    tenant.switches.inactive_users_pass_checks || tenant.users.get(user).is_some_and(|user| user.is_active)
}

/// GET `/rbac/allowed_resource_ids`
pub fn allowed_ids(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let (user, action) = (queried_user(scene)?, required_parameter(scene, "action")?);
    let resource = parse_resource(scene, required_parameter(scene, "resource")?)?;
    scene.require(resource.place, "rbac:read")?;
    let tenant = &*scene.tenant;
    let has_full_access = passes_checks(tenant, user) && resource.is_permitted_by_role(tenant, user, action);
    let ids = match has_full_access || !passes_checks(tenant, user) {
        true => BTreeSet::new(),
        false => resource.shared_with(tenant, user, action),
    };
    Ok(json!({ "full_access": has_full_access, "ids": ids }))
}

/// GET `/rbac/user_team_ids`
pub fn team_ids(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let user = queried_user(scene)?;
    let visible = scene.visible_organizations();
    let tenant = &*scene.tenant;
    let is_visible =
        |team: &Uuid| tenant.teams.get(*team).is_some_and(|row| visible.contains(&row.organization_id));
    Ok(json!(tenant.teams_of(user).filter(is_visible).collect::<Vec<_>>()))
}

fn queried_user(scene: &Scene<'_>) -> Result<Uuid, Problem> {
    let id = scene.query_id("user_id")?.ok_or_else(|| Problem::required("query", "user_id"))?;
    if scene.tenant.users.contains(id) { Ok(id) } else { Err(Problem::missing("user")) }
}

/// A required query parameter.
///
/// # Errors
/// 422 if it is absent.
pub fn required_parameter<'a>(scene: &'a Scene<'_>, name: &str) -> Result<&'a str, Problem> {
    scene.call.parameter(name).ok_or_else(|| Problem::required("query", name))
}
