//! `/access-control/assignments/search`: which permission comes to whom by which role (contract 2.5: up to 12).
//!
//! The contract names the path and no more, and its clients send no body: none is read, and all of the
//! organization is answered. The shape of the answer is inferred.

use serde_json::{Value, json};

use super::{
    basic_role::BasicRole,
    call::{Answer, Scene},
    holdings,
    problem::Problem,
    roles::Role,
};

/// The basic roles that have permissions.
const BASIC: [BasicRole; 3] = [BasicRole::Viewer, BasicRole::Editor, BasicRole::Admin];

/// POST `/access-control/assignments/search`
pub fn search(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("users.roles:read", "users:id:*")?;
    scene.require("teams.roles:read", "teams:id:*")?;
    let (tenant, org) = (&*scene.tenant, scene.caller.org);
    let roles = holdings::by_uid(tenant);
    let mut found: Vec<Value> = Vec::new();
    let mut add = |uid: &str, org_id: i64, key: &str, whom: Value| {
        let role = roles.get(uid).filter(|role| role.is_seen_in(org));
        found.extend(role.into_iter().flat_map(|role| entries(role, org_id, key, &whom)));
    };
    for row in tenant.held_roles().filter(|row| row.org_id == org || row.org_id == 0) {
        add(row.role_uid, row.org_id, "userId", row.user_id.into());
    }
    for row in tenant.team_roles.iter().filter(|row| row.org_id == org) {
        add(&row.role_uid, row.org_id, "teamId", row.team_id.into());
    }
    for role in BASIC {
        add(role.uid(), org, "basicRole", role.name().into());
    }
    Ok(Answer::ok(json!({ "result": found })))
}

fn entries(role: &Role, org_id: i64, key: &str, whom: &Value) -> Vec<Value> {
    let entry = |action: &str, scope: &str| {
        json!({
            "action": action,
            "scope": scope,
            "roleName": role.name,
            "version": role.version,
            "orgId": org_id,
            key: whom,
        })
    };
    role.permissions.iter().map(|held| entry(&held.action, &held.scope)).collect()
}
