//! Service accounts (contract 2.6).

use axum::http::StatusCode;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    basic_role::BasicRole,
    call::{Answer, Scene, message},
    managed::ResourceKind,
    paging::Page,
    problem::Problem,
    state::{Kind, Tenant, now},
};
use crate::kit::table::identified;

/// A service account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceAccount {
    /// Its number, shared with users.
    pub id: i64,
    /// Its uid.
    pub uid: String,
    /// The organization.
    pub org_id: i64,
    /// Its name, unique in the organization.
    pub name: String,
    /// Its login, made from the name.
    pub login: String,
    /// Its basic role.
    pub role: BasicRole,
    /// Whether its tokens are refused.
    #[serde(default)]
    pub is_disabled: bool,
    /// When it was made.
    pub created: Timestamp,
}

identified!(ServiceAccount, i64);

/// A token of a service account; its secret is known to the credentials alone.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Token {
    /// Its number.
    pub id: i64,
    /// The service account.
    pub service_account_id: i64,
    /// Its name, unique for the service account.
    pub name: String,
    /// When it was made.
    pub created: Timestamp,
    /// When it ends.
    #[serde(default)]
    pub expires_at: Option<Timestamp>,
}

identified!(Token, i64);

/// GET `/serviceaccounts/search`: `query` is a part of the name or the login.
pub fn search(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require_somewhere("serviceaccounts:read")?;
    let query = scene.call.parameter("query").unwrap_or_default().to_lowercase();
    let disabled_only = scene.is_asked("disabled");
    let tenant = &*scene.tenant;
    let mut found: Vec<&ServiceAccount> = tenant
        .service_accounts
        .iter()
        .filter(|account| account.org_id == scene.caller.org)
        .filter(|account| scene.caller.may("serviceaccounts:read", &scope(account.id)))
        .filter(|account| {
            [&account.name, &account.login].iter().any(|text| text.to_lowercase().contains(&query))
        })
        .filter(|account| !disabled_only || account.is_disabled)
        .collect();
    found.sort_by_key(|account| account.name.to_lowercase());
    let entries = found.into_iter().map(|account| wire(tenant, account)).collect();
    Ok(Answer::ok(Page::of(scene).envelope("serviceAccounts", entries)))
}

/// GET `/serviceaccounts/{id}`
pub fn read(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let account = reach(scene, "serviceaccounts:read")?;
    Ok(Answer::ok(wire(scene.tenant, &account)))
}

/// POST `/serviceaccounts`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("serviceaccounts:create", "")?;
    let mut fields = scene.fields()?;
    let name = fields.required_text("name")?;
    let role = fields.text("role")?.map_or(Ok(BasicRole::Viewer), |role| BasicRole::read(&role))?;
    let is_disabled = fields.flag("isDisabled")?.unwrap_or_default();
    let org_id = scene.caller.org;
    let tenant = &mut *scene.tenant;
    is_free(tenant, org_id, &name, None)?;
    let id = tenant.add_service_account(org_id, &name, role, now());
    if let Some(account) = tenant.service_accounts.get_mut(id) {
        account.is_disabled = is_disabled;
    }
    let creator = scene.caller.principal.filter(|id| tenant.users.contains(*id));
    let resource = (ResourceKind::ServiceAccounts, id.to_string());
    tenant.set_default_permissions(org_id, (resource.0, &resource.1), creator, false);
    let body = tenant.service_accounts.get(id).map(|account| wire(tenant, account));
    Ok(Answer::new(StatusCode::CREATED, body.unwrap_or_default()))
}

/// PATCH `/serviceaccounts/{id}`
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut account = reach(scene, "serviceaccounts:write")?;
    let mut fields = scene.fields()?;
    account.name = fields.text("name")?.filter(|name| !name.is_empty()).unwrap_or(account.name);
    account.role = fields.text("role")?.map_or(Ok(account.role), |role| BasicRole::read(&role))?;
    account.is_disabled = fields.flag("isDisabled")?.unwrap_or(account.is_disabled);
    is_free(scene.tenant, account.org_id, &account.name, Some(account.id))?;
    let (id, name) = (account.id, account.name.clone());
    scene.tenant.service_accounts.insert(account.clone());
    let body = wire(scene.tenant, &account);
    let message = "Service account updated";
    Ok(Answer::ok(json!({ "id": id, "message": message, "name": name, "serviceaccount": body })))
}

/// DELETE `/serviceaccounts/{id}`: with its tokens.
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let account = reach(scene, "serviceaccounts:delete")?;
    let tenant = &mut *scene.tenant;
    tenant.service_accounts.remove(account.id);
    tenant.tokens.retain(|token| token.service_account_id != account.id);
    tenant.forget_principal(account.id);
    tenant.forget_resource(account.org_id, ResourceKind::ServiceAccounts, &account.id.to_string());
    Ok(message("Service account deleted"))
}

/// The service account of the path, if the caller may do this with it.
///
/// # Errors
/// 403, and 404 if there is none in the caller's organization.
pub fn reach(scene: &Scene<'_>, action: &str) -> Result<ServiceAccount, Problem> {
    let id = scene.path_number(0)?;
    scene.require(action, &scope(id))?;
    let account = scene.tenant.service_accounts.get(id).filter(|account| account.org_id == scene.caller.org);
    account.cloned().ok_or_else(|| {
        Problem::typed(StatusCode::NOT_FOUND, "serviceaccounts.ErrNotFound", "service account not found")
    })
}

impl Tenant {
    /// Adds a service account, and returns its number.
    pub fn add_service_account(
        &mut self,
        org_id: i64,
        name: &str,
        role: BasicRole,
        created: Timestamp,
    ) -> i64 {
        let (id, uid) = (self.issue(Kind::Principal), self.issue_uid());
        let login = format!("sa-{org_id}-{}", name.to_lowercase().replace(' ', "-"));
        let name = name.to_owned();
        self.service_accounts.insert(ServiceAccount {
            id,
            uid,
            org_id,
            name,
            login,
            role,
            is_disabled: false,
            created,
        });
        id
    }
}

fn is_free(tenant: &Tenant, org_id: i64, name: &str, but: Option<i64>) -> Result<(), Problem> {
    let mut others = tenant.service_accounts.iter().filter(|account| Some(account.id) != but);
    if others.any(|account| account.org_id == org_id && account.name == name) {
        let message = "service account already exists";
        return Err(Problem::typed(StatusCode::BAD_REQUEST, "serviceaccounts.ErrAlreadyExists", message));
    }
    Ok(())
}

fn scope(id: i64) -> String {
    ResourceKind::ServiceAccounts.scope(&id.to_string())
}

fn wire(tenant: &Tenant, account: &ServiceAccount) -> Value {
    json!({
        "id": account.id,
        "uid": account.uid,
        "name": account.name,
        "login": account.login,
        "orgId": account.org_id,
        "isDisabled": account.is_disabled,
        "isExternal": false,
        "role": account.role.name(),
        "tokens": tenant.tokens.iter().filter(|token| token.service_account_id == account.id).count(),
        "avatarUrl": format!("/avatar/{}", account.id),
        "createdAt": account.created,
        "updatedAt": account.created,
        "accessControl": {},
        "teams": [],
    })
}
