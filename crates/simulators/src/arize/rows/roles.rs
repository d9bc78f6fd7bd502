//! Roles (contract 2.1).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::Id;
use crate::kit::table::identified;

/// A predefined or custom role.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Role {
    pub id: Id,
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    /// In the order of the request.
    pub permissions: Vec<String>,
    #[serde(default)]
    pub is_predefined: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Set on a deleted role: the row stays, and no path shows it.
    #[serde(default)]
    pub deleted_at: Option<Timestamp>,
}

identified!(Role, Id);
