//! Groups (contract 2.2).

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    metadata::Metadata,
    names::Named,
    principals::{Principal, PrincipalKind},
};

/// A group. It connects principals with roles.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Group {
    /// A resource name, which never changes.
    pub name: String,
    pub display_name: String,
    /// The name at the identity provider.
    pub sso_name: String,
    #[serde(default)]
    pub description: String,
    /// Opaque; a group that is created again has another one.
    pub id: String,
    pub created_at: Timestamp,
    /// The names of roles.
    #[serde(default)]
    pub roles: BTreeSet<String>,
    #[serde(default)]
    pub members: BTreeSet<Principal>,
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
