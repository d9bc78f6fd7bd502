//! The rows of groups: principals and roles meet here (contract 2.2).

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    metadata::Metadata,
    names::Named,
    principals::{Principal, PrincipalKind},
};

/// A group.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Group {
    /// Its name, which never changes.
    pub name: String,
    /// What people call it.
    pub display_name: String,
    /// What the identity provider calls it.
    pub sso_name: String,
    /// What it is for.
    #[serde(default)]
    pub description: String,
    /// Its identifier.
    pub id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// The names of its roles.
    #[serde(default)]
    pub roles: BTreeSet<String>,
    /// Who is in it.
    #[serde(default)]
    pub members: BTreeSet<Principal>,
    /// Texts by key.
    #[serde(default)]
    pub metadata: Metadata,
}

impl Named for Group {
    fn name(&self) -> &str {
        &self.name
    }
}

impl Group {
    /// The number of members of this kind.
    pub fn count(&self, kind: PrincipalKind) -> usize {
        self.members.iter().filter(|member| member.kind == kind).count()
    }
}
