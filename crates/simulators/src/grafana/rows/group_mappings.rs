//! Group attribute sync: external groups, and the roles that their members get (contract 2.5, 3.5).

use serde::{Deserialize, Serialize};

/// The roles that the members of an external group get in an organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct GroupMapping {
    pub org_id: i64,
    /// The identity provider's name of the group. An organization maps it at most once.
    pub group_id: String,
    #[serde(default)]
    pub role_uids: Vec<String>,
}

/// A user in an external group.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct ExternalGroupMember {
    /// The identity provider's name of the group.
    pub group_id: String,
    pub user_id: i64,
}
