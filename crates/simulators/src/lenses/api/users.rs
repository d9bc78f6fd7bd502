//! The operations on users (contract 2.3).

use serde_json::{Value, json};

use super::{
    body::within,
    call::{Answer, Scene},
    groups, memberships, metadata,
    problem::Problem,
    service_accounts,
};
use crate::lenses::{
    rows::{
        kind::{Kind, Verb},
        metadata::Metadata,
        names,
        principals::{Principal, PrincipalKind},
        users::User,
    },
    state::{Tenant, now},
};

/// The maximum length of a user's name in characters (contract 2.3).
const MAX_NAME: usize = 100;

/// GET `/users`
pub fn list(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let tenant = &*scene.tenant;
    let mut groups = groups::groups_json_by_principal(tenant);
    let rows = tenant.users.iter().map(|user| {
        let groups = groups.remove(&Principal::user(user.name.as_str())).unwrap_or_default();
        (user.name.clone(), json_with_groups(user, groups))
    });
    scene.list(Kind::User, rows)
}

/// POST `/users`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut fields = scene.fields()?;
    let name = fields.required_text("name")?;
    scene.require(Verb::Create, Kind::User, &name)?;
    let tenant = &mut *scene.tenant;
    if tenant.switches.user_names_are_resource_names && !names::is_resource_name(&name) {
        return Err(Problem::invalid(format!("{name:?} is not a valid name")));
    }
    within("name", Some(name.clone()), 1, MAX_NAME)?;
    let display_name = fields.display_name()?;
    let metadata = metadata::read(&mut fields, &Metadata::new())?;
    fields.done()?;
    if tenant.is_name_taken(&Principal::user(name.as_str())) {
        return Err(Problem::taken("a principal", &name));
    }
    let id = tenant.issue_id();
    let user = User { metadata, ..User::new(&name, display_name.as_deref().unwrap_or(&name), id, now()) };
    let body = to_json(&user, tenant);
    tenant.users.insert(user);
    Ok(Answer::created(body))
}

/// GET `/users/{name}`. If the switches set a name for the caller, the operation returns the caller under this name.
pub fn get(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    if scene.tenant.switches.current_user_name.as_deref() == Some(scene.name()) {
        return current_user(scene);
    }
    let user = authorize(scene, Verb::Get)?;
    Ok(Answer::ok(to_json(&user, scene.tenant)))
}

/// PATCH `/users/{name}`
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut user = authorize(scene, Verb::Update)?;
    let mut fields = scene.fields()?;
    user.display_name = fields.display_name()?.unwrap_or(user.display_name);
    user.metadata = metadata::read(&mut fields, &user.metadata)?;
    fields.done()?;
    let body = to_json(&user, scene.tenant);
    scene.tenant.users.insert(user);
    Ok(Answer::ok(body))
}

/// DELETE `/users/{name}`. Removes the user from all groups too.
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let user = authorize(scene, Verb::Delete)?;
    scene.tenant.users.remove(&user.name);
    scene.tenant.remove_from_groups(&Principal::user(user.name));
    Ok(Answer::none())
}

/// PUT `/users/{name}/groups`
pub fn set_groups(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let user = authorize(scene, Verb::Update)?;
    memberships::put_groups(scene, &Principal::user(user.name.as_str()))?;
    Ok(Answer::ok(to_json(&user, scene.tenant)))
}

fn current_user(scene: &Scene<'_>) -> Result<Answer, Problem> {
    let tenant = &*scene.tenant;
    let body = scene.caller.principal.as_ref().and_then(|principal| match principal.kind {
        PrincipalKind::User => tenant.users.get(&principal.name).map(|user| to_json(user, tenant)),
        PrincipalKind::ServiceAccount => tenant
            .service_accounts
            .get(&principal.name)
            .map(|account| service_accounts::to_json(account, tenant)),
    });
    body.map(Answer::ok).ok_or_else(|| Problem::not_found(Kind::User.noun(), "that calls"))
}

/// The user in the path, if the caller is permitted to do this with it.
fn authorize(scene: &Scene<'_>, verb: Verb) -> Result<User, Problem> {
    let name = scene.name();
    scene.require(verb, Kind::User, name)?;
    let user = scene.tenant.users.get(name);
    user.cloned().ok_or_else(|| Problem::not_found(Kind::User.noun(), name))
}

fn to_json(user: &User, tenant: &Tenant) -> Value {
    json_with_groups(user, groups::groups_json(tenant, &Principal::user(user.name.as_str())))
}

fn json_with_groups(user: &User, groups: Vec<Value>) -> Value {
    let mut body = json!({
        "name": user.name,
        "display_name": user.display_name,
        "lrn": Kind::User.lrn(&user.name),
        "id": user.id,
        "created_at": user.created_at,
        "groups": groups,
        "profile": user.profile,
        "is_admin": user.is_admin,
    });
    if let Some(last_seen_at) = user.last_seen_at {
        body["last_seen_at"] = json!(last_seen_at);
    }
    metadata::show(&mut body, &user.metadata);
    body
}
