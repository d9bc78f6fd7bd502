//! Organizations (contract 2.6).

use serde_json::{Value, json};

use super::{
    call::{Scene, message},
    problem::Problem,
};
use crate::{
    grafana::{
        rows::{basic_role::BasicRole, orgs::Org, users::OrgUser},
        state::{Kind, Tenant},
    },
    kit::answer::Answer,
};

/// GET `/org`: the caller's organization.
pub fn current(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("orgs:read", "")?;
    get(scene.tenant, scene.caller.org).map(to_json).map(Answer::ok)
}

/// GET `/orgs`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    require_server_admin(scene)?;
    let orgs = scene.tenant.orgs.iter();
    Ok(Answer::ok(orgs.map(|org| json!({ "id": org.id, "name": org.name })).collect()))
}

/// GET `/orgs/{id}`
pub fn read(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    require_server_admin(scene)?;
    get(scene.tenant, scene.path_number(0)?).map(to_json).map(Answer::ok)
}

/// GET `/orgs/name/{name}`
pub fn read_by_name(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    require_server_admin(scene)?;
    let name = scene.call.param(0);
    let org = scene.tenant.orgs.iter().find(|org| org.name == name);
    org.map(to_json).map(Answer::ok).ok_or_else(not_found)
}

/// POST `/orgs`. The caller becomes its admin.
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

/// DELETE `/orgs/{id}`: deletes everything in it too.
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    require_server_admin(scene)?;
    scene.require("orgs:delete", "")?;
    let id = scene.path_number(0)?;
    if scene.tenant.drop_org(id) { Ok(message("Organization deleted")) } else { Err(not_found()) }
}

/// Ends the call unless the caller is a server admin.
///
/// # Errors
/// 403.
pub fn require_server_admin(scene: &Scene<'_>) -> Result<(), Problem> {
    if scene.caller.is_grafana_admin { Ok(()) } else { Err(Problem::access_denied("orgs:read")) }
}

/// The organization with this number.
///
/// # Errors
/// 404.
pub fn get(tenant: &Tenant, id: i64) -> Result<&Org, Problem> {
    tenant.orgs.get(id).ok_or_else(not_found)
}

fn not_found() -> Problem {
    Problem::not_found("Organization not found")
}

fn to_json(org: &Org) -> Value {
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
