//! `/v2/organizations` (contract 2.5).

use serde_json::{Value, json};

use super::{body, call::Scene, paging::Window, problem::Problem};
use crate::{
    arize::{
        access::Target,
        rows::{
            ids::{Id, Kind},
            organizations::Organization,
        },
        state::{Tenant, now},
    },
    kit::answer::Answer,
};

/// GET `/v2/organizations`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("ORGANIZATION_READ", Target::Account)?;
    let tenant = &*scene.tenant;
    let window = Window::of("organizations", scene.call, &tenant.switches)?;
    let name = scene.substring("name")?;
    let rows = tenant.organizations.after(window.after);
    let rows =
        rows.filter(|row| name.is_in(&row.name)).filter(|row| scene.caller.sees_organization(tenant, row.id));
    Ok(window.page(rows.map(|row| (row.id, Some(to_json(row))))))
}

/// GET `/v2/organizations/{org_id}`
pub fn get(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = readable(scene)?;
    let row = scene.tenant.organizations.get(id).ok_or_else(|| Problem::not_found("organization"))?;
    Ok(Answer::ok(to_json(row)))
}

/// POST `/v2/organizations`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("ORGANIZATION_CREATE", Target::Account)?;
    let mut fields = scene.fields()?;
    let name = fields.required_text("name")?;
    let description = fields.text("description")?.unwrap_or_default();
    fields.end()?;
    let name = body::name(name, 255)?;
    let description = body::description(description)?;
    require_free_name(scene.tenant, &name, None)?;
    let id = scene.tenant.issue(Kind::AccountOrganization);
    let row = Organization { id, name, description, created_at: now() };
    let answer = to_json(&row);
    scene.tenant.organizations.insert(row);
    Ok(Answer::created(answer))
}

/// PATCH `/v2/organizations/{org_id}`
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = readable(scene)?;
    scene.require("ORGANIZATION_UPDATE", Target::Organization(id))?;
    let mut fields = scene.updated_fields()?;
    let name = fields.text("name")?;
    let description = fields.clearable_text("description")?;
    fields.end()?;
    let name = name.map(|name| body::name(name, 255)).transpose()?;
    let description = description.map(|text| body::description(text.unwrap_or_default())).transpose()?;
    if let Some(name) = &name {
        require_free_name(scene.tenant, name, Some(id))?;
    }
    let row = scene.tenant.organizations.get_mut(id).ok_or_else(|| Problem::not_found("organization"))?;
    row.name = name.unwrap_or_else(|| std::mem::take(&mut row.name));
    row.description = description.unwrap_or_else(|| std::mem::take(&mut row.description));
    Ok(Answer::ok(to_json(row)))
}

/// DELETE `/v2/organizations/{org_id}`: deletes everything in it too.
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let id = readable(scene)?;
    scene.require("ORGANIZATION_DELETE", Target::Organization(id))?;
    scene.tenant.drop_organization(id);
    Ok(Answer::none())
}

/// The organization in the path; 404 if the caller cannot read it.
fn readable(scene: &Scene<'_>) -> Result<Id, Problem> {
    let id = scene.path_id(0, Kind::AccountOrganization)?;
    if scene.can("ORGANIZATION_READ", Target::Organization(id)) {
        Ok(id)
    } else {
        Err(Problem::not_found("organization"))
    }
}

fn require_free_name(tenant: &Tenant, name: &str, except: Option<Id>) -> Result<(), Problem> {
    if tenant.organization_name_is_taken(name, except) {
        return Err(Problem::conflict("an organization with this name exists"));
    }
    Ok(())
}

fn to_json(row: &Organization) -> Value {
    json!({
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "created_at": row.created_at,
    })
}
