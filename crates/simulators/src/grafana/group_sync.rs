//! Group attribute sync: groups of an identity provider that bring roles (contract 2.5, 3.5).
//!
//! Mappings are made here; who is in a group the identity provider knows, so it is part of the state alone. The
//! contract names the paths and no more: bodies and codes are inferred from those of the other assignments.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    call::{Answer, Scene, message},
    problem::Problem,
    role_assignments,
    roles::{self, Role},
    state::Tenant,
};

/// The roles that an external group brings in an organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupMapping {
    /// The organization.
    pub org_id: i64,
    /// The group, as the identity provider calls it; mapped once in an organization.
    pub group_id: String,
    /// The uids of the roles.
    #[serde(default)]
    pub role_uids: Vec<String>,
}

/// A user in an external group.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ExternalGroupMember {
    /// The group, as the identity provider calls it.
    pub group_id: String,
    /// The user.
    pub user_id: i64,
}

/// A role that a user or a service account has directly, be it through a group.
#[derive(Clone, Copy, Debug)]
pub struct HeldRole<'a> {
    /// The organization in which it counts; 0 for all.
    pub org_id: i64,
    /// The user or service account.
    pub user_id: i64,
    /// The role.
    pub role_uid: &'a str,
    /// Whether a group brings it.
    pub mapped: bool,
}

impl Tenant {
    /// Every role of users and service accounts: the stored ones, then what mapped groups bring to those of
    /// their members who belong to the organization, each role once.
    pub fn held_roles(&self) -> impl Iterator<Item = HeldRole<'_>> {
        let stored = self.user_roles.iter().map(|row| HeldRole {
            org_id: row.org_id,
            user_id: row.user_id,
            role_uid: &row.role_uid,
            mapped: row.mapped,
        });
        let mut brought = BTreeSet::new();
        for mapping in &self.group_mappings {
            let in_org = |user: i64| {
                self.org_users.iter().any(|row| (row.org_id, row.user_id) == (mapping.org_id, user))
            };
            let members = self.external_group_members.iter().filter(|row| row.group_id == mapping.group_id);
            for member in members.filter(|row| in_org(row.user_id)) {
                let rows = mapping.role_uids.iter().map(|uid| (mapping.org_id, member.user_id, uid.as_str()));
                brought.extend(rows);
            }
        }
        let brought = brought.into_iter();
        stored.chain(brought.map(|(org_id, user_id, role_uid)| HeldRole {
            org_id,
            user_id,
            role_uid,
            mapped: true,
        }))
    }
}

/// GET `/groupsync/groups`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("groupsync.mappings:read", "")?;
    let rows = scene.tenant.group_mappings.iter().filter(|row| row.org_id == scene.caller.org);
    let wire =
        |row: &GroupMapping| json!({ "groupID": row.group_id, "mappings": { "roles": row.role_uids } });
    let groups: Vec<Value> = rows.map(wire).collect();
    Ok(Answer::ok(json!({ "total": groups.len(), "groups": groups })))
}

/// GET `/groupsync/groups/{group_id}/roles`: a group without mapping brings none.
pub fn roles_of(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("groupsync.mappings:read", "")?;
    let tenant = &*scene.tenant;
    let uids = place(scene).map(|at| tenant.group_mappings[at].role_uids.as_slice()).unwrap_or_default();
    let brought = uids.iter().filter_map(|uid| roles::find(tenant, scene.caller.org, uid));
    Ok(Answer::ok(brought.map(|role| roles::summary(role, &tenant.switches)).collect()))
}

/// POST `/groupsync/groups/{group_id}`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("groupsync.mappings:write", "")?;
    let role_uids = sent(scene)?;
    if place(scene).is_some() {
        let status = scene.tenant.switches.duplicate_group_mapping_status;
        return Err(Problem::switched(status, "the group is mapped already"));
    }
    may_hand_over(scene, &role_uids)?;
    let mapping =
        GroupMapping { org_id: scene.caller.org, group_id: scene.call.param(0).to_owned(), role_uids };
    scene.tenant.group_mappings.push(mapping);
    let body = json!({ "message": "Group mappings created." });
    Ok(Answer::switched(scene.tenant.switches.create_status, body))
}

/// PUT `/groupsync/groups/{group_id}`: the whole set of roles.
pub fn set(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("groupsync.mappings:write", "")?;
    let role_uids = sent(scene)?;
    let at = place(scene).ok_or_else(not_found)?;
    let before = scene.tenant.group_mappings[at].role_uids.clone();
    let added = role_uids.iter().filter(|uid| !before.contains(uid));
    let removed = before.iter().filter(|uid| !role_uids.contains(uid));
    may_hand_over(scene, added.chain(removed))?;
    scene.tenant.group_mappings[at].role_uids = role_uids;
    Ok(message("Group mappings set."))
}

/// DELETE `/groupsync/groups/{group_id}`
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("groupsync.mappings:write", "")?;
    let at = place(scene).ok_or_else(not_found)?;
    may_hand_over(scene, &scene.tenant.group_mappings[at].role_uids)?;
    scene.tenant.group_mappings.remove(at);
    Ok(message("Group mappings deleted."))
}

/// The roles of the body, each once, all known to the organization.
fn sent(scene: &Scene<'_>) -> Result<Vec<String>, Problem> {
    let mut uids: Vec<String> = Vec::new();
    for uid in scene.fields()?.texts("roles")? {
        roles::get(scene.tenant, scene.caller.org, &uid)?;
        if !uids.contains(&uid) {
            uids.push(uid);
        }
    }
    Ok(uids)
}

/// Whether the caller may bring these roles to a group, or take them from it. A role that is gone asks for
/// nothing.
fn may_hand_over<'a>(scene: &Scene<'_>, uids: impl IntoIterator<Item = &'a String>) -> Result<(), Problem> {
    let find = |uid: &String| roles::find(scene.tenant, scene.caller.org, uid);
    let mut known = uids.into_iter().filter_map(find);
    known.try_for_each(|role: &Role| role_assignments::may_hand_over(scene, role))
}

/// Where the mapping of the path's group is.
fn place(scene: &Scene<'_>) -> Option<usize> {
    let is_meant = |row: &GroupMapping| row.org_id == scene.caller.org && row.group_id == scene.call.param(0);
    scene.tenant.group_mappings.iter().position(is_meant)
}

fn not_found() -> Problem {
    Problem::not_found("Group mappings not found")
}
