//! How a call carries its credential (contract 1.2).

use super::{problem::Problem, server::ZenMl};
use crate::{
    kit::{
        call::Call,
        credentials::{Credentials, View, bearer},
    },
    zenml::{
        access::caller::{Caller, Grant},
        state::Tenant,
    },
};

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
    let grant = view.and_then(|view| Grant::live(view, tenant)).ok_or_else(|| invalid(tenant))?;
    Ok(Caller { grant })
}

fn is_bearer(view: &View<Grant>, tenant: &Tenant) -> bool {
    tenant.switches.raw_keys_as_bearer && view.grant.client_of.is_none()
}

/// 401 for a credential that is not good.
pub fn invalid(tenant: &Tenant) -> Problem {
    Problem::unauthorized(&tenant.switches, "Invalid authentication token")
}
