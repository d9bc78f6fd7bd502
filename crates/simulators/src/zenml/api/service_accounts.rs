//! The operations on service accounts, and on keys of accounts and users (contract 1.2, 2.3).
//!
//! A key that these operations create works as a credential.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{body::required, call::Scene, organizations, problem::Problem, users};
use crate::zenml::{
    access::{Grant, rights::Place},
    rows::{api_keys::ApiKey, ids::Uuid},
};

/// POST `/organizations/{id}/service_accounts`
pub fn create(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let organization = organizations::find(scene, scene.call.param(0))?;
    scene.require(Place::organization(organization), "service_account:create")?;
    let mut fields = scene.fields()?;
    let username = fields.text("username", 256)?;
    let username = required("username", username)?;
    let description = fields.text("description", 256)?;
    users::check_username(&username)?;
    if scene.tenant.service_account_by_name(organization, &username).is_some() {
        return Err(Problem::exists("A service account with this name already exists"));
    }
    let id = scene.tenant.add_service_account(organization, &username, description, Timestamp::now());
    Ok(scene.tenant.users.get(id).map(users::to_json).unwrap_or_default())
}

/// POST `/organizations/{id}/service_accounts/{name_or_id}/api_keys`
pub fn create_key(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let organization = organizations::find(scene, scene.call.param(0))?;
    scene.require(Place::organization(organization), "service_account:create")?;
    let name_or_id = scene.call.param(1);
    let id = name_or_id.parse().ok();
    let by_id = scene.tenant.users.iter().find(|user| {
        user.is_service_account && user.organization_id == Some(organization) && Some(user.id) == id
    });
    let account = by_id.map(|user| user.id);
    let account = account.or_else(|| scene.tenant.service_account_by_name(organization, name_or_id));
    let account = account.ok_or_else(|| Problem::missing("service account"))?;
    create_key_of(scene, account)
}

/// POST `/users/me/api_keys`. Creates a personal access token.
pub fn create_own_key(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let user = users::calling_user(scene)?.id;
    create_key_of(scene, user)
}

fn create_key_of(scene: &mut Scene<'_>, user_id: Uuid) -> Result<Value, Problem> {
    let mut fields = scene.fields()?;
    let name = fields.text("name", 256)?;
    let name = required("name", name)?;
    let minutes = fields.number("expires_in_minutes")?;
    let created = Timestamp::now();
    let expires_at =
        minutes.and_then(|minutes| created.checked_add(Duration::from_secs(u64::from(minutes) * 60)).ok());
    let tenant = &mut *scene.tenant;
    if tenant.api_keys.iter().any(|key| key.user_id == user_id && key.name == name) {
        return Err(Problem::exists("A key with this name already exists"));
    }
    let key = ApiKey { id: tenant.issue(), user_id, name, is_active: true, expires_at, created };
    let grant = Grant { api_key_id: Some(key.id), ..Grant::of_user(user_id) };
    let credential = format!("api-key-{}", key.id);
    let added = scene.credentials.add(&credential, &key.secret(), grant);
    added.map_err(|error| Problem::exists(error.to_string()))?;
    let body = json!({
        "id": key.id,
        "name": key.name,
        "key": key.secret(),
        "active": key.is_active,
        "expires_at": key.expires_at,
        "created": key.created,
    });
    tenant.api_keys.insert(key);
    Ok(body)
}
