//! Service accounts (contract 2.6).

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{
    body,
    call::{Scene, message},
    paging::Page,
    problem::Problem,
};
use crate::{
    grafana::{
        rows::{basic_role::BasicRole, managed::ResourceKind, service_accounts::ServiceAccount},
        state::{Tenant, now},
    },
    kit::answer::Answer,
};

/// GET `/serviceaccounts/search`: `query` is part of the name or the login.
pub fn search(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require_somewhere("serviceaccounts:read")?;
    let query = scene.call.parameter("query").unwrap_or_default().to_lowercase();
    let disabled_only = scene.is_set("disabled");
    let tenant = &*scene.tenant;
    let mut found: Vec<&ServiceAccount> = tenant
        .service_accounts
        .iter()
        .filter(|account| account.org_id == scene.caller.org)
        .filter(|account| scene.caller.can("serviceaccounts:read", &scope(account.id)))
        .filter(|account| {
            [&account.name, &account.login].iter().any(|text| text.to_lowercase().contains(&query))
        })
        .filter(|account| !disabled_only || account.is_disabled)
        .collect();
    found.sort_by_key(|account| account.name.to_lowercase());
    let entries = found.into_iter().map(|account| to_json(tenant, account)).collect();
    Ok(Answer::ok(Page::of(scene).envelope("serviceAccounts", entries)))
}

/// GET `/serviceaccounts/{id}`
pub fn read(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let account = authorize(scene, "serviceaccounts:read")?;
    Ok(Answer::ok(profile(scene.tenant, &account)))
}

/// POST `/serviceaccounts`
pub fn create(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    scene.require("serviceaccounts:create", "")?;
    let mut fields = scene.fields()?;
    let name = fields.required_text("name")?;
    let role = fields.text("role")?.map_or(Ok(BasicRole::Viewer), |role| body::basic_role(&role))?;
    let is_disabled = fields.flag("isDisabled")?.unwrap_or_default();
    let org_id = scene.caller.org;
    let tenant = &mut *scene.tenant;
    require_free_name(tenant, org_id, &name, None)?;
    let id = tenant.add_service_account(org_id, &name, role, now());
    if let Some(account) = tenant.service_accounts.get_mut(id) {
        account.is_disabled = is_disabled;
    }
    let creator = scene.caller.principal.filter(|id| tenant.users.contains(*id));
    let resource = (ResourceKind::ServiceAccounts, id.to_string());
    tenant.set_default_permissions(org_id, (resource.0, &resource.1), creator, false);
    let body = tenant.service_accounts.get(id).map(|account| to_json(tenant, account));
    Ok(Answer::new(StatusCode::CREATED, body.unwrap_or_default()))
}

/// PATCH `/serviceaccounts/{id}`
pub fn update(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let mut account = authorize(scene, "serviceaccounts:write")?;
    let mut fields = scene.fields()?;
    account.name = fields.text("name")?.filter(|name| !name.is_empty()).unwrap_or(account.name);
    account.role = fields.text("role")?.map_or(Ok(account.role), |role| body::basic_role(&role))?;
    account.is_disabled = fields.flag("isDisabled")?.unwrap_or(account.is_disabled);
    require_free_name(scene.tenant, account.org_id, &account.name, Some(account.id))?;
    let (id, name) = (account.id, account.name.clone());
    scene.tenant.service_accounts.insert(account.clone());
    let body = profile(scene.tenant, &account);
    let message = "Service account updated";
    Ok(Answer::ok(json!({ "id": id, "message": message, "name": name, "serviceaccount": body })))
}

/// DELETE `/serviceaccounts/{id}`: deletes its tokens too.
pub fn delete(scene: &mut Scene<'_>) -> Result<Answer, Problem> {
    let account = authorize(scene, "serviceaccounts:delete")?;
    scene.tenant.drop_service_account(&account);
    Ok(message("Service account deleted"))
}

/// The service account in the path, if the caller has the action on it.
///
/// # Errors
/// 403, and 404 if the caller's organization does not have it.
pub fn authorize(scene: &Scene<'_>, action: &str) -> Result<ServiceAccount, Problem> {
    let id = scene.path_number(0)?;
    scene.require(action, &scope(id))?;
    let account = scene.tenant.service_accounts.get(id).filter(|account| account.org_id == scene.caller.org);
    account.cloned().ok_or_else(|| {
        Problem::typed(StatusCode::NOT_FOUND, "serviceaccounts.ErrNotFound", "service account not found")
    })
}

/// Ends the call if another service account of the organization has this name. `except` is the changed one.
fn require_free_name(tenant: &Tenant, org_id: i64, name: &str, except: Option<i64>) -> Result<(), Problem> {
    let mut others = tenant.service_accounts.iter().filter(|account| Some(account.id) != except);
    if others.any(|account| account.org_id == org_id && account.name == name) {
        let message = "service account already exists";
        return Err(Problem::typed(StatusCode::BAD_REQUEST, "serviceaccounts.ErrAlreadyExists", message));
    }
    Ok(())
}

fn scope(id: i64) -> String {
    ResourceKind::ServiceAccounts.scope(&id.to_string())
}

fn to_json(tenant: &Tenant, account: &ServiceAccount) -> Value {
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
    })
}

/// The answer for one service account, which has more than the entries of a list (contract 2.6).
fn profile(tenant: &Tenant, account: &ServiceAccount) -> Value {
    let mut body = to_json(tenant, account);
    body["createdAt"] = account.created.to_string().into();
    body["updatedAt"] = account.created.to_string().into();
    body["teams"] = json!([]);
    body
}
