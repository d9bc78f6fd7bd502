//! Service accounts, and keys of accounts and users (contract 1, "Credentials"; 2.3).
//!
//! A key made here is a working credential.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{
    auth::Grant,
    body::required,
    call::Scene,
    ids::Uuid,
    organizations,
    problem::Problem,
    rights::Place,
    state::Tenant,
    users::{self, User},
};
use crate::kit::table::identified;

/// What keys begin with.
const PREFIX: &str = "ZENPROKEY_";

/// An API key of a service account, or a personal access token.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiKey {
    /// Its identifier.
    pub id: Uuid,
    /// The account or user that it acts as.
    pub user_id: Uuid,
    /// Its name, unique among the keys of its user.
    pub name: String,
    /// Whether it is good.
    pub is_active: bool,
    /// When it ends.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
    /// When it was made.
    pub created: Timestamp,
}

identified!(ApiKey, Uuid);

impl ApiKey {
    /// The same in every run, and easy to guess: it guards nothing but a simulator.
    fn secret(&self) -> String {
        let digest = Sha256::digest(self.id.to_string());
        format!("{PREFIX}{}", BASE64_URL_SAFE_NO_PAD.encode(digest))
    }
}

/// POST `/organizations/{id}/service_accounts`
pub fn create(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let organization = organizations::reach(scene, scene.call.param(0))?;
    scene.require(Place::organization(organization), "service_account:create")?;
    let mut fields = scene.fields()?;
    let username = fields.text("username", 256)?;
    let username = required("username", username)?;
    let description = fields.text("description", 256)?;
    users::valid_username(&username)?;
    if scene.tenant.service_account_by_name(organization, &username).is_some() {
        return Err(Problem::exists("A service account with this name already exists"));
    }
    let id = scene.tenant.add_service_account(organization, &username, description, Timestamp::now());
    Ok(scene.tenant.users.get(id).map(users::wire).unwrap_or_default())
}

/// POST `/organizations/{id}/service_accounts/{name_or_id}/api_keys`
pub fn create_key(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let organization = organizations::reach(scene, scene.call.param(0))?;
    scene.require(Place::organization(organization), "service_account:create")?;
    let name_or_id = scene.call.param(1);
    let id = name_or_id.parse().ok();
    let by_id = scene.tenant.users.iter().find(|user| {
        user.is_service_account && user.organization_id == Some(organization) && Some(user.id) == id
    });
    let account = by_id.map(|user| user.id);
    let account = account.or_else(|| scene.tenant.service_account_by_name(organization, name_or_id));
    let account = account.ok_or_else(|| Problem::missing("service account"))?;
    issue(scene, account)
}

/// POST `/users/me/api_keys`: a personal access token.
pub fn create_own_key(scene: &mut Scene<'_>) -> Result<Value, Problem> {
    let own = users::own(scene)?.id;
    issue(scene, own)
}

fn issue(scene: &mut Scene<'_>, user_id: Uuid) -> Result<Value, Problem> {
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

impl Tenant {
    /// Adds a service account.
    pub fn add_service_account(
        &mut self,
        organization: Uuid,
        username: &str,
        description: Option<String>,
        created: Timestamp,
    ) -> Uuid {
        let id = self.issue();
        self.users.insert(User {
            id,
            username: username.to_owned(),
            name: Some(username.to_owned()),
            email: None,
            description,
            oauth_provider: None,
            oauth_id: None,
            is_active: true,
            is_superuser: false,
            is_service_account: true,
            organization_id: Some(organization),
            created,
        });
        id
    }

    /// The service account of this name.
    pub fn service_account_by_name(&self, organization: Uuid, name: &str) -> Option<Uuid> {
        let mut rows = self.users.iter().filter(|user| user.organization_id == Some(organization));
        rows.find(|user| user.username == name).map(|user| user.id)
    }
}
