//! Organizations (contract 2.3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ids::Uuid, listed::Listed};
use crate::kit::table::identified;

/// An organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Organization {
    pub id: Uuid,
    /// Unique.
    pub name: String,
    #[serde(default)]
    pub description: Option<String>,
    /// The user who cannot lose the admin role of the organization.
    #[serde(default)]
    pub owner_id: Option<Uuid>,
    pub created: Timestamp,
    pub updated: Timestamp,
}

identified!(Organization, Uuid);

impl Listed for Organization {
    fn created(&self) -> Timestamp {
        self.created
    }
}
