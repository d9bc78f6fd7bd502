//! `/v2/resource-restrictions` (contract 2.3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    auth::{self, Place},
    call::{Answer, Scene},
    ids::{Id, Kind},
    paging::Window,
    problem::Problem,
    state::now,
    switches::ResourceType,
};
use crate::kit::table::Row;

/// A resource that is closed to inherited access.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restriction {
    /// The project, dashboard or prompt; a restriction has no identifier of its own.
    pub resource_id: Id,
    /// Since when.
    pub created_at: Timestamp,
}

impl Row for Restriction {
    type Id = Id;

    fn id(&self) -> Id {
        self.resource_id
    }
}

/// GET `/v2/resource-restrictions`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let tenant = &*scene.tenant;
    let window = Window::of("resource_restrictions", scene.call, &tenant.switches)?;
    let wanted = match scene.call.parameter("resource_type") {
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
    let rows = rows.filter(|(_, found)| wanted.is_none_or(|wanted| *found == wanted));
    // What the caller may not manage takes its place on the page all the same.
    Ok(window.page(rows.map(|(row, found)| (row.resource_id, manages(scene, row, found).then(|| wire(row))))))
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
    managed(scene, resource, found)?;
    if scene.tenant.projects.get(resource).is_some_and(|project| !project.generative) {
        let status = scene.tenant.switches.not_restrictable_status;
        return Err(Problem::switched(status, "only generative projects can be restricted"));
    }
    if !scene.tenant.restrictions.contains(resource) {
        scene.tenant.restrictions.insert(Restriction { resource_id: resource, created_at: now() });
    }
    let row = scene.tenant.restrictions.get(resource).map_or(Value::Null, wire);
    let wrapped = scene.tenant.switches.before_1140();
    Ok(Answer::ok(if wrapped { json!({ "resource_restriction": row }) } else { row }))
}

/// DELETE `/v2/resource-restrictions/{resource_id}`
pub fn unrestrict(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    // Any kind that can be restricted is right here, so the kind is not asked for.
    let resource = ResourceType::ALL
        .into_iter()
        .filter(|known| scene.tenant.switches.restricts(*known))
        .find_map(|known| Some((scene.path_id(0, kind(known)).ok()?, known)));
    let Some((resource, found)) = resource else {
        return Err(Problem::invalid("malformed ID, or one of a type that cannot be restricted"));
    };
    managed(scene, resource, found)?;
    match scene.tenant.restrictions.remove(resource) {
        Some(_) => Ok(Answer::none()),
        None => Err(Problem::not_found("resource restriction")),
    }
}

/// 404 for what the caller cannot read, 403 for what it may not restrict.
fn managed(scene: &Scene<'_>, resource: Id, found: ResourceType) -> Result<(), Problem> {
    let place = Place::Resource(resource);
    let permission = permission(found);
    if !scene.may(auth::reading(resource.kind), place) && !scene.may(permission, place) {
        return Err(Problem::not_found("resource"));
    }
    scene.require(permission, place)
}

fn manages(scene: &Scene<'_>, row: &Restriction, found: ResourceType) -> bool {
    scene.may(permission(found), Place::Resource(row.resource_id))
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

fn wire(row: &Restriction) -> Value {
    json!({
        "resource_type": resource_type(row.resource_id).map(ResourceType::name),
        "resource_id": row.resource_id,
        "created_at": row.created_at,
    })
}
