//! The rows of users (contract 2.3).

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{metadata::Metadata, names::Named};

/// A user.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct User {
    /// The name, which never changes; often an address, and not a resource name.
    pub name: String,
    /// What people call the user.
    pub display_name: String,
    /// The identifier.
    pub id: String,
    /// When the user was made.
    pub created_at: Timestamp,
    /// When the user last called.
    #[serde(default)]
    pub last_seen_at: Option<Timestamp>,
    /// More about the user.
    #[serde(default)]
    pub profile: Profile,
    /// Whether everything is permitted, whatever roles say.
    #[serde(default)]
    pub is_admin: bool,
    /// The groups, by their `sso_name`, that the identity provider has the user in.
    #[serde(default)]
    pub idp_groups: BTreeSet<String>,
    /// Texts by key.
    #[serde(default)]
    pub metadata: Metadata,
}

/// What a user says of itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Profile {
    /// First and last name.
    pub full_name: String,
    /// The address, which need not be the name.
    pub email_address: String,
}

impl Named for User {
    fn name(&self) -> &str {
        &self.name
    }
}

impl User {
    /// A user of this name, with nothing more.
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
