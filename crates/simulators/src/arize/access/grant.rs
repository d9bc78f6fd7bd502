//! The rights of a credential.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::arize::rows::{ids::Id, users::AccountRole};

/// What a credential can see and do.
///
/// It is part of the credential, and not derived from memberships and bindings. The one exception is a
/// restricted resource: there the caller's own binding counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grant {
    /// The account role; member if absent.
    pub account_role: AccountRole,
    /// The user that the credential acts as.
    pub user_id: Option<Id>,
    /// Exactly these permissions. If absent, the account role decides (see [`super::caller::Caller::has`]).
    pub permissions: Option<BTreeSet<String>>,
    /// Only these spaces, and the organizations that contain them, are visible. If absent, all are, except
    /// private spaces that the user is not a member of.
    pub spaces: Option<BTreeSet<Id>>,
    /// The API key of the tenant whose status applies too.
    pub api_key: Option<Id>,
    /// When the credential expires.
    pub expires_at: Option<Timestamp>,
}

impl Grant {
    /// An account admin who acts as a user.
    pub fn admin(user: Id) -> Self {
        Self { account_role: AccountRole::Admin, user_id: Some(user), ..Self::default() }
    }
}
