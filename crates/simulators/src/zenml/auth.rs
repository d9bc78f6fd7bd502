//! Who calls (contract 1, "Credentials").

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ZenMl, ids::Uuid, problem::Problem, state::Tenant};
use crate::kit::{
    call::Call,
    credentials::{Credentials, View, bearer},
};

/// What a credential may see and do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grant {
    /// The user or service account that a key acts as.
    pub user_id: Option<Uuid>,
    /// The workspace whose server this is. The secret is then `client_id:client_secret`, good for a login alone.
    pub client_of: Option<Uuid>,
    /// These organizations alone are seen; those that the user belongs to if absent.
    pub organizations: Option<BTreeSet<Uuid>>,
    /// These workspaces alone are seen, and what is theirs; all of the organizations if absent.
    pub workspaces: Option<BTreeSet<Uuid>>,
    /// These rights and no others, such as `role:read`, `role:*` or `*`; what the user's roles give if absent.
    pub rights: Option<BTreeSet<String>>,
    /// When it ends.
    pub expires_at: Option<Timestamp>,
    /// The key, made through the API, whose state counts too.
    pub api_key_id: Option<Uuid>,
}

impl Grant {
    /// A key of a user or service account.
    pub fn of_user(id: Uuid) -> Self {
        Self { user_id: Some(id), ..Self::default() }
    }
}

/// Who calls.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// What the credential may see and do.
    pub grant: Grant,
}

impl Caller {
    /// Nobody, on paths that ask for no credential.
    pub fn nobody() -> Self {
        Self::default()
    }
}

/// Who sends this call: with a session, or with a key in its place.
///
/// # Errors
/// 401: no token, an unknown or expired one, one whose key or user is gone.
pub fn authenticate(
    call: &Call,
    credentials: &Credentials<Grant>,
    tenant: &Tenant,
    vendor: &ZenMl,
) -> Result<Caller, Problem> {
    let switches = &tenant.switches;
    let Some(token) = bearer(&call.headers) else {
        return Err(Problem::unauthorized(switches, "Not authenticated"));
    };
    let session = vendor.sessions.find(token);
    if session.as_ref().is_some_and(|session| session.is_over(switches)) {
        return Err(Problem::unauthorized(switches, "Signature has expired"));
    }
    let view = call.secret.as_deref().and_then(|secret| credentials.find(secret));
    let view = view.filter(|view| session.is_some() || is_bearer(view, tenant));
    let grant = view.and_then(|view| live(view, tenant)).ok_or_else(|| invalid(tenant))?;
    Ok(Caller { grant })
}

fn is_bearer(view: &View<Grant>, tenant: &Tenant) -> bool {
    tenant.switches.raw_keys_as_bearer && view.grant.client_of.is_none()
}

/// What a credential gives, if it and whoever it belongs to are still good.
pub fn live(view: View<Grant>, tenant: &Tenant) -> Option<Grant> {
    let grant = view.grant;
    let now = Timestamp::now();
    let is_over = |end: Option<Timestamp>| end.is_some_and(|end| end <= now);
    let user_is_good = |id| tenant.users.get(id).is_some_and(|user| user.is_active);
    let key_is_good =
        |id| tenant.api_keys.get(id).is_some_and(|key| key.is_active && !is_over(key.expires_at));
    let is_good = !view.expired
        && !is_over(grant.expires_at)
        && grant.user_id.is_none_or(user_is_good)
        && grant.api_key_id.is_none_or(key_is_good)
        && grant.client_of.is_none_or(|id| tenant.workspaces.contains(id));
    is_good.then_some(grant)
}

/// 401 for a credential that is not good.
pub fn invalid(tenant: &Tenant) -> Problem {
    Problem::unauthorized(&tenant.switches, "Invalid authentication token")
}
