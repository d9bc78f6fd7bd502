//! The operations on organizations (contract 2.3).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    body::required,
    call::Scene,
    paging::{Page, ordered},
    problem::Problem,
};
use crate::zenml::{
    access::rights::Place,
    rows::{ids::Uuid, organizations::Organization},
    state::Tenant,
};

/// GET `/organizations`. Lists those that the caller can see.
pub fn list(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let page = Page::of(scene)?;
    let visible = scene.visible_organizations();
    let rows = ordered(scene.tenant.organizations.iter().filter(|row| visible.contains(&row.id)), scene);
    Ok(page.cut(rows).map(to_json).collect())
}

/// GET `/organizations/{id_or_name}`
pub fn get(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let id = find(scene, scene.call.param(0))?;
    scene.require(Place::organization(id), "organization:read")?;
    scene.tenant.organizations.get(id).map(to_json).ok_or_else(|| Problem::missing("organization"))
}

/// POST `/organizations`. The caller becomes the owner.
pub fn create(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let mut fields = scene.fields()?;
    let name = fields.text("name", 50)?;
    let name = required("name", name)?;
    let description = fields.text("description", 256)?;
    let owner = scene.caller.grant.user_id.and_then(|id| scene.tenant.users.get(id));
    let owner = owner.filter(|user| !user.is_service_account).map(|user| user.id);
    let owner = owner.ok_or_else(|| Problem::illegal("Only users can create organizations"))?;
    require_free_name(scene.tenant, &name, None)?;
    let id = scene.tenant.add_organization(&name, description, Some(owner), Timestamp::now());
    Ok(scene.tenant.organizations.get(id).map(to_json).unwrap_or_default())
}

/// PATCH `/organizations/{id}`
pub fn update(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let id = find(scene, scene.call.param(0))?;
    scene.require(Place::organization(id), "organization:update")?;
    let mut fields = scene.fields()?;
    let (name, description) = (fields.text("name", 50)?, fields.text("description", 256)?);
    if let Some(name) = &name {
        require_free_name(scene.tenant, name, Some(id))?;
    }
    let row = scene.tenant.organizations.get_mut(id).ok_or_else(|| Problem::missing("organization"))?;
    row.name = name.unwrap_or_else(|| row.name.clone());
    row.description = description.or_else(|| row.description.take());
    row.updated = Timestamp::now();
    Ok(to_json(row))
}

/// DELETE `/organizations/{id}`. Deletes all rows of the organization too.
pub fn delete(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let id = find(scene, scene.call.param(0))?;
    scene.require(Place::organization(id), "organization:delete")?;
    scene.tenant.remove_organization(id);
    Ok(Value::Null)
}

/// The organization with this identifier or name, if the caller can see it.
///
/// # Errors
/// 404, or the switched status of hidden rows.
pub fn find(scene: &Scene<'_>, id_or_name: &str) -> Result<Uuid, Problem> {
    let id = id_or_name.parse().ok();
    let mut rows = scene.tenant.organizations.iter();
    let found = rows.find(|row| Some(row.id) == id || row.name == id_or_name);
    let id = found.ok_or_else(|| Problem::missing("organization"))?.id;
    if scene.caller.can_see_organization(scene.tenant, id) {
        Ok(id)
    } else {
        Err(Problem::hidden(&scene.tenant.switches, "organization"))
    }
}

fn require_free_name(tenant: &Tenant, name: &str, except: Option<Uuid>) -> Result<(), Problem> {
    if tenant.organizations.iter().any(|row| row.name == name && Some(row.id) != except) {
        return Err(Problem::exists("An organization with this name already exists"));
    }
    Ok(())
}

/// The JSON of an organization.
pub fn to_json(row: &Organization) -> Value {
    json!({
        "id": row.id,
        "name": row.name,
        "description": row.description,
        "created": row.created,
        "updated": row.updated,
    })
}
