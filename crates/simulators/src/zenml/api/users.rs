//! The operations on users (contract 2.3).

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{
    call::Scene,
    paging::{Page, ordered},
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
    let places: Vec<Place> = scene.visible_organizations().into_iter().map(Place::organization).collect();
    let can_list = places.iter().any(|place| scene.caller.can(scene.tenant, *place, "user:read"));
    if !can_list {
        let first = places.first().copied().ok_or_else(|| Problem::illegal("Insufficient permissions"))?;
        scene.can_list(first, "user:read")?;
        return Ok(json!([]));
    }
    let tenant = &*scene.tenant;
    let organizations = scene.visible_organizations();
    let is_visible = |user: &User| {
        let shares_organization =
            || tenant.roles_of(user.id).any(|(_, role)| organizations.contains(&role.organization_id));
        if user.is_service_account {
            tenant.switches.service_accounts_in_users
                && user.organization_id.is_some_and(|id| organizations.contains(&id))
        } else {
            tenant.switches.all_users_listed || shares_organization()
        }
    };
    let rows = tenant.users.iter().filter(|user| {
        id.is_none_or(|id| user.id == id)
            && is_active.is_none_or(|expected| user.is_active == expected)
            && email.is_none_or(|email| user.email.as_deref() == Some(email))
            && provider.is_none_or(|provider| user.oauth_provider.as_deref() == Some(provider))
            && oauth_id.is_none_or(|id| user.oauth_id.as_deref() == Some(id))
            && is_visible(user)
    });
    Ok(page.cut(ordered(rows, scene)).map(to_json).collect())
}

/// GET `/users/me`
pub fn me(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    Ok(to_json(calling_user(scene)?))
}

/// The user or service account that calls.
///
/// # Errors
/// 401 for a credential without a user.
pub fn calling_user<'a>(scene: &'a Scene<'_>) -> Result<&'a User, Problem> {
    let user = scene.caller.grant.user_id.and_then(|id| scene.tenant.users.get(id));
    user.ok_or_else(|| Problem::unauthorized(&scene.tenant.switches, "Not a user's credential"))
}

/// PATCH `/users/{id}`. Users can change themselves. Admins of an organization can change its users.
pub fn update(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let mut user = authorize(scene, "user:update")?;
    let mut fields = scene.fields()?;
    let is_active = fields.flag("is_active")?;
    let username = fields.text("username", 256)?;
    let email = fields.text("email", 256)?;
    user.name = fields.text("name", 256)?.or(user.name);
    if user.oauth_provider.is_some() && (username.is_some() || email.is_some()) {
        return Err(Problem::illegal("Username and email of an OAuth user cannot be changed"));
    }
    if let Some(username) = username {
        check_username(&username)?;
        user.username = username;
    }
    user.email = email.or(user.email);
    user.is_active = is_active.unwrap_or(user.is_active);
    let answer = to_json(&user);
    scene.tenant.users.insert(user);
    Ok(answer)
}

/// DELETE `/users/{id}`. Deletes the user's assignments and memberships too.
pub fn delete(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let user = authorize(scene, "user:delete")?;
    if scene.tenant.organizations.iter().any(|row| row.owner_id == Some(user.id)) {
        return Err(Problem::illegal("The owner of an organization cannot be deleted"));
    }
    scene.tenant.remove_principal(Principal::User(user.id));
    scene.tenant.users.remove(user.id);
    Ok(Value::Null)
}

fn authorize(scene: &Scene<'_>, right: &str) -> Result<User, Problem> {
    let id = scene.path_id(0, "user_id")?;
    let user = scene.tenant.users.get(id).ok_or_else(|| Problem::missing("user"))?;
    let organizations: BTreeSet<Uuid> = match user.organization_id {
        Some(own) => [own].into(),
        None => {
            let roles = scene.tenant.roles_of(id).filter(|(_, role)| role.level == Level::Organization);
            roles.map(|(_, role)| role.organization_id).collect()
        }
    };
    let mut places = organizations.into_iter().map(Place::organization);
    let is_caller = scene.caller.grant.user_id == Some(id);
    if is_caller || places.any(|place| scene.caller.can(scene.tenant, place, right)) {
        return Ok(user.clone());
    }
    Err(Problem::illegal("Insufficient permissions"))
}

/// Checks the characters of a username.
///
/// # Errors
/// 422 for other characters than letters, digits, `_`, `-`, `@` and `.`.
pub fn check_username(username: &str) -> Result<(), Problem> {
    let is_valid = |character: char| character.is_ascii_alphanumeric() || "_-@.".contains(character);
    if username.chars().all(is_valid) {
        return Ok(());
    }
    Err(Problem::invalid("body", "username", "String should match the pattern", "string_pattern_mismatch"))
}

/// The JSON of a user.
pub fn to_json(user: &User) -> Value {
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
