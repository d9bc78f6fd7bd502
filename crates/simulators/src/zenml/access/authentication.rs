//! From a bearer token to a caller (contract 1.2).

use jiff::Timestamp;

use super::{caller::Caller, grant::Grant, sessions::Sessions};
use crate::{
    kit::credentials::{Credentials, View},
    zenml::state::Tenant,
};

/// Why a call has no caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The call has no bearer token.
    NoToken,
    /// The session of the token has ended.
    EndedSession,
    /// The token is unknown, or its credential is not valid.
    InvalidToken,
}

/// The caller with this bearer token: the token of a session, or an API key. `secret` is the secret of the credential,
/// which for a session differs from the token.
///
/// # Errors
/// The reason why there is no caller.
pub fn authenticate(
    token: Option<&str>,
    secret: Option<&str>,
    credentials: &Credentials<Grant>,
    sessions: &Sessions,
    tenant: &Tenant,
) -> Result<Caller, Refusal> {
    let session = sessions.find(token.ok_or(Refusal::NoToken)?);
    if session.as_ref().is_some_and(|session| session.has_ended(&tenant.switches)) {
        return Err(Refusal::EndedSession);
    }
    let view = secret.and_then(|secret| credentials.find(secret));
    let view = view.filter(|view| session.is_some() || works_without_login(view, tenant));
    let grant = view.and_then(|view| valid_grant(view, tenant)).ok_or(Refusal::InvalidToken)?;
    Ok(Caller { grant })
}

fn works_without_login(view: &View<Grant>, tenant: &Tenant) -> bool {
    tenant.switches.raw_keys_as_bearer && view.grant.client_of.is_none()
}

/// The access of a credential, if the credential and its user, key or workspace are valid.
pub fn valid_grant(view: View<Grant>, tenant: &Tenant) -> Option<Grant> {
    let grant = view.grant;
    let now = Timestamp::now();
    let has_ended = |end: Option<Timestamp>| end.is_some_and(|end| end <= now);
    let is_active_user = |id| tenant.users.get(id).is_some_and(|user| user.is_active);
    let is_valid_key =
        |id| tenant.api_keys.get(id).is_some_and(|key| key.is_active && !has_ended(key.expires_at));
    let is_valid = !view.expired
        && !has_ended(grant.expires_at)
        && grant.user_id.is_none_or(is_active_user)
        && grant.api_key_id.is_none_or(is_valid_key)
        && grant.client_of.is_none_or(|id| tenant.workspaces.contains(id));
    is_valid.then_some(grant)
}
