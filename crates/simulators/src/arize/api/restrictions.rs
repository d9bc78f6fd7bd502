//! `/v2/resource-restrictions` (contract 2.3).

use serde_json::{Value, json};

use super::{call::Scene, paging::Window, problem::Problem};
use crate::{
    arize::{
        access::{Target, caller},
        rows::{
            ids::{Id, Kind},
            restrictions::Restriction,
            switches::ResourceType,
        },
        state::now,
    },
    kit::answer::Answer,
};

/// GET `/v2/resource-restrictions`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let tenant = &*scene.tenant;
    let window = Window::of("resource_restrictions", scene.call, &tenant.switches)?;
    let requested = match scene.call.parameter("resource_type") {
        None => None,
        Some(text) => Some(
            ResourceType::ALL
                .into_iter()
                .find(|known| known.name() == text && tenant.switches.restricts(*known))
                .ok_or_else(|| Problem::invalid("unknown resource_type"))?,
        ),
    };
    let rows = tenant.restrictions.after(window.after);
    let rows = rows.filter_map(|row| Some((row, resource_type(row.resource_id)?)));
    let rows = rows.filter(|(_, found)| requested.is_none_or(|requested| *found == requested));
    // Filtered after the page is cut (contract 2.3): an entry that is not shown still takes a slot.
    Ok(window.page(
        rows.map(|(row, found)| (row.resource_id, can_manage(scene, row, found).then(|| to_json(row)))),
    ))
}

/// POST `/v2/resource-restrictions`
pub fn restrict(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut fields = scene.fields()?;
    let resource = fields.required_text("resource_id")?;
    fields.end()?;
    let resource: Id = resource.parse().map_err(|_| Problem::invalid("malformed ID"))?;
    let found = resource_type(resource)
        .filter(|found| scene.tenant.switches.restricts(*found))
        .ok_or_else(|| Problem::invalid("resources of this type cannot be restricted"))?;
    require_managed(scene, resource, found)?;
    if scene.tenant.projects.get(resource).is_some_and(|project| !project.generative) {
        let status = scene.tenant.switches.not_restrictable_status;
        return Err(Problem::switched(status, "only generative projects can be restricted"));
    }
    if !scene.tenant.restrictions.contains(resource) {
        scene.tenant.restrictions.insert(Restriction { resource_id: resource, created_at: now() });
    }
    let row = scene.tenant.restrictions.get(resource).map_or(Value::Null, to_json);
    let wrapped = scene.tenant.switches.before_1140();
    Ok(Answer::ok(if wrapped { json!({ "resource_restriction": row }) } else { row }))
}

/// DELETE `/v2/resource-restrictions/{resource_id}`
pub fn unrestrict(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    // The path names no type, so each one that can be restricted is tried.
    let resource = ResourceType::ALL
        .into_iter()
        .filter(|known| scene.tenant.switches.restricts(*known))
        .find_map(|known| Some((scene.path_id(0, kind(known)).ok()?, known)));
    let Some((resource, found)) = resource else {
        return Err(Problem::invalid("malformed ID, or one of a type that cannot be restricted"));
    };
    require_managed(scene, resource, found)?;
    match scene.tenant.restrictions.remove(resource) {
        Some(_) => Ok(Answer::none()),
        None => Err(Problem::not_found("resource restriction")),
    }
}

/// Ends the call with 404 if the caller cannot read the resource, with 403 if the caller cannot restrict it.
fn require_managed(scene: &Scene<'_>, resource: Id, found: ResourceType) -> Result<(), Problem> {
    let target = Target::Resource(resource);
    let permission = permission(found);
    if !scene.can(caller::read_permission(resource.kind), target) && !scene.can(permission, target) {
        return Err(Problem::not_found("resource"));
    }
    scene.require(permission, target)
}

fn can_manage(scene: &Scene<'_>, row: &Restriction, found: ResourceType) -> bool {
    scene.can(permission(found), Target::Resource(row.resource_id))
}

fn permission(resource: ResourceType) -> &'static str {
    match resource {
        ResourceType::Project => "PROJECT_RESTRICT",
        ResourceType::Dashboard => "DASHBOARD_RESTRICT",
        ResourceType::Prompt => "PROMPT_RESTRICT",
    }
}

fn kind(resource: ResourceType) -> Kind {
    match resource {
        ResourceType::Project => Kind::Model,
        ResourceType::Dashboard => Kind::Dashboard,
        ResourceType::Prompt => Kind::Prompt,
    }
}

fn resource_type(resource: Id) -> Option<ResourceType> {
    ResourceType::ALL.into_iter().find(|known| kind(*known) == resource.kind)
}

fn to_json(row: &Restriction) -> Value {
    json!({
        "resource_type": resource_type(row.resource_id).map(ResourceType::name),
        "resource_id": row.resource_id,
        "created_at": row.created_at,
    })
}
