//! Projects of workspaces. They are made on another server; here they are scopes of roles (contract 2.3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    call::Scene,
    ids::Uuid,
    paging::{Page, arranged},
    problem::Problem,
    state::{Listed, Tenant},
    workspaces::{self, Workspace},
};
use crate::kit::table::identified;

/// A project.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Project {
    /// Its identifier.
    pub id: Uuid,
    /// The workspace.
    pub workspace_id: Uuid,
    /// Its name, unique in the workspace.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
}

identified!(Project, Uuid);

impl Listed for Project {
    fn created(&self) -> Timestamp {
        self.created
    }
}

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

impl Tenant {
    /// Adds a project.
    pub fn add_project(&mut self, workspace_id: Uuid, name: &str, created: Timestamp) -> Uuid {
        let id = self.issue();
        self.projects.insert(Project { id, workspace_id, name: name.to_owned(), created });
        id
    }

    /// The project of this name.
    pub fn project_by_name(&self, workspace: Uuid, name: &str) -> Option<Uuid> {
        let mut rows = self.projects.iter().filter(|row| row.workspace_id == workspace);
        rows.find(|row| row.name == name).map(|row| row.id)
    }
}
