//! `/access-control/assignments/search`: which principals have which permissions, by which role
//! (contract 2.5: up to 12).
//!
//! The contract only names the path, and its clients send no body. So a body is ignored, and the answer
//! covers the whole organization. The form of the answer is a guess.

use serde_json::{Value, json};

use super::{call::Scene, problem::Problem};
use crate::{
    grafana::rows::{basic_role::BasicRole, roles::Role},
    kit::answer::Answer,
};

/// The basic roles that have permissions.
const BASIC: [BasicRole; 3] = [BasicRole::Viewer, BasicRole::Editor, BasicRole::Admin];

/// POST `/access-control/assignments/search`
pub fn search(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("users.roles:read", "users:id:*")?;
    scene.require("teams.roles:read", "teams:id:*")?;
    let (tenant, org) = (&*scene.tenant, scene.caller.org);
    let roles = tenant.roles_by_uid();
    let mut found: Vec<Value> = Vec::new();
    let mut add = |uid: &str, org_id: i64, key: &str, principal: Value| {
        let role = roles.get(uid).filter(|role| role.is_in(org));
        found.extend(role.into_iter().flat_map(|role| entries(role, org_id, key, &principal)));
    };
    for row in tenant.direct_roles().filter(|row| row.org_id == org || row.org_id == 0) {
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

fn entries(role: &Role, org_id: i64, key: &str, principal: &Value) -> Vec<Value> {
    let entry = |action: &str, scope: &str| {
        json!({
            "action": action,
            "scope": scope,
            "roleName": role.name,
            "version": role.version,
            "orgId": org_id,
            key: principal,
        })
    };
    role.permissions.iter().map(|permission| entry(&permission.action, &permission.scope)).collect()
}
