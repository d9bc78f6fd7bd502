//! `/v2/spaces` (contract 2.5).

use serde_json::{Value, json};

use super::{body, call::Scene, paging::Window, problem::Problem};
use crate::{
    arize::{
        access::Target,
        rows::{
            ids::{Id, Kind},
            spaces::Space,
            switches::Switches,
        },
        state::{Tenant, now},
    },
    kit::answer::Answer,
};

/// GET `/v2/spaces`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let tenant = &*scene.tenant;
    let window = Window::of("spaces", scene.call, &tenant.switches)?;
    let name = scene.substring("name")?;
    let parent = scene.query_id("org_id", Kind::AccountOrganization)?;
    if parent.is_some_and(|id| !scene.caller.sees_organization(tenant, id)) {
        return Err(Problem::not_found("organization"));
    }
    let rows = tenant.spaces.after(window.after);
    let rows = rows
        .filter(|row| parent.is_none_or(|parent| row.organization_id == parent))
        .filter(|row| name.is_in(&row.name))
        .filter(|row| scene.can("SPACE_READ", Target::Resource(row.id)));
    Ok(window.page(rows.map(|row| (row.id, Some(to_json(row, &tenant.switches))))))
}

/// GET `/v2/spaces/{space_id}`
pub fn get(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = readable(scene)?;
    let row = scene.tenant.spaces.get(id).ok_or_else(|| Problem::not_found("space"))?;
    Ok(Answer::ok(to_json(row, &scene.tenant.switches)))
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
    scene.require("SPACE_CREATE", Target::Organization(organization_id))?;
    require_free_name(scene.tenant, organization_id, &name, None)?;
    let id = scene.tenant.issue(Kind::Space);
    let row = Space { id, organization_id, name, description, created_at: now(), is_private };
    let answer = to_json(&row, &scene.tenant.switches);
    scene.tenant.spaces.insert(row);
    Ok(Answer::created(answer))
}

/// PATCH `/v2/spaces/{space_id}`
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = readable(scene)?;
    scene.require("SPACE_UPDATE", Target::Resource(id))?;
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
        require_free_name(scene.tenant, organization, name, Some(id))?;
    }
    let switches = scene.tenant.switches.clone();
    let row = scene.tenant.spaces.get_mut(id).ok_or_else(|| Problem::not_found("space"))?;
    row.name = name.unwrap_or_else(|| std::mem::take(&mut row.name));
    row.description = description.unwrap_or_else(|| std::mem::take(&mut row.description));
    row.is_private = is_private.unwrap_or(row.is_private);
    Ok(Answer::ok(to_json(row, &switches)))
}

/// DELETE `/v2/spaces/{space_id}`: deletes everything in it too.
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = readable(scene)?;
    scene.require("SPACE_DELETE", Target::Resource(id))?;
    scene.tenant.drop_space(id);
    Ok(Answer::none())
}

/// The space in the path; 404 if the caller cannot read it.
fn readable(scene: &Scene<'_>) -> Result<Id, Problem> {
    let id = scene.path_id(0, Kind::Space)?;
    if scene.can("SPACE_READ", Target::Resource(id)) { Ok(id) } else { Err(Problem::not_found("space")) }
}

fn require_free_name(
    tenant: &Tenant,
    organization: Id,
    name: &str,
    except: Option<Id>,
) -> Result<(), Problem> {
    if tenant.space_name_is_taken(organization, name, except) {
        return Err(Problem::conflict("a space with this name exists in the organization"));
    }
    Ok(())
}

fn to_json(row: &Space, switches: &Switches) -> Value {
    let mut body = json!({
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "created_at": row.created_at,
        "is_private": row.is_private,
    });
    if !switches.before_1140() {
        body["organization_id"] = json!(row.organization_id);
    }
    body
}
