//! Teams and their members (contract 2.3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ids::Uuid, listed::Listed, principals::Principal};
use crate::kit::table::identified;

/// A team of an organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Team {
    pub id: Uuid,
    pub organization_id: Uuid,
    /// Unique in the organization.
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    pub created: Timestamp,
    pub updated: Timestamp,
}

identified!(Team, Uuid);

impl Listed for Team {
    fn created(&self) -> Timestamp {
        self.created
    }
}

/// A membership in a team.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamMember {
    /// The identifier of the team.
    pub team_id: Uuid,
    /// A user or, in newer revisions, an invitation.
    pub member: Principal,
}
