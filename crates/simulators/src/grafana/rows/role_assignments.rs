//! Roles of users, service accounts and teams (contract 2.3, 2.4).

use serde::{Deserialize, Serialize};

/// A role of a user or a service account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct UserRole {
    /// The organization where it applies; 0 for all.
    pub org_id: i64,
    /// A user or a service account.
    pub user_id: i64,
    pub role_uid: String,
    /// Whether group attribute sync made it: then these paths cannot change it, and show it only on request
    /// (contract 3.5). Assignments through the group mappings of the state are computed, not stored here.
    #[serde(default)]
    pub mapped: bool,
}

/// A role of a team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct TeamRole {
    pub org_id: i64,
    pub team_id: i64,
    pub role_uid: String,
    /// As for [`UserRole`].
    #[serde(default)]
    pub mapped: bool,
}
