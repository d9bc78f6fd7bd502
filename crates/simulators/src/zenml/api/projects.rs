//! The operations on projects. They are made on another server; here they are scopes of roles (contract 2.3).

use serde_json::{Value, json};

use super::{
    call::Scene,
    paging::{Page, arranged},
    problem::Problem,
    workspaces,
};
use crate::zenml::rows::{projects::Project, workspaces::Workspace};

/// GET `/workspaces/{ws}/projects`, where the server has it.
pub fn list(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let page = Page::of(scene)?;
    let workspace = workspaces::reach(scene, scene.call.param(0))?;
    let rows = scene.tenant.projects.iter().filter(|row| row.workspace_id == workspace.id);
    Ok(page.cut(arranged(rows, scene)).map(wire).collect())
}

/// GET `/workspaces/{ws}/projects/{p}`, where the server has it.
pub fn read(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    reach(scene).map(|(_, project)| wire(&project))
}

/// The workspace and project of the path, by identifier or name, if the caller may know of them.
///
/// # Errors
/// 404 or 403.
pub fn reach(scene: &Scene<'_>) -> Result<(Workspace, Project), Problem> {
    let workspace = workspaces::reach(scene, scene.call.param(0))?;
    let (id, name) = (scene.call.param(1).parse().ok(), scene.call.param(1));
    let mut rows = scene.tenant.projects.iter().filter(|row| row.workspace_id == workspace.id);
    let project = rows.find(|row| Some(row.id) == id || row.name == name);
    let project = project.ok_or_else(|| Problem::missing("project"))?.clone();
    Ok((workspace, project))
}

fn wire(row: &Project) -> Value {
    json!({ "id": row.id, "name": row.name, "workspace_id": row.workspace_id, "created": row.created })
}
