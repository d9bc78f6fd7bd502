//! The operations on invitations (contract 2.2, 2.3).

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    body::required,
    call::Scene,
    organizations,
    paging::{Page, ordered},
    problem::Problem,
    roles, users,
};
use crate::zenml::{
    access::rights::Place,
    rows::{invitations::Invitation, principals::Principal, roles::Level},
    state::Tenant,
};

/// GET `/organizations/{id}/invitations`
pub fn list(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let organization = organizations::find(scene, scene.call.param(0))?;
    let page = Page::if_paged(scene)?;
    let only_pending = scene.query_flag("only_pending")?.unwrap_or(false);
    let email = scene.call.parameter("email");
    if !scene.can_list(Place::organization(organization), "invitation:read")? {
        return Ok(json!([]));
    }
    let rows = scene.tenant.invitations.iter().filter(|row| {
        row.organization_id == organization
            && email.is_none_or(|email| row.email == email)
            && !(only_pending && row.is_accepted)
    });
    Ok(page.cut(ordered(rows, scene)).map(|row| to_json(row, scene.tenant)).collect())
}

/// POST `/organizations/{id}/invitations`
pub fn create(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let organization = organizations::find(scene, scene.call.param(0))?;
    let mut fields = scene.fields()?;
    let email = fields.text("email", 256)?;
    let email = required("email", email)?;
    let role_id = fields.id("role_id")?;
    let role_id = required("role_id", role_id)?;
    scene.require(Place::organization(organization), "invitation:create")?;
    let tenant = &mut *scene.tenant;
    let role = tenant.roles.get(role_id).filter(|role| role.organization_id == organization);
    if role.ok_or_else(|| Problem::missing("role"))?.level != Level::Organization {
        return Err(Problem::illegal("Only organization roles can be given with an invitation"));
    }
    let is_open =
        |row: &Invitation| row.organization_id == organization && row.email == email && !row.is_accepted;
    if tenant.invitations.iter().any(is_open) {
        return Err(Problem::exists("An invitation for this address already exists"));
    }
    let id = tenant.add_invitation(organization, &email, role_id, Timestamp::now());
    Ok(tenant.invitations.get(id).map(|row| to_json(row, tenant)).unwrap_or_default())
}

/// DELETE `/organizations/{id}/invitations/{invitation_id}`. Deletes its assignments and memberships too.
pub fn delete(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let organization = organizations::find(scene, scene.call.param(0))?;
    let id = scene.path_id(1, "invitation_id")?;
    scene.require(Place::organization(organization), "invitation:delete")?;
    let found = scene.tenant.invitations.get(id).filter(|row| row.organization_id == organization);
    found.ok_or_else(|| Problem::missing("invitation"))?;
    scene.tenant.remove_principal(Principal::Invitation(id));
    scene.tenant.invitations.remove(id);
    Ok(Value::Null)
}

/// GET `/invitations`. Lists the caller's open invitations.
pub fn list_own(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let email = users::calling_user(scene)?.email.clone();
    let rows = scene.tenant.invitations.iter();
    let rows = rows.filter(|row| Some(&row.email) == email.as_ref() && !row.is_accepted);
    Ok(ordered(rows, scene).into_iter().map(|row| to_json(row, scene.tenant)).collect())
}

/// GET `/invitations/{id}`
pub fn get(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let invitation = find_own(scene)?;
    Ok(to_json(&invitation, scene.tenant))
}

/// POST `/invitations/{id}`. Accepts the invitation: its roles and teams pass to the user.
pub fn accept(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let invitation = find_own(scene)?;
    if invitation.is_accepted {
        return Err(Problem::illegal("The invitation was already accepted"));
    }
    let user = Principal::User(users::calling_user(scene)?.id);
    let tenant = &mut *scene.tenant;
    let accepted = tenant.accept(invitation, user);
    Ok(to_json(&accepted, tenant))
}

/// The invitation in the path, if it is for the caller's address.
fn find_own(scene: &Scene<'_>) -> Result<Invitation, Problem> {
    let id = scene.path_id(0, "invitation_id")?;
    let invitation = scene.tenant.invitations.get(id).ok_or_else(|| Problem::missing("invitation"))?;
    if users::calling_user(scene)?.email.as_ref() != Some(&invitation.email) {
        return Err(Problem::hidden(&scene.tenant.switches, "invitation"));
    }
    Ok(invitation.clone())
}

/// The JSON of an invitation.
pub fn to_json(row: &Invitation, tenant: &Tenant) -> Value {
    let first =
        tenant.assignments.iter().find(|assignment| assignment.principal == Principal::Invitation(row.id));
    let role = first.and_then(|assignment| tenant.roles.get(assignment.role_id));
    json!({
        "id": row.id,
        "email": row.email,
        "organization_id": row.organization_id,
        "role": role.map(|role| roles::list_json(role, &tenant.switches)),
        "accepted": row.is_accepted,
        "created": row.created,
        "updated": row.updated,
    })
}
