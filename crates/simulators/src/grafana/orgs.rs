//! Organizations (contract 2.6).

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    basic_role::BasicRole,
    call::{Answer, Scene, message},
    problem::Problem,
    state::{Kind, Tenant},
    users::OrgUser,
};
use crate::kit::table::identified;

/// An organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Org {
    /// Its number.
    pub id: i64,
    /// Its name, unique.
    pub name: String,
}

identified!(Org, i64);

/// GET `/org`: the caller's.
pub fn current(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("orgs:read", "")?;
    get(scene.tenant, scene.caller.org).map(wire).map(Answer::ok)
}

/// GET `/orgs`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    server_admin(scene)?;
    let orgs = scene.tenant.orgs.iter();
    Ok(Answer::ok(orgs.map(|org| json!({ "id": org.id, "name": org.name })).collect()))
}

/// GET `/orgs/{id}`
pub fn read(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    server_admin(scene)?;
    get(scene.tenant, scene.path_number(0)?).map(wire).map(Answer::ok)
}

/// GET `/orgs/name/{name}`
pub fn read_by_name(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    server_admin(scene)?;
    let name = scene.call.param(0);
    let org = scene.tenant.orgs.iter().find(|org| org.name == name);
    org.map(wire).map(Answer::ok).ok_or_else(not_found)
}

/// POST `/orgs`: the caller becomes its admin.
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("orgs:create", "")?;
    let name = scene.fields()?.required_text("name")?;
    let tenant = &mut *scene.tenant;
    if tenant.orgs.iter().any(|org| org.name == name) {
        return Err(Problem::switched(409, "Organization name taken"));
    }
    let id = tenant.issue(Kind::Org);
    tenant.orgs.insert(Org { id, name });
    if let Some(user_id) = scene.caller.principal.filter(|id| tenant.users.contains(*id)) {
        tenant.org_users.push(OrgUser { org_id: id, user_id, role: BasicRole::Admin });
    }
    Ok(Answer::ok(json!({ "orgId": id, "message": "Organization created" })))
}

/// DELETE `/orgs/{id}`: with everything in it.
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    server_admin(scene)?;
    scene.require("orgs:delete", "")?;
    let id = scene.path_number(0)?;
    let tenant = &mut *scene.tenant;
    tenant.orgs.remove(id).ok_or_else(not_found)?;
    tenant.org_users.retain(|row| row.org_id != id);
    tenant.service_accounts.retain(|row| row.org_id != id);
    let gone: Vec<i64> = tenant.teams.iter().filter(|team| team.org_id == id).map(|team| team.id).collect();
    tenant.team_members.retain(|row| !gone.contains(&row.team_id));
    tenant.teams.retain(|row| row.org_id != id);
    tenant.folders.retain(|row| row.org_id != id);
    tenant.dashboards.retain(|row| row.org_id != id);
    tenant.data_sources.retain(|row| row.org_id != id);
    tenant.receivers.retain(|row| row.org_id != id);
    tenant.roles.retain(|row| row.org_id != id);
    tenant.user_roles.retain(|row| row.org_id != id);
    tenant.team_roles.retain(|row| row.org_id != id);
    tenant.group_mappings.retain(|row| row.org_id != id);
    tenant.managed_permissions.retain(|row| row.org_id != id);
    Ok(message("Organization deleted"))
}

/// Ends the call unless an admin of the server calls.
///
/// # Errors
/// 403.
pub fn server_admin(scene: &Scene<'_>) -> Result<(), Problem> {
    if scene.caller.is_grafana_admin { Ok(()) } else { Err(Problem::access_denied("orgs:read")) }
}

/// The organization of this number.
///
/// # Errors
/// 404.
pub fn get(tenant: &Tenant, id: i64) -> Result<&Org, Problem> {
    tenant.orgs.get(id).ok_or_else(not_found)
}

fn not_found() -> Problem {
    Problem::not_found("Organization not found")
}

fn wire(org: &Org) -> Value {
    let address = json!({
        "address1": "",
        "address2": "",
        "city": "",
        "zipCode": "",
        "state": "",
        "country": "",
    });
    json!({ "id": org.id, "name": org.name, "address": address })
}
