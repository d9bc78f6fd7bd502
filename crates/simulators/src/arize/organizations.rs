//! `/v2/organizations` (contract 2.5).

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

/// An organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// Its identifier.
    pub id: Id,
    /// Its name, unique in the account.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// When it was made.
    pub created_at: Timestamp,
}

identified!(Organization, Id);

/// GET `/v2/organizations`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("ORGANIZATION_READ", Place::Account)?;
    let tenant = &*scene.tenant;
    let window = Window::of("organizations", scene.call, &tenant.switches)?;
    let name = scene.substring("name")?;
    let rows = tenant.organizations.after(window.after);
    let rows =
        rows.filter(|row| name.is_in(&row.name)).filter(|row| scene.caller.sees_organization(tenant, row.id));
    Ok(window.page(rows.map(|row| (row.id, Some(wire(row))))))
}

/// GET `/v2/organizations/{org_id}`
pub fn get(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = readable(scene)?;
    let row = scene.tenant.organizations.get(id).ok_or_else(|| Problem::not_found("organization"))?;
    Ok(Answer::ok(wire(row)))
}

/// POST `/v2/organizations`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("ORGANIZATION_CREATE", Place::Account)?;
    let mut fields = scene.fields()?;
    let name = fields.required_text("name")?;
    let description = fields.text("description")?.unwrap_or_default();
    fields.end()?;
    let name = body::name(name, 255)?;
    let description = body::description(description)?;
    name_is_free(scene.tenant, &name, None)?;
    let id = scene.tenant.issue(Kind::AccountOrganization);
    let row = Organization { id, name, description, created_at: now() };
    let answer = wire(&row);
    scene.tenant.organizations.insert(row);
    Ok(Answer::created(answer))
}

/// PATCH `/v2/organizations/{org_id}`
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = readable(scene)?;
    scene.require("ORGANIZATION_UPDATE", Place::Organization(id))?;
    let mut fields = scene.updated_fields()?;
    let name = fields.text("name")?;
    let description = fields.clearable_text("description")?;
    fields.end()?;
    let name = name.map(|name| body::name(name, 255)).transpose()?;
    let description = description.map(|text| body::description(text.unwrap_or_default())).transpose()?;
    if let Some(name) = &name {
        name_is_free(scene.tenant, name, Some(id))?;
    }
    let row = scene.tenant.organizations.get_mut(id).ok_or_else(|| Problem::not_found("organization"))?;
    row.name = name.unwrap_or_else(|| std::mem::take(&mut row.name));
    row.description = description.unwrap_or_else(|| std::mem::take(&mut row.description));
    Ok(Answer::ok(wire(row)))
}

/// DELETE `/v2/organizations/{org_id}`: with everything in it.
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = readable(scene)?;
    scene.require("ORGANIZATION_DELETE", Place::Organization(id))?;
    scene.tenant.drop_organization(id);
    Ok(Answer::none())
}

fn readable(scene: &Scene<'_>) -> Result<Id, Problem> {
    let id = scene.path_id(0, Kind::AccountOrganization)?;
    if scene.may("ORGANIZATION_READ", Place::Organization(id)) {
        Ok(id)
    } else {
        Err(Problem::not_found("organization"))
    }
}

fn name_is_free(tenant: &Tenant, name: &str, but: Option<Id>) -> Result<(), Problem> {
    match tenant.organizations.iter().find(|row| row.name == name && Some(row.id) != but) {
        Some(_) => Err(Problem::conflict("an organization of this name exists")),
        None => Ok(()),
    }
}

fn wire(row: &Organization) -> Value {
    json!({
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "created_at": row.created_at,
    })
}
