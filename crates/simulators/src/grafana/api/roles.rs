//! Reading roles, and whether the server has roles at all (contract 1.4, 2.2).

use serde_json::json;

use super::{call::Scene, problem::Problem, role_json};
use crate::{
    grafana::{
        rows::{
            roles::{Role, RoleKind},
            switches::{Generation, Licence},
        },
        state::Tenant,
    },
    kit::answer::Answer,
};

/// The role with this uid, if it exists in the organization.
///
/// # Errors
/// 404.
pub fn get<'a>(tenant: &'a Tenant, org: i64, uid: &str) -> Result<&'a Role, Problem> {
    tenant.role(org, uid).ok_or_else(|| Problem::not_found("role not found"))
}

/// GET `/access-control/status`
pub fn status(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("status:accesscontrol", "services:accesscontrol")?;
    Ok(Answer::ok(json!({ "enabled": scene.tenant.switches.licence == Licence::Valid })))
}

/// GET `/access-control/roles`: not paginated, without permissions.
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("roles:read", "roles:*")?;
    let org = scene.target_org()?;
    let with_hidden = scene.is_set("includeHidden");
    let with_delegatable = scene.is_set("delegatable");
    let tenant = &*scene.tenant;
    let shown = tenant
        .roles
        .iter()
        .filter(|role| role.is_in(org) && role.kind() != RoleKind::Managed && (with_hidden || !role.hidden));
    let entries = shown.map(|role| {
        let mut entry = role_json::summary(role, &tenant.switches);
        if with_delegatable && scene.caller.can_delegate(&role.permissions) {
            entry["delegatable"] = true.into();
        }
        entry
    });
    Ok(Answer::ok(entries.collect()))
}

/// GET `/access-control/roles/{uid}`
pub fn read(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let uid = scene.call.param(0);
    let scope = match scene.tenant.switches.generation {
        Generation::V11 => "roles:*".to_owned(),
        Generation::V12 | Generation::V13 => format!("roles:uid:{uid}"),
    };
    scene.require("roles:read", &scope)?;
    let role = get(scene.tenant, scene.caller.org, uid)?.clone();
    Ok(Answer::ok(role_json::full(scene, &role)))
}
