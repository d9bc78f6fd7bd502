//! Organizations (contract 2.5).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::Id;
use crate::kit::table::identified;

/// An organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Organization {
    pub id: Id,
    /// Unique in the account.
    pub name: String,
    #[serde(default)]
    pub description: String,
    pub created_at: Timestamp,
}

identified!(Organization, Id);
