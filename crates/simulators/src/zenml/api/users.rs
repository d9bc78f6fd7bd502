//! The operations on users (contract 2.3).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    call::Scene,
    paging::{Page, arranged},
    problem::Problem,
};
use crate::zenml::{
    access::rights::Place,
    rows::{ids::Uuid, principals::Principal, roles::Level, users::User},
};

/// GET `/users`
pub fn list(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let page = Page::of(scene)?;
    let id = scene.query_id("user_id")?;
    let is_active = scene.query_flag("is_active")?;
    let [email, provider, oauth_id] =
        ["email", "oauth_provider", "oauth_id"].map(|key| scene.call.parameter(key));
    let places: Vec<Place> = scene.reached().into_iter().map(Place::organization).collect();
    let is_permitted = places.iter().any(|place| scene.caller.may(scene.tenant, *place, "user:read"));
    if !is_permitted {
        let own = places.first().copied().ok_or_else(|| Problem::illegal("Insufficient permissions"))?;
        scene.may_list(own, "user:read")?;
        return Ok(json!([]));
    }
    let tenant = &*scene.tenant;
    let organizations = scene.reached();
    let is_seen = |user: &User| {
        let shares =
            || tenant.held_by(user.id).any(|(_, role)| organizations.contains(&role.organization_id));
        if user.is_service_account {
            tenant.switches.service_accounts_in_users
                && user.organization_id.is_some_and(|id| organizations.contains(&id))
        } else {
            tenant.switches.all_users_listed || shares()
        }
    };
    let rows = tenant.users.iter().filter(|user| {
        id.is_none_or(|id| user.id == id)
            && is_active.is_none_or(|wanted| user.is_active == wanted)
            && email.is_none_or(|email| user.email.as_deref() == Some(email))
            && provider.is_none_or(|provider| user.oauth_provider.as_deref() == Some(provider))
            && oauth_id.is_none_or(|id| user.oauth_id.as_deref() == Some(id))
            && is_seen(user)
    });
    Ok(page.cut(arranged(rows, scene)).map(wire).collect())
}

/// GET `/users/me`
pub fn me(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    Ok(wire(own(scene)?))
}

/// The user that calls.
///
/// # Errors
/// 401 for credentials that are nobody's.
pub fn own<'a>(scene: &'a Scene<'_>) -> Result<&'a User, Problem> {
    let user = scene.caller.grant.user_id.and_then(|id| scene.tenant.users.get(id));
    user.ok_or_else(|| Problem::unauthorized(&scene.tenant.switches, "Not a user's credential"))
}

/// PATCH `/users/{id}`: one's own, or any as an admin of an organization that the user belongs to.
pub fn update(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let mut user = reach(scene, "user:update")?;
    let mut fields = scene.fields()?;
    let is_active = fields.flag("is_active")?;
    let username = fields.text("username", 256)?;
    let email = fields.text("email", 256)?;
    user.name = fields.text("name", 256)?.or(user.name);
    if user.oauth_provider.is_some() && (username.is_some() || email.is_some()) {
        return Err(Problem::illegal("Username and email of an OAuth user cannot be changed"));
    }
    if let Some(username) = username {
        valid_username(&username)?;
        user.username = username;
    }
    user.email = email.or(user.email);
    user.is_active = is_active.unwrap_or(user.is_active);
    let answer = wire(&user);
    scene.tenant.users.insert(user);
    Ok(answer)
}

/// DELETE `/users/{id}`: with what the user holds.
pub fn delete(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let user = reach(scene, "user:delete")?;
    if scene.tenant.organizations.iter().any(|row| row.owner_id == Some(user.id)) {
        return Err(Problem::illegal("The owner of an organization cannot be deleted"));
    }
    scene.tenant.forget(Principal::User(user.id));
    scene.tenant.users.remove(user.id);
    Ok(Value::Null)
}

fn reach(scene: &Scene<'_>, right: &str) -> Result<User, Problem> {
    let id = scene.path_id(0, "user_id")?;
    let user = scene.tenant.users.get(id).ok_or_else(|| Problem::missing("user"))?;
    let organizations: BTreeSet<Uuid> = match user.organization_id {
        Some(own) => [own].into(),
        None => {
            let held = scene.tenant.held_by(id).filter(|(_, role)| role.level == Level::Organization);
            held.map(|(_, role)| role.organization_id).collect()
        }
    };
    let mut places = organizations.into_iter().map(Place::organization);
    let is_own = scene.caller.grant.user_id == Some(id);
    if is_own || places.any(|place| scene.caller.may(scene.tenant, place, right)) {
        return Ok(user.clone());
    }
    Err(Problem::illegal("Insufficient permissions"))
}

/// Checks the characters of a username.
///
/// # Errors
/// 422.
pub fn valid_username(username: &str) -> Result<(), Problem> {
    let is_valid = |sign: char| sign.is_ascii_alphanumeric() || "_-@.".contains(sign);
    if username.chars().all(is_valid) {
        return Ok(());
    }
    Err(Problem::invalid("body", "username", "String should match the pattern", "string_pattern_mismatch"))
}

/// A user as answers show it.
pub fn wire(user: &User) -> Value {
    json!({
        "password": null,
        "password_expired": false,
        "name": user.name,
        "avatar_url": null,
        "company": null,
        "job_title": null,
        "metadata": {},
        "id": user.id,
        "username": user.username,
        "email": user.email,
        "oauth_provider": user.oauth_provider,
        "oauth_id": user.oauth_id,
        "is_active": user.is_active,
        "is_superuser": user.is_superuser,
        "is_service_account": user.is_service_account,
        "organization_id": user.organization_id,
        "is_onboarded": !user.is_service_account,
    })
}
