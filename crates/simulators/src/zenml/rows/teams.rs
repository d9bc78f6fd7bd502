//! The rows of teams and of their members (contract 2.3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ids::Uuid, listed::Listed, principals::Principal};
use crate::kit::table::identified;

/// A team.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Team {
    /// Its identifier.
    pub id: Uuid,
    /// The organization.
    pub organization_id: Uuid,
    /// Its name.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
}

identified!(Team, Uuid);

impl Listed for Team {
    fn created(&self) -> Timestamp {
        self.created
    }
}

/// Somebody who belongs to a team: a user or, in newer revisions, an invitation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TeamMember {
    /// The team.
    pub team_id: Uuid,
    /// The member.
    pub member: Principal,
}
