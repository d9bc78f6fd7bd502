//! Spaces (contract 2.5).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::Id;
use crate::kit::table::identified;

/// A space.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Space {
    pub id: Id,
    pub organization_id: Id,
    /// Unique only in its organization.
    pub name: String,
    #[serde(default)]
    pub description: String,
    pub created_at: Timestamp,
    /// Visible only to its members and to admins.
    #[serde(default)]
    pub is_private: bool,
}

identified!(Space, Id);
