//! `/v2/spaces` (contract 2.5).

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
    switches::Switches,
};
use crate::kit::table::identified;

/// A space.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Space {
    /// Its identifier.
    pub id: Id,
    /// The organization it belongs to.
    pub organization_id: Id,
    /// Its name, unique in its organization only.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether only its members and admins see it.
    #[serde(default)]
    pub is_private: bool,
}

identified!(Space, Id);

/// GET `/v2/spaces`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let tenant = &*scene.tenant;
    let window = Window::of("spaces", scene.call, &tenant.switches)?;
    let name = scene.substring("name")?;
    let parent =
        scene.call.parameter("org_id").map(|text| scene.id(text, Kind::AccountOrganization)).transpose()?;
    if parent.is_some_and(|id| !scene.caller.sees_organization(tenant, id)) {
        return Err(Problem::not_found("organization"));
    }
    let rows = tenant.spaces.after(window.after);
    let rows = rows
        .filter(|row| parent.is_none_or(|parent| row.organization_id == parent))
        .filter(|row| name.is_in(&row.name))
        .filter(|row| scene.may("SPACE_READ", Place::Resource(row.id)));
    Ok(window.page(rows.map(|row| (row.id, Some(wire(row, &tenant.switches))))))
}

/// GET `/v2/spaces/{space_id}`
pub fn get(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = readable(scene)?;
    let row = scene.tenant.spaces.get(id).ok_or_else(|| Problem::not_found("space"))?;
    Ok(Answer::ok(wire(row, &scene.tenant.switches)))
}

/// POST `/v2/spaces`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut fields = scene.fields()?;
    let name = fields.required_text("name")?;
    let organization = fields.required_text("organization_id")?;
    let description = fields.text("description")?.unwrap_or_default();
    let is_private = fields.flag("is_private")?.unwrap_or(false);
    fields.end()?;
    let name = body::name(name, 255)?;
    let description = body::description(description)?;
    let organization_id = scene.id(&organization, Kind::AccountOrganization)?;
    if !scene.caller.sees_organization(scene.tenant, organization_id) {
        return Err(Problem::not_found("organization"));
    }
    scene.require("SPACE_CREATE", Place::Organization(organization_id))?;
    name_is_free(scene.tenant, organization_id, &name, None)?;
    let id = scene.tenant.issue(Kind::Space);
    let row = Space { id, organization_id, name, description, created_at: now(), is_private };
    let answer = wire(&row, &scene.tenant.switches);
    scene.tenant.spaces.insert(row);
    Ok(Answer::created(answer))
}

/// PATCH `/v2/spaces/{space_id}`
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = readable(scene)?;
    scene.require("SPACE_UPDATE", Place::Resource(id))?;
    let mut fields = scene.updated_fields()?;
    let name = fields.text("name")?;
    let description = fields.clearable_text("description")?;
    let is_private = fields.flag("is_private")?;
    fields.end()?;
    let name = name.map(|name| body::name(name, 255)).transpose()?;
    if description == Some(Some(String::new())) {
        return Err(Problem::unprocessable("description must not be empty; null clears it"));
    }
    let description = description.map(|text| body::description(text.unwrap_or_default())).transpose()?;
    let organization = scene.tenant.spaces.get(id).map(|row| row.organization_id);
    if let (Some(name), Some(organization)) = (&name, organization) {
        name_is_free(scene.tenant, organization, name, Some(id))?;
    }
    let switches = scene.tenant.switches.clone();
    let row = scene.tenant.spaces.get_mut(id).ok_or_else(|| Problem::not_found("space"))?;
    row.name = name.unwrap_or_else(|| std::mem::take(&mut row.name));
    row.description = description.unwrap_or_else(|| std::mem::take(&mut row.description));
    row.is_private = is_private.unwrap_or(row.is_private);
    Ok(Answer::ok(wire(row, &switches)))
}

/// DELETE `/v2/spaces/{space_id}`: with everything in it.
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = readable(scene)?;
    scene.require("SPACE_DELETE", Place::Resource(id))?;
    scene.tenant.drop_space(id);
    Ok(Answer::none())
}

fn readable(scene: &Scene<'_>) -> Result<Id, Problem> {
    let id = scene.path_id(0, Kind::Space)?;
    if scene.may("SPACE_READ", Place::Resource(id)) { Ok(id) } else { Err(Problem::not_found("space")) }
}

fn name_is_free(tenant: &Tenant, organization: Id, name: &str, but: Option<Id>) -> Result<(), Problem> {
    let same = |row: &&Space| row.organization_id == organization && row.name == name && Some(row.id) != but;
    match tenant.spaces.iter().find(same) {
        Some(_) => Err(Problem::conflict("a space of this name exists in the organization")),
        None => Ok(()),
    }
}

fn wire(row: &Space, switches: &Switches) -> Value {
    let mut wire = json!({
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "created_at": row.created_at,
        "is_private": row.is_private,
    });
    if !switches.before_1140() {
        wire["organization_id"] = json!(row.organization_id);
    }
    wire
}
