//! The rows of users, who are people or service accounts (contract 2.3, 3.1).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ids::Uuid, listed::Listed};
use crate::kit::table::identified;

/// A user or service account.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// Its identifier.
    pub id: Uuid,
    /// Its login, unique among people and among the service accounts of an organization.
    pub username: String,
    /// Its full name.
    #[serde(default)]
    pub name: Option<String>,
    /// Its address; service accounts have none.
    #[serde(default)]
    pub email: Option<String>,
    /// What a service account is for.
    #[serde(default)]
    pub description: Option<String>,
    /// The identity provider that it comes from.
    #[serde(default)]
    pub oauth_provider: Option<String>,
    /// What that provider calls it.
    #[serde(default)]
    pub oauth_id: Option<String>,
    /// Whether it can log in.
    pub is_active: bool,
    /// Whether it may do everything on the server.
    #[serde(default)]
    pub is_superuser: bool,
    /// Whether it is a service account.
    #[serde(default)]
    pub is_service_account: bool,
    /// The organization of a service account.
    #[serde(default)]
    pub organization_id: Option<Uuid>,
    /// When it was made.
    pub created: Timestamp,
}

identified!(User, Uuid);

impl Listed for User {
    fn created(&self) -> Timestamp {
        self.created
    }
}
