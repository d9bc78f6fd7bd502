//! The access of a credential (contract 1.2).

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::zenml::rows::ids::Uuid;

/// The access of an API key, a personal access token or client credentials.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grant {
    /// The user or service account that the key acts as.
    pub user_id: Option<Uuid>,
    /// The workspace whose server has these client credentials. Their secret is `client_id:client_secret`, and is valid
    /// only for a login.
    pub client_of: Option<Uuid>,
    /// Only these organizations are visible. If absent: those of the user.
    pub organizations: Option<BTreeSet<Uuid>>,
    /// Only these workspaces, and the rows in them, are visible. If absent: all of the organizations.
    pub workspaces: Option<BTreeSet<Uuid>>,
    /// Exactly these rights, such as `role:read`, `role:*` or `*`. If absent: those of the user's roles.
    pub rights: Option<BTreeSet<String>>,
    /// When the credential expires.
    pub expires_at: Option<Timestamp>,
    /// The API key, created through the API, whose status applies too.
    pub api_key_id: Option<Uuid>,
}

impl Grant {
    /// A key of a user or service account.
    pub fn of_user(id: Uuid) -> Self {
        Self { user_id: Some(id), ..Self::default() }
    }
}
