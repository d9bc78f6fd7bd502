//! `/v2/projects` (contract 2.5).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    auth::Place,
    body,
    call::{Answer, Scene},
    ids::{Id, Kind},
    paging::Window,
    problem::Problem,
    state::{Tenant, now},
};
use crate::kit::table::identified;

/// A project.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Its identifier.
    pub id: Id,
    /// Its name, unique in its space.
    pub name: String,
    /// The space it belongs to.
    pub space_id: Id,
    /// When it was made.
    pub created_at: Timestamp,
    /// What kind of LLM project it is, if it was told.
    #[serde(default)]
    pub project_type: Option<ProjectType>,
    /// Whether it is an LLM project: no others can be restricted. The vendor does not show this.
    #[serde(default = "yes")]
    pub generative: bool,
}

fn yes() -> bool {
    true
}

identified!(Project, Id);

/// A kind of LLM project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[allow(missing_docs, reason = "the names are the vendor's")]
pub enum ProjectType {
    Application,
    Harness,
    Experiment,
}

/// GET `/v2/projects`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("PROJECT_READ", Place::Account)?;
    let tenant = &*scene.tenant;
    let window = Window::of("projects", scene.call, &tenant.switches)?;
    let name = scene.substring("name")?;
    let space_name = scene.substring("space_name")?;
    let space = scene.call.parameter("space_id").map(|text| scene.id(text, Kind::Space)).transpose()?;
    let project_type = match scene.call.parameter("project_type") {
        None => None,
        Some("APPLICATION") => Some(ProjectType::Application),
        Some("HARNESS") => Some(ProjectType::Harness),
        Some("EXPERIMENT") => Some(ProjectType::Experiment),
        Some(_) => return Err(Problem::invalid("unknown project_type")),
    };
    if space.is_some_and(|id| !scene.caller.sees_space(tenant, id)) {
        return Err(Problem::not_found("space"));
    }
    let in_named_space =
        |row: &&Project| tenant.spaces.get(row.space_id).is_some_and(|space| space_name.is_in(&space.name));
    let rows = tenant.projects.after(window.after);
    let rows = rows
        .filter(|row| space.is_none_or(|space| row.space_id == space))
        .filter(|row| name.is_in(&row.name))
        .filter(in_named_space)
        .filter(|row| project_type.is_none() || row.project_type == project_type)
        .filter(|row| scene.may("PROJECT_READ", Place::Resource(row.id)));
    Ok(window.page(rows.map(|row| (row.id, Some(wire(row))))))
}

/// GET `/v2/projects/{project_id}`
pub fn get(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = readable(scene)?;
    let row = scene.tenant.projects.get(id).ok_or_else(|| Problem::not_found("project"))?;
    Ok(Answer::ok(wire(row)))
}

/// POST `/v2/projects`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut fields = scene.fields()?;
    let name = fields.required_text("name")?;
    let space = fields.required_text("space_id")?;
    fields.end()?;
    let name = body::name(name, 255)?;
    let space_id = scene.id(&space, Kind::Space)?;
    scene.require("PROJECT_CREATE", Place::Resource(space_id))?;
    name_is_free(scene.tenant, space_id, &name, None)?;
    let id = scene.tenant.issue(Kind::Model);
    let row = Project { id, name, space_id, created_at: now(), project_type: None, generative: true };
    let answer = wire(&row);
    scene.tenant.projects.insert(row);
    Ok(Answer::created(answer))
}

/// PATCH `/v2/projects/{project_id}`
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = readable(scene)?;
    scene.require("PROJECT_UPDATE", Place::Resource(id))?;
    let mut fields = scene.fields()?;
    let name = fields.required_text("name")?;
    fields.end()?;
    let name = body::name(name, 255)?;
    if let Some(space) = scene.tenant.space_of(id) {
        name_is_free(scene.tenant, space, &name, Some(id))?;
    }
    let row = scene.tenant.projects.get_mut(id).ok_or_else(|| Problem::not_found("project"))?;
    row.name = name;
    Ok(Answer::ok(wire(row)))
}

/// DELETE `/v2/projects/{project_id}`: with its bindings and its restriction.
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = readable(scene)?;
    scene.require("PROJECT_DELETE", Place::Resource(id))?;
    scene.tenant.drop_project(id);
    Ok(Answer::none())
}

fn readable(scene: &Scene<'_>) -> Result<Id, Problem> {
    let id = scene.path_id(0, Kind::Model)?;
    if scene.may("PROJECT_READ", Place::Resource(id)) { Ok(id) } else { Err(Problem::not_found("project")) }
}

fn name_is_free(tenant: &Tenant, space: Id, name: &str, but: Option<Id>) -> Result<(), Problem> {
    let same = |row: &&Project| row.space_id == space && row.name == name && Some(row.id) != but;
    match tenant.projects.iter().find(same) {
        Some(_) => Err(Problem::conflict("a project of this name exists in the space")),
        None => Ok(()),
    }
}

fn wire(row: &Project) -> Value {
    json!({
        "id": row.id,
        "name": row.name,
        "space_id": row.space_id,
        "created_at": row.created_at,
        "project_type": row.project_type,
    })
}
