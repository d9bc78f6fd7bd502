//! Who calls, in which organization, and with which permissions (contract 1.1, 1.2).

use axum::http::{HeaderMap, StatusCode, header};
use base64::{Engine, prelude::BASE64_STANDARD};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    Grafana, holdings,
    permissions::{Permission, Permissions},
    problem::Problem,
    state::Tenant,
};
use crate::kit::{
    call::Call,
    credentials::{Credentials, View, bearer},
};

/// The header that picks the organization of a user.
const ORG_HEADER: &str = "x-grafana-org-id";

/// What a credential may see and do: a token of one organization or, with `user_id`, a user's name and
/// password.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grant {
    /// The user whose `login:password` the secret is. If absent, the secret is a bearer token.
    pub user_id: Option<i64>,
    /// The organization of a token; the first one if absent.
    pub org_id: i64,
    /// The service account that a token acts as.
    pub service_account_id: Option<i64>,
    /// These permissions and no others. If absent, what the user or the service account holds.
    pub permissions: Option<Permissions>,
    /// Whether a token was revoked.
    pub revoked: bool,
    /// When a token ends.
    pub expires_at: Option<Timestamp>,
}

impl Default for Grant {
    fn default() -> Self {
        Self {
            user_id: None,
            org_id: 1,
            service_account_id: None,
            permissions: None,
            revoked: false,
            expires_at: None,
        }
    }
}

impl Grant {
    /// A token of a service account.
    pub fn of_service_account(id: i64, org_id: i64) -> Self {
        Self { service_account_id: Some(id), org_id, ..Self::default() }
    }

    /// A user with name and password.
    pub fn of_user(id: i64) -> Self {
        Self { user_id: Some(id), ..Self::default() }
    }
}

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The organization in which the call takes place.
    pub org: i64,
    /// The user or service account.
    pub principal: Option<i64>,
    /// Whether it is an admin of the server, who reaches other organizations.
    pub is_grafana_admin: bool,
    /// The name of the credential.
    pub credential: String,
    /// What the caller may do in the organization.
    pub permissions: Permissions,
}

impl Caller {
    /// Nobody, on paths that ask for no credential.
    pub fn nobody() -> Self {
        Self {
            org: 0,
            principal: None,
            is_grafana_admin: false,
            credential: String::new(),
            permissions: Permissions::default(),
        }
    }

    /// Whether the caller may do this there.
    pub fn may(&self, action: &str, scope: &str) -> bool {
        self.permissions.cover(action, scope)
    }

    /// Whether the caller may hand all of these on (contract 3.6).
    pub fn may_delegate<'a>(&self, permissions: impl IntoIterator<Item = &'a Permission>) -> bool {
        self.permissions.cover("roles:write", "permissions:type:escalate")
            || permissions.into_iter().all(|held| self.may(&held.action, &held.scope))
    }
}

/// The secret of either scheme: the bearer token, or `user:password`.
pub fn secret(headers: &HeaderMap) -> Option<String> {
    if let Some(token) = bearer(headers) {
        return Some(token.to_owned());
    }
    let encoded = headers.get(header::AUTHORIZATION)?.to_str().ok()?.strip_prefix("Basic ")?;
    String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok()
}

/// Who sends this call.
///
/// # Errors
/// 401: no secret, an unknown one, one of the other scheme, an expired or revoked one, one of somebody who is
/// gone, and a token that names another organization than its own.
pub fn authenticate(
    call: &Call,
    credentials: &Credentials<Grant>,
    tenant: &Tenant,
    vendor: &Grafana,
) -> Result<Caller, Problem> {
    let refusal = |problem: Problem| {
        if tenant.switches.plain_unauthorized { unauthorized() } else { problem }
    };
    let basic =
        call.headers.get(header::AUTHORIZATION).is_some_and(|value| value.as_bytes().starts_with(b"Basic "));
    let Some(secret) = call.secret.as_deref() else { return Err(refusal(unauthorized())) };
    let view = credentials.find(secret).filter(|view| view.grant.user_id.is_some() == basic);
    let asked = call.headers.get(ORG_HEADER).and_then(|value| value.to_str().ok()?.parse::<i64>().ok());
    let mut caller = match view {
        None if basic => return Err(refusal(wrong_password())),
        None => return Err(refusal(token_problem("api-key.invalid", "Invalid API key"))),
        Some(view) if basic => of_user(view, asked, tenant).map_err(refusal)?,
        Some(view) => of_token(view, asked, tenant).map_err(refusal)?,
    };
    let reload = call.parameter("reloadcache") == Some("true");
    caller.permissions = vendor.remembered(&caller, &tenant.switches, reload);
    Ok(caller)
}

fn of_user(view: View<Grant>, asked: Option<i64>, tenant: &Tenant) -> Result<Caller, Problem> {
    let user = view.grant.user_id.and_then(|id| tenant.users.get(id));
    let user = user.filter(|user| !view.expired && !user.is_disabled).ok_or_else(wrong_password)?;
    let org = asked.filter(|org| *org != 0).unwrap_or(user.org_id);
    let is_member = tenant.org_users.iter().any(|row| row.user_id == user.id && row.org_id == org);
    let reaches = is_member || (user.is_grafana_admin && tenant.orgs.contains(org));
    if !reaches {
        return Err(unauthorized());
    }
    Ok(caller(view.name, org, Some(user.id), user.is_grafana_admin, view.grant.permissions, tenant))
}

fn of_token(view: View<Grant>, asked: Option<i64>, tenant: &Tenant) -> Result<Caller, Problem> {
    let grant = view.grant;
    let gone = grant
        .service_account_id
        .is_some_and(|id| tenant.service_accounts.get(id).is_none_or(|account| account.is_disabled));
    if grant.revoked {
        return Err(token_problem("api-key.revoked", "Revoked API key"));
    }
    if view.expired || grant.expires_at.is_some_and(|end| end <= Timestamp::now()) {
        return Err(token_problem("api-key.expired", "Expired API key"));
    }
    if gone {
        return Err(token_problem("api-key.invalid", "Invalid API key"));
    }
    if asked.is_some_and(|org| org != 0 && org != grant.org_id) {
        let message = "API key does not belong to the requested organization";
        return Err(token_problem("api-key.organization-mismatch", message));
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
    let held = || principal.map(|id| holdings::of(tenant, id, org)).unwrap_or_default();
    let permissions = narrowed.unwrap_or_else(held);
    Caller { org, principal, is_grafana_admin, credential, permissions }
}

/// The plain 401.
pub fn unauthorized() -> Problem {
    Problem::legacy(StatusCode::UNAUTHORIZED, "Unauthorized")
}

fn wrong_password() -> Problem {
    Problem::legacy(StatusCode::UNAUTHORIZED, "Invalid username or password")
}

fn token_problem(id: &'static str, message: &str) -> Problem {
    Problem::typed(StatusCode::UNAUTHORIZED, id, message)
}
