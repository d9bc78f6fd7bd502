//! Users of the server, and their places in organizations (contract 2.6).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::basic_role::BasicRole;
use crate::kit::table::identified;

/// A user.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct User {
    /// From the same sequence as the numbers of service accounts.
    pub id: i64,
    pub uid: String,
    /// Unique on the server.
    pub login: String,
    /// Unique on the server.
    pub email: String,
    pub name: String,
    /// The organization of requests that do not name one.
    pub org_id: i64,
    /// Whether the user is an admin of the server.
    #[serde(default)]
    pub is_grafana_admin: bool,
    /// Whether logins are refused.
    #[serde(default)]
    pub is_disabled: bool,
    pub created: Timestamp,
}

identified!(User, i64);

/// A member of an organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names say it")]
pub struct OrgUser {
    pub org_id: i64,
    pub user_id: i64,
    pub role: BasicRole,
}

impl User {
    /// Whether the login, the address or the name contains a text, in any case.
    pub fn matches(&self, query: &str) -> bool {
        let query = query.to_lowercase();
        [&self.login, &self.email, &self.name].into_iter().any(|text| text.to_lowercase().contains(&query))
    }
}
