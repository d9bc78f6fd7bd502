//! Teams and their members (contract 2.6).

use serde::{Deserialize, Serialize};

use crate::kit::table::identified;

/// A team.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Team {
    pub id: i64,
    pub uid: String,
    pub org_id: i64,
    /// Unique in the organization.
    pub name: String,
    #[serde(default)]
    pub email: String,
    /// Whether another system made it.
    #[serde(default)]
    pub is_provisioned: bool,
}

identified!(Team, i64);

/// A member of a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names say it")]
pub struct TeamMember {
    pub team_id: i64,
    pub user_id: i64,
}

/// A group of the identity provider that is synced to a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names say it")]
pub struct TeamGroup {
    pub team_id: i64,
    pub group_id: String,
}
