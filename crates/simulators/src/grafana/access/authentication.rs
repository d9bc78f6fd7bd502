//! From a request's credential to a caller (contract 1.1, 1.2).

use axum::http::{HeaderMap, header};
use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;

use super::{caller::Caller, effective, grant::Grant, permission_cache::PermissionCache};
use crate::{
    grafana::{rows::permissions::Permissions, state::Tenant},
    kit::{
        call::Call,
        credentials::{Credentials, View, bearer},
    },
};

/// The header that selects the organization of a user.
const ORG_HEADER: &str = "x-grafana-org-id";

/// Why a call is not authenticated. The answer is 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unauthenticated {
    /// No credential.
    Missing,
    /// An unknown login or a wrong password, or a user who is disabled or deleted.
    WrongPassword,
    /// A user who cannot reach the requested organization.
    UnreachableOrg,
    /// An unknown token, or a token of a service account that is disabled or deleted.
    UnknownToken,
    /// An expired token.
    ExpiredToken,
    /// A revoked token.
    RevokedToken,
    /// A token of another organization than the requested one.
    TokenOfOtherOrg,
}

/// The secret of either scheme: the bearer token, or `user:password`.
pub fn secret(headers: &HeaderMap) -> Option<String> {
    if let Some(token) = bearer(headers) {
        return Some(token.to_owned());
    }
    let encoded = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()
}

/// The sender of a call, with the permissions that the server uses for it.
///
/// # Errors
/// The credential is missing or not valid.
pub fn authenticate(
    call: &Call,
    credentials: &Credentials<Grant>,
    tenant: &Tenant,
    cache: &PermissionCache,
) -> Result<Caller, Unauthenticated> {
    let is_basic =
        call.headers.get(header::AUTHORIZATION).is_some_and(|value| value.as_bytes().starts_with(b"Basic "));
    let secret = call.secret.as_deref().ok_or(Unauthenticated::Missing)?;
    let view = credentials.find(secret).filter(|view| view.grant.user_id.is_some() == is_basic);
    let org = call.headers.get(ORG_HEADER).and_then(|value| value.to_str().ok()?.parse::<i64>().ok());
    let mut caller = match view {
        None if is_basic => return Err(Unauthenticated::WrongPassword),
        None => return Err(Unauthenticated::UnknownToken),
        Some(view) if is_basic => of_user(view, org, tenant)?,
        Some(view) => of_token(view, org, tenant)?,
    };
    let reload = call.parameter("reloadcache") == Some("true");
    caller.permissions = cache.permissions(&caller, tenant.switches.permission_cache_ms, reload);
    Ok(caller)
}

fn of_user(view: View<Grant>, org: Option<i64>, tenant: &Tenant) -> Result<Caller, Unauthenticated> {
    let user = view.grant.user_id.and_then(|id| tenant.users.get(id));
    let user =
        user.filter(|user| !view.expired && !user.is_disabled).ok_or(Unauthenticated::WrongPassword)?;
    let org = org.filter(|org| *org != 0).unwrap_or(user.org_id);
    let is_reachable =
        tenant.is_org_user(user.id, org) || (user.is_grafana_admin && tenant.orgs.contains(org));
    if !is_reachable {
        return Err(Unauthenticated::UnreachableOrg);
    }
    Ok(caller(view.name, org, Some(user.id), user.is_grafana_admin, view.grant.permissions, tenant))
}

fn of_token(view: View<Grant>, org: Option<i64>, tenant: &Tenant) -> Result<Caller, Unauthenticated> {
    let grant = view.grant;
    let is_without_account = grant
        .service_account_id
        .is_some_and(|id| tenant.service_accounts.get(id).is_none_or(|account| account.is_disabled));
    if grant.revoked {
        return Err(Unauthenticated::RevokedToken);
    }
    if view.expired || grant.expires_at.is_some_and(|end| end <= Timestamp::now()) {
        return Err(Unauthenticated::ExpiredToken);
    }
    if is_without_account {
        return Err(Unauthenticated::UnknownToken);
    }
    if org.is_some_and(|org| org != 0 && org != grant.org_id) {
        return Err(Unauthenticated::TokenOfOtherOrg);
    }
    Ok(caller(view.name, grant.org_id, grant.service_account_id, false, grant.permissions, tenant))
}

fn caller(
    credential: String,
    org: i64,
    principal: Option<i64>,
    is_grafana_admin: bool,
    narrowed: Option<Permissions>,
    tenant: &Tenant,
) -> Caller {
    let effective = || principal.map(|id| effective::permissions(tenant, id, org)).unwrap_or_default();
    let permissions = narrowed.unwrap_or_else(effective);
    Caller { org, principal, is_grafana_admin, credential, permissions }
}
