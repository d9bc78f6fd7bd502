//! `/v2/projects` (contract 2.5).

use serde_json::{Value, json};

use super::{body, call::Scene, paging::Window, problem::Problem};
use crate::{
    arize::{
        access::Target,
        rows::{
            ids::{Id, Kind},
            projects::{Project, ProjectType},
        },
        state::{Tenant, now},
    },
    kit::answer::Answer,
};

/// GET `/v2/projects`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("PROJECT_READ", Target::Account)?;
    let tenant = &*scene.tenant;
    let window = Window::of("projects", scene.call, &tenant.switches)?;
    let name = scene.substring("name")?;
    let space_name = scene.substring("space_name")?;
    let space = scene.query_id("space_id", Kind::Space)?;
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
        .filter(|row| scene.can("PROJECT_READ", Target::Resource(row.id)));
    Ok(window.page(rows.map(|row| (row.id, Some(to_json(row))))))
}

/// GET `/v2/projects/{project_id}`
pub fn get(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = readable(scene)?;
    let row = scene.tenant.projects.get(id).ok_or_else(|| Problem::not_found("project"))?;
    Ok(Answer::ok(to_json(row)))
}

/// POST `/v2/projects`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut fields = scene.fields()?;
    let name = fields.required_text("name")?;
    let space = fields.required_text("space_id")?;
    fields.end()?;
    let name = body::name(name, 255)?;
    let space_id = scene.id(&space, Kind::Space)?;
    scene.require("PROJECT_CREATE", Target::Resource(space_id))?;
    require_free_name(scene.tenant, space_id, &name, None)?;
    let id = scene.tenant.issue(Kind::Model);
    let row = Project { id, name, space_id, created_at: now(), project_type: None, generative: true };
    let answer = to_json(&row);
    scene.tenant.projects.insert(row);
    Ok(Answer::created(answer))
}

/// PATCH `/v2/projects/{project_id}`
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = readable(scene)?;
    scene.require("PROJECT_UPDATE", Target::Resource(id))?;
    let mut fields = scene.fields()?;
    let name = fields.required_text("name")?;
    fields.end()?;
    let name = body::name(name, 255)?;
    if let Some(space) = scene.tenant.space_of(id) {
        require_free_name(scene.tenant, space, &name, Some(id))?;
    }
    let row = scene.tenant.projects.get_mut(id).ok_or_else(|| Problem::not_found("project"))?;
    row.name = name;
    Ok(Answer::ok(to_json(row)))
}

/// DELETE `/v2/projects/{project_id}`: deletes its bindings and its restriction too.
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = readable(scene)?;
    scene.require("PROJECT_DELETE", Target::Resource(id))?;
    scene.tenant.drop_project(id);
    Ok(Answer::none())
}

/// The project in the path; 404 if the caller cannot read it.
fn readable(scene: &Scene<'_>) -> Result<Id, Problem> {
    let id = scene.path_id(0, Kind::Model)?;
    if scene.can("PROJECT_READ", Target::Resource(id)) { Ok(id) } else { Err(Problem::not_found("project")) }
}

fn require_free_name(tenant: &Tenant, space: Id, name: &str, except: Option<Id>) -> Result<(), Problem> {
    if tenant.project_name_is_taken(space, name, except) {
        return Err(Problem::conflict("a project with this name exists in the space"));
    }
    Ok(())
}

fn to_json(row: &Project) -> Value {
    json!({
        "id": row.id,
        "name": row.name,
        "space_id": row.space_id,
        "created_at": row.created_at,
        "project_type": row.project_type,
    })
}
