//! The operations on projects (contract 2.3).

use serde_json::{Value, json};

use super::{
    call::Scene,
    paging::{Page, ordered},
    problem::Problem,
    workspaces,
};
use crate::zenml::rows::{projects::Project, workspaces::Workspace};

/// GET `/workspaces/{ws}/projects`, on servers that have it.
pub fn list(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let page = Page::of(scene)?;
    let workspace = workspaces::find(scene, scene.call.param(0))?;
    let rows = scene.tenant.projects.iter().filter(|row| row.workspace_id == workspace.id);
    Ok(page.cut(ordered(rows, scene)).map(to_json).collect())
}

/// GET `/workspaces/{ws}/projects/{p}`, on servers that have it.
pub fn get(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    find(scene).map(|(_, project)| to_json(&project))
}

/// The workspace and the project in the path, by identifier or name, if the caller can see the workspace.
///
/// # Errors
/// 404, or the switched status of hidden rows.
pub fn find(scene: &Scene<'_>) -> Result<(Workspace, Project), Problem> {
    let workspace = workspaces::find(scene, scene.call.param(0))?;
    let (id, name) = (scene.call.param(1).parse().ok(), scene.call.param(1));
    let mut rows = scene.tenant.projects.iter().filter(|row| row.workspace_id == workspace.id);
    let project = rows.find(|row| Some(row.id) == id || row.name == name);
    let project = project.ok_or_else(|| Problem::missing("project"))?.clone();
    Ok((workspace, project))
}

fn to_json(row: &Project) -> Value {
    json!({ "id": row.id, "name": row.name, "workspace_id": row.workspace_id, "created": row.created })
}
