//! Workspaces, on older paths called tenants (contract 2.3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    body::{chosen, required},
    call::Scene,
    ids::Uuid,
    organizations,
    paging::{Page, arranged},
    problem::Problem,
    rights::Place,
    state::{Listed, Tenant},
};
use crate::kit::table::identified;

/// A workspace.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Workspace {
    /// Its identifier.
    pub id: Uuid,
    /// The organization.
    pub organization_id: Uuid,
    /// Its name, unique in the organization.
    pub name: String,
    /// The name that people see.
    #[serde(default)]
    pub display_name: Option<String>,
    /// Whether it runs.
    pub status: Status,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
}

identified!(Workspace, Uuid);

impl Listed for Workspace {
    fn created(&self) -> Timestamp {
        self.created
    }
}

impl Workspace {
    /// Where its own server would be.
    fn url(&self) -> String {
        format!("https://{}-zenml.workspaces.example.com", &self.id.to_string()[..8])
    }
}

/// What the workspaces' servers run.
const VERSION: &str = "0.98.0";

/// Whether a workspace runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Status {
    NotInitialized,
    Pending,
    Available,
    Failed,
    Deactivated,
    Deleted,
}

const STATUSES: [(&str, Status); 6] = [
    ("not_initialized", Status::NotInitialized),
    ("pending", Status::Pending),
    ("available", Status::Available),
    ("failed", Status::Failed),
    ("deactivated", Status::Deactivated),
    ("deleted", Status::Deleted),
];

/// GET `/workspaces`, `/tenants`: those that the caller may know of.
pub fn list(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let page = Page::of(scene)?;
    let organization = scene.query_id("organization_id")?;
    let status = scene.call.parameter("status");
    let status = status.map(|word| chosen("query", "status", Some(word), &STATUSES)).transpose()?;
    let member_only =
        scene.query_flag("member_only")?.unwrap_or(scene.tenant.switches.member_only_by_default);
    let (name, url) = (scene.call.parameter("workspace_name"), scene.call.parameter("url"));
    let tenant = &*scene.tenant;
    let user = scene.caller.grant.user_id;
    let is_members = |workspace: Uuid| {
        user.is_some_and(|id| tenant.held_by(id).any(|(held, _)| held.workspace_id == Some(workspace)))
    };
    let rows = tenant.workspaces.iter().filter(|row| {
        sees(scene, row)
            && organization.is_none_or(|id| row.organization_id == id)
            && status.is_none_or(|wanted| row.status == wanted)
            && name.is_none_or(|name| row.name == name)
            && url.is_none_or(|url| row.url() == url)
            && (!member_only || is_members(row.id))
    });
    Ok(page.cut(arranged(rows, scene)).map(|row| wire(row, tenant)).collect())
}

/// GET `/workspaces/{id_or_name}`, `/tenants/{id_or_name}`
pub fn read(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    reach(scene, scene.call.param(0)).map(|workspace| wire(&workspace, scene.tenant))
}

/// POST `/workspaces`
pub fn create(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let mut fields = scene.fields()?;
    let name = fields.text("name", 50)?;
    let display_name = fields.text("display_name", 256)?;
    let organization_id = fields.id("organization_id")?;
    let organization = required("organization_id", organization_id)?;
    let name = name.or_else(|| display_name.as_ref().map(|text| text.to_lowercase().replace(' ', "-")));
    let name = required("name", name)?;
    if !scene.tenant.organizations.contains(organization) {
        return Err(Problem::missing("organization"));
    }
    scene.require(Place::organization(organization), "workspace:create")?;
    if scene.tenant.workspace_by_name(organization, &name).is_some() {
        return Err(Problem::exists("A workspace with this name already exists"));
    }
    let id = scene.tenant.add_workspace(organization, &name, Timestamp::now());
    let mut row = scene.tenant.workspaces.get(id).cloned().ok_or_else(|| Problem::missing("workspace"))?;
    row.display_name = display_name.or(row.display_name);
    // Without a service there is nothing to run yet.
    row.status = match fields.value("zenml_service") {
        Some(_) => Status::Available,
        None => Status::NotInitialized,
    };
    let answer = wire(&row, scene.tenant);
    scene.tenant.workspaces.insert(row);
    Ok(answer)
}

/// PATCH `/workspaces/{id_or_name}`
pub fn update(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let mut row = reach(scene, scene.call.param(0))?;
    let place = Place { workspace: Some(row.id), ..Place::organization(row.organization_id) };
    scene.require(place, "workspace:update")?;
    let mut fields = scene.fields()?;
    let name = fields.text("name", 50)?;
    row.display_name = fields.text("display_name", 256)?.or(row.display_name);
    if let Some(name) = name {
        let taken = scene.tenant.workspace_by_name(row.organization_id, &name);
        if taken.is_some_and(|id| id != row.id) {
            return Err(Problem::exists("A workspace with this name already exists"));
        }
        row.name = name;
    }
    row.updated = Timestamp::now();
    let answer = wire(&row, scene.tenant);
    scene.tenant.workspaces.insert(row);
    Ok(answer)
}

/// The workspace of this identifier or name, if the caller may know of it. Where organizations have workspaces
/// of the same name, it is one that the caller sees.
///
/// # Errors
/// 404 or 403.
pub fn reach(scene: &Scene<'_>, id_or_name: &str) -> Result<Workspace, Problem> {
    let id = id_or_name.parse().ok();
    let rows = scene.tenant.workspaces.iter();
    let mut found = rows.filter(|row| Some(row.id) == id || row.name == id_or_name).peekable();
    if found.peek().is_none() {
        return Err(Problem::missing("workspace"));
    }
    let seen = found.find(|row| sees(scene, row)).cloned();
    seen.ok_or_else(|| Problem::hidden(&scene.tenant.switches, "workspace"))
}

fn sees(scene: &Scene<'_>, row: &Workspace) -> bool {
    let place = Place { workspace: Some(row.id), ..Place::organization(row.organization_id) };
    scene.caller.may(scene.tenant, place, "workspace:read")
}

fn wire(row: &Workspace, tenant: &Tenant) -> Value {
    let desired = match row.status {
        Status::Pending | Status::Failed => Status::Available,
        settled => settled,
    };
    let service =
        (row.status == Status::Available).then(|| json!({ "server_url": row.url(), "version": VERSION }));
    json!({
        "id": row.id,
        "name": row.name,
        "display_name": row.display_name,
        "description": null,
        "organization": tenant.organizations.get(row.organization_id).map(organizations::wire),
        "desired_state": desired,
        "state_reason": "",
        "status": row.status,
        "zenml_service": { "configuration": { "version": VERSION }, "status": service },
        "created": row.created,
        "updated": row.updated,
    })
}

impl Tenant {
    /// Adds a workspace that runs.
    pub fn add_workspace(&mut self, organization_id: Uuid, name: &str, created: Timestamp) -> Uuid {
        let id = self.issue();
        self.workspaces.insert(Workspace {
            id,
            organization_id,
            name: name.to_owned(),
            display_name: Some(name.to_owned()),
            status: Status::Available,
            created,
            updated: created,
        });
        id
    }

    /// The workspace of this name.
    pub fn workspace_by_name(&self, organization: Uuid, name: &str) -> Option<Uuid> {
        let mut rows = self.workspaces.iter().filter(|row| row.organization_id == organization);
        rows.find(|row| row.name == name).map(|row| row.id)
    }
}
