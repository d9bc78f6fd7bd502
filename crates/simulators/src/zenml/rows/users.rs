//! Users: people and service accounts (contract 2.3, 3.1).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ids::Uuid, listed::Listed};
use crate::kit::table::identified;

/// A person or a service account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct User {
    pub id: Uuid,
    /// The login. Unique among people, and among the service accounts of an organization.
    pub username: String,
    /// The full name.
    #[serde(default)]
    pub name: Option<String>,
    /// The email address; service accounts have none.
    #[serde(default)]
    pub email: Option<String>,
    /// Only service accounts have one.
    #[serde(default)]
    pub description: Option<String>,
    /// The identity provider.
    #[serde(default)]
    pub oauth_provider: Option<String>,
    /// The identifier at the identity provider.
    #[serde(default)]
    pub oauth_id: Option<String>,
    /// Whether the user can log in.
    pub is_active: bool,
    /// Whether the user can do everything.
    #[serde(default)]
    pub is_superuser: bool,
    #[serde(default)]
    pub is_service_account: bool,
    /// The organization of a service account; people have none.
    #[serde(default)]
    pub organization_id: Option<Uuid>,
    pub created: Timestamp,
}

identified!(User, Uuid);

impl Listed for User {
    fn created(&self) -> Timestamp {
        self.created
    }
}
