//! Who calls (contract 1.2).

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{
    kit::credentials::View,
    zenml::{rows::ids::Uuid, state::Tenant},
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

    /// What a credential gives, if it and whoever it belongs to are still good.
    pub fn live(view: View<Self>, tenant: &Tenant) -> Option<Self> {
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
