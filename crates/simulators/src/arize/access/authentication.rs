//! From a secret to a caller.

use jiff::Timestamp;

use super::{caller::Caller, grant::Grant};
use crate::{
    arize::{
        rows::{api_keys::KeyStatus, ids::Id, users::UserStatus},
        state::Tenant,
    },
    kit::credentials::Credentials,
};

/// The caller with this secret. None, without a distinction, if the secret is missing or unknown, expired or
/// revoked, or belongs to a deleted user.
pub fn authenticate(
    secret: Option<&str>,
    credentials: &Credentials<Grant>,
    tenant: &Tenant,
) -> Option<Caller> {
    secret
        .and_then(|secret| credentials.find(secret))
        .filter(|view| !view.expired && is_valid(&view.grant, tenant))
        .map(|view| Caller { grant: view.grant })
}

fn is_valid(grant: &Grant, tenant: &Tenant) -> bool {
    let now = Timestamp::now();
    let in_time = |end: Option<Timestamp>| end.is_none_or(|end| now < end);
    let is_active_key = |id: Id| {
        tenant.api_keys.get(id).is_some_and(|key| key.status == KeyStatus::Active && in_time(key.expires_at))
    };
    let is_not_deleted = |id: Id| tenant.users.get(id).is_none_or(|user| user.status != UserStatus::Inactive);
    in_time(grant.expires_at)
        && grant.api_key.is_none_or(is_active_key)
        && grant.user_id.is_none_or(is_not_deleted)
}
