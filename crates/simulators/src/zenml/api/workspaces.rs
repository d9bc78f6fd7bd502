//! The operations on workspaces, on older paths called tenants (contract 2.3).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    body::{parse_choice, required},
    call::Scene,
    organizations,
    paging::{Page, ordered},
    problem::Problem,
};
use crate::zenml::{
    access::rights::Place,
    rows::{
        ids::Uuid,
        workspaces::{Status, Workspace},
    },
    state::Tenant,
};

/// The version of ZenML on all workspaces.
const VERSION: &str = "0.98.0";

const STATUSES: [(&str, Status); 6] = [
    ("not_initialized", Status::NotInitialized),
    ("pending", Status::Pending),
    ("available", Status::Available),
    ("failed", Status::Failed),
    ("deactivated", Status::Deactivated),
    ("deleted", Status::Deleted),
];

/// GET `/workspaces`, `/tenants`. Lists those that the caller can see.
pub fn list(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let page = Page::of(scene)?;
    let organization = scene.query_id("organization_id")?;
    let status = scene.call.parameter("status");
    let status = status.map(|word| parse_choice("query", "status", Some(word), &STATUSES)).transpose()?;
    let member_only =
        scene.query_flag("member_only")?.unwrap_or(scene.tenant.switches.member_only_by_default);
    let (name, url) = (scene.call.parameter("workspace_name"), scene.call.parameter("url"));
    let tenant = &*scene.tenant;
    let user = scene.caller.grant.user_id;
    let is_member = |workspace: Uuid| {
        user.is_some_and(|id| {
            tenant.roles_of(id).any(|(assignment, _)| assignment.workspace_id == Some(workspace))
        })
    };
    let rows = tenant.workspaces.iter().filter(|row| {
        is_visible(scene, row)
            && organization.is_none_or(|id| row.organization_id == id)
            && status.is_none_or(|status| row.status == status)
            && name.is_none_or(|name| row.name == name)
            && url.is_none_or(|url| row.url() == url)
            && (!member_only || is_member(row.id))
    });
    Ok(page.cut(ordered(rows, scene)).map(|row| to_json(row, tenant)).collect())
}

/// GET `/workspaces/{id_or_name}`, `/tenants/{id_or_name}`
pub fn get(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    find(scene, scene.call.param(0)).map(|workspace| to_json(&workspace, scene.tenant))
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
    // Without a service, the workspace has no server yet.
    row.status = match fields.value("zenml_service") {
        Some(_) => Status::Available,
        None => Status::NotInitialized,
    };
    let answer = to_json(&row, scene.tenant);
    scene.tenant.workspaces.insert(row);
    Ok(answer)
}

/// PATCH `/workspaces/{id_or_name}`
pub fn update(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let mut row = find(scene, scene.call.param(0))?;
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
    let answer = to_json(&row, scene.tenant);
    scene.tenant.workspaces.insert(row);
    Ok(answer)
}

/// The workspace with this identifier or name, if the caller can see it. If several organizations have a workspace
/// with this name, it is one that the caller can see.
///
/// # Errors
/// 404, or the switched status of hidden rows.
pub fn find(scene: &Scene<'_>, id_or_name: &str) -> Result<Workspace, Problem> {
    let id = id_or_name.parse().ok();
    let rows = scene.tenant.workspaces.iter();
    let mut matching = rows.filter(|row| Some(row.id) == id || row.name == id_or_name).peekable();
    if matching.peek().is_none() {
        return Err(Problem::missing("workspace"));
    }
    let visible = matching.find(|row| is_visible(scene, row)).cloned();
    visible.ok_or_else(|| Problem::hidden(&scene.tenant.switches, "workspace"))
}

fn is_visible(scene: &Scene<'_>, row: &Workspace) -> bool {
    let place = Place { workspace: Some(row.id), ..Place::organization(row.organization_id) };
    scene.caller.can(scene.tenant, place, "workspace:read")
}

fn to_json(row: &Workspace, tenant: &Tenant) -> Value {
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
        "organization": tenant.organizations.get(row.organization_id).map(organizations::to_json),
        "desired_state": desired,
        "state_reason": "",
        "status": row.status,
        "zenml_service": { "configuration": { "version": VERSION }, "status": service },
        "created": row.created,
        "updated": row.updated,
    })
}
