//! Who may do what: permissions of the caller and of others (contract 2.3, 2.5).

use serde_json::{Map, Value, json};

use super::{
    call::{Answer, Scene},
    holdings,
    permissions::Permissions,
    problem::Problem,
};

/// GET `/access-control/user/permissions`: the caller's own, as the server believes them to be; `reloadcache`
/// has been heeded when the caller was authenticated.
pub fn own(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    Ok(Answer::ok(json!(scene.caller.permissions)))
}

/// GET `/access-control/user/actions`
pub fn own_actions(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let actions = scene.caller.permissions.by_action().keys();
    Ok(Answer::ok(actions.map(|action| (action.clone(), Value::Bool(true))).collect::<Map<_, _>>().into()))
}

/// GET `/access-control/users/{id}/permissions`: a flat list, of whatever way.
pub fn of_user(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let user = scene.path_number(0)?;
    scene.require("users.permissions:read", &format!("users:id:{user}"))?;
    let held = holdings::of(scene.tenant, user, scene.caller.org);
    Ok(Answer::ok(held.iter().map(|(action, scope)| json!({ "action": action, "scope": scope })).collect()))
}

/// GET `/access-control/users/permissions/search`: one action or the start of one must be named.
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
    let found = users.chain(accounts).map(|id| (id, filter.pick(&holdings::of(tenant, id, org))));
    let found = found.filter(|(_, held)| !held.by_action().is_empty());
    Ok(Answer::ok(found.map(|(id, held)| (id.to_string(), json!(held))).collect::<Map<_, _>>().into()))
}

/// GET `/access-control/user/{id}/permissions/search`
pub fn search_of_user(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let user = scene.path_number(0)?;
    scene.require("users.permissions:read", &format!("users:id:{user}"))?;
    let filter = Filter::read(scene)?;
    Ok(Answer::ok(json!(filter.pick(&holdings::of(scene.tenant, user, scene.caller.org)))))
}

struct Filter {
    action: Option<String>,
    prefix: Option<String>,
    scope: Option<String>,
}

impl Filter {
    fn read(scene: &Scene<'_>) -> Result<Self, Problem> {
        let given = |name| scene.call.parameter(name).filter(|text| !text.is_empty()).map(str::to_owned);
        let filter = Self { action: given("action"), prefix: given("actionPrefix"), scope: given("scope") };
        if filter.action.is_some() && filter.prefix.is_some() {
            return Err(Problem::bad_request("action and action prefix exclude each other"));
        }
        Ok(filter)
    }

    fn pick(&self, held: &Permissions) -> Permissions {
        held.iter()
            .filter(|(action, _)| self.action.as_ref().is_none_or(|wanted| wanted == action))
            .filter(|(action, _)| {
                self.prefix.as_ref().is_none_or(|prefix| action.starts_with(prefix.as_str()))
            })
            .filter(|(action, scope)| {
                let one: Permissions = [(action, scope)].into_iter().collect();
                self.scope.as_ref().is_none_or(|wanted| one.cover(action, wanted))
            })
            .collect()
    }
}
