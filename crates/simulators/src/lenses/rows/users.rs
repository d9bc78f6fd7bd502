//! Users (contract 2.3).

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{metadata::Metadata, names::Named};

/// A user.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct User {
    /// Never changes; often an email address, so not always a resource name.
    pub name: String,
    pub display_name: String,
    pub id: String,
    pub created_at: Timestamp,
    /// The time of the user's last call or login.
    #[serde(default)]
    pub last_seen_at: Option<Timestamp>,
    #[serde(default)]
    pub profile: Profile,
    /// Whether the user can do everything, independent of roles (contract 1.2).
    #[serde(default)]
    pub is_admin: bool,
    /// The `sso_name` of each group that the user has at the identity provider.
    #[serde(default)]
    pub idp_groups: BTreeSet<String>,
    #[serde(default)]
    pub metadata: Metadata,
}

/// The profile of a user.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// First and last name.
    pub full_name: String,
    /// Can differ from the user's name.
    pub email_address: String,
}

impl Named for User {
    fn name(&self) -> &str {
        &self.name
    }
}

impl User {
    /// A user without groups, metadata and admin rights.
    pub fn new(name: &str, display_name: &str, id: String, created_at: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            display_name: display_name.to_owned(),
            id,
            created_at,
            last_seen_at: None,
            profile: Profile::default(),
            is_admin: false,
            idp_groups: BTreeSet::new(),
            metadata: Metadata::new(),
        }
    }
}
