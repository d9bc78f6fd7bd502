//! Group attribute sync: which roles the members of an external group get (contract 2.5, 3.5).
//!
//! These paths change only the mappings. The members of a group are the identity provider's data, and part of
//! the state.

use serde_json::{Value, json};

use super::{call::Scene, delegation, problem::Problem, role_json, roles};
use crate::{
    grafana::rows::{group_mappings::GroupMapping, roles::Role},
    kit::answer::Answer,
};

/// GET `/groupsync/groups`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("groupsync.mappings:read", "")?;
    let rows = scene.tenant.group_mappings.iter().filter(|row| row.org_id == scene.caller.org);
    let to_json = |row: &GroupMapping| {
        let mappings = json!({ (row.org_id.to_string()): { "roles": row.role_uids } });
        json!({ "groupID": row.group_id, "mappings": mappings })
    };
    let groups: Vec<Value> = rows.map(to_json).collect();
    Ok(Answer::ok(json!({ "total": groups.len(), "groups": groups })))
}

/// GET `/groupsync/groups/{group_id}/roles`. A group without a mapping has none.
pub fn roles_of(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("groupsync.mappings:read", "")?;
    let tenant = &*scene.tenant;
    let uids = position(scene).map(|at| tenant.group_mappings[at].role_uids.as_slice()).unwrap_or_default();
    let roles = uids.iter().filter_map(|uid| tenant.role(scene.caller.org, uid));
    Ok(Answer::ok(roles.map(|role| role_json::summary(role, &tenant.switches)).collect()))
}

/// POST `/groupsync/groups/{group_id}`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("groupsync.mappings:write", "")?;
    let role_uids = requested_roles(scene)?;
    if position(scene).is_some() {
        let status = scene.tenant.switches.duplicate_group_mapping_status;
        return Err(Problem::switched(status, "the group is already mapped"));
    }
    require_delegation(scene, &role_uids)?;
    let mapping =
        GroupMapping { org_id: scene.caller.org, group_id: scene.call.param(0).to_owned(), role_uids };
    scene.tenant.group_mappings.push(mapping);
    let body = json!({ "message": "Group mappings created." });
    Ok(Answer::switched(scene.tenant.switches.create_status, body))
}

/// PUT `/groupsync/groups/{group_id}`: replaces the roles.
pub fn set(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("groupsync.mappings:write", "")?;
    let role_uids = requested_roles(scene)?;
    let at = position(scene).ok_or_else(not_found)?;
    let before = scene.tenant.group_mappings[at].role_uids.clone();
    let added = role_uids.iter().filter(|uid| !before.contains(uid));
    let removed = before.iter().filter(|uid| !role_uids.contains(uid));
    require_delegation(scene, added.chain(removed))?;
    scene.tenant.group_mappings[at].role_uids = role_uids;
    Ok(Answer::created(json!({ "message": "Group mappings set." })))
}

/// DELETE `/groupsync/groups/{group_id}`
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("groupsync.mappings:write", "")?;
    let at = position(scene).ok_or_else(not_found)?;
    require_delegation(scene, &scene.tenant.group_mappings[at].role_uids)?;
    scene.tenant.group_mappings.remove(at);
    Ok(Answer::none())
}

/// The roles of the body without duplicates. Each exists in the organization.
fn requested_roles(scene: &Scene<'_>) -> Result<Vec<String>, Problem> {
    let mut uids: Vec<String> = Vec::new();
    for uid in scene.fields()?.texts("roles")? {
        roles::get(scene.tenant, scene.caller.org, &uid)?;
        if !uids.contains(&uid) {
            uids.push(uid);
        }
    }
    Ok(uids)
}

/// Ends the call unless the caller can assign and unassign these roles. Deleted roles need nothing.
fn require_delegation<'a>(
    scene: &Scene<'_>,
    uids: impl IntoIterator<Item = &'a String>,
) -> Result<(), Problem> {
    let find = |uid: &String| scene.tenant.role(scene.caller.org, uid);
    let mut known = uids.into_iter().filter_map(find);
    known.try_for_each(|role: &Role| delegation::require(scene, role))
}

/// The position of the mapping of the group in the path.
fn position(scene: &Scene<'_>) -> Option<usize> {
    let is_requested =
        |row: &GroupMapping| row.org_id == scene.caller.org && row.group_id == scene.call.param(0);
    scene.tenant.group_mappings.iter().position(is_requested)
}

fn not_found() -> Problem {
    Problem::not_found("Group mappings not found")
}
