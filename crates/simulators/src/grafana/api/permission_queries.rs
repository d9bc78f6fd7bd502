//! Permissions of the caller and of others (contract 2.3, 2.5).

use serde_json::{Map, Value, json};

use super::{call::Scene, problem::Problem};
use crate::{
    grafana::{access::effective, rows::permissions::Permissions},
    kit::answer::Answer,
};

/// GET `/access-control/user/permissions`: the caller's own, from the server's cache. Authentication has
/// already handled `reloadcache`.
pub fn own(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    Ok(Answer::ok(json!(scene.caller.permissions)))
}

/// GET `/access-control/user/actions`
pub fn own_actions(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let actions = scene.caller.permissions.by_action().keys();
    Ok(Answer::ok(actions.map(|action| (action.clone(), Value::Bool(true))).collect::<Map<_, _>>().into()))
}

/// GET `/access-control/users/{id}/permissions`: a flat list of the permissions from all sources.
pub fn of_user(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let user = scene.path_number(0)?;
    scene.require("users.permissions:read", &format!("users:id:{user}"))?;
    let permissions = effective::permissions(scene.tenant, user, scene.caller.org);
    Ok(Answer::ok(
        permissions.iter().map(|(action, scope)| json!({ "action": action, "scope": scope })).collect(),
    ))
}

/// GET `/access-control/users/permissions/search`: needs either an action or the prefix of one.
pub fn search(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("users.permissions:read", "users:*")?;
    let filter = Filter::read(scene)?;
    if filter.action.is_none() && filter.prefix.is_none() {
        return Err(Problem::bad_request("missing action or action prefix"));
    }
    let tenant = &*scene.tenant;
    let org = scene.caller.org;
    let users = tenant.org_users.iter().filter(|row| row.org_id == org).map(|row| row.user_id);
    let accounts = tenant.service_accounts.iter().filter(|row| row.org_id == org).map(|row| row.id);
    let found = users.chain(accounts).map(|id| (id, filter.pick(&effective::permissions(tenant, id, org))));
    let found = found.filter(|(_, permissions)| !permissions.by_action().is_empty());
    Ok(Answer::ok(
        found.map(|(id, permissions)| (id.to_string(), json!(permissions))).collect::<Map<_, _>>().into(),
    ))
}

/// GET `/access-control/user/{id}/permissions/search`
pub fn search_of_user(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let user = scene.path_number(0)?;
    scene.require("users.permissions:read", &format!("users:id:{user}"))?;
    let filter = Filter::read(scene)?;
    Ok(Answer::ok(json!(filter.pick(&effective::permissions(scene.tenant, user, scene.caller.org)))))
}

/// A filter on permissions. An absent part matches all.
struct Filter {
    action: Option<String>,
    prefix: Option<String>,
    scope: Option<String>,
}

impl Filter {
    fn read(scene: &Scene<'_>) -> Result<Self, Problem> {
        let text = |name| scene.call.parameter(name).filter(|text| !text.is_empty()).map(str::to_owned);
        let filter = Self { action: text("action"), prefix: text("actionPrefix"), scope: text("scope") };
        if filter.action.is_some() && filter.prefix.is_some() {
            return Err(Problem::bad_request("action and action prefix exclude each other"));
        }
        Ok(filter)
    }

    fn pick(&self, permissions: &Permissions) -> Permissions {
        permissions
            .iter()
            .filter(|(action, _)| self.action.as_ref().is_none_or(|requested| requested == action))
            .filter(|(action, _)| {
                self.prefix.as_ref().is_none_or(|prefix| action.starts_with(prefix.as_str()))
            })
            .filter(|(action, scope)| {
                let one: Permissions = [(action, scope)].into_iter().collect();
                self.scope.as_ref().is_none_or(|requested| one.cover(action, requested))
            })
            .collect()
    }
}
