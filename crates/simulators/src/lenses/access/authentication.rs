//! From a request to a caller (contract 1.2).

use axum::http::{HeaderMap, header};
use jiff::Timestamp;

use super::{caller::Caller, grant::Grant, rights::Rights};
use crate::{
    kit::credentials::{Credentials, bearer},
    lenses::state::Tenant,
};

/// The cookie of a user's session, with its `=`.
const SESSION: &str = "session_id=";

/// The secret of a request: the bearer token, or else the session cookie with its name, such as `session_id=s-1`.
pub fn secret(headers: &HeaderMap) -> Option<String> {
    if let Some(token) = bearer(headers) {
        return Some(token.to_owned());
    }
    let cookies = headers.get(header::COOKIE)?.to_str().ok()?;
    cookies.split(';').map(str::trim).find(|cookie| cookie.starts_with(SESSION)).map(str::to_owned)
}

/// The caller with this secret. None, without a distinction, if the secret is missing or unknown, expired or
/// renewed, or belongs to a deleted principal.
pub fn authenticate(
    secret: Option<&str>,
    credentials: &Credentials<Grant>,
    tenant: &Tenant,
) -> Option<Caller> {
    let grant = credentials.find(secret?).filter(|view| !view.expired)?.grant;
    let now = Timestamp::now();
    if grant.expires_at.is_some_and(|end| end <= now) || !is_token_valid(&grant, tenant, now) {
        return None;
    }
    let principal = grant.principal();
    if principal.as_ref().is_some_and(|principal| !tenant.has_principal(principal)) {
        return None;
    }
    let rights = match (grant.policy, &principal) {
        (Some(policy), _) => Rights::of_policy(policy),
        (None, Some(principal)) => tenant.rights_of(principal),
        (None, None) => Rights::default(),
    };
    Some(Caller { principal, rights })
}

fn is_token_valid(grant: &Grant, tenant: &Tenant, now: Timestamp) -> bool {
    let Some(serial) = grant.token else { return true };
    let account = grant.service_account.as_ref().and_then(|name| tenant.service_accounts.get(name));
    account.is_some_and(|account| account.token == serial && !account.is_token_expired(now))
}
