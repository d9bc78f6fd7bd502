//! The rows of organizations (contract 2.3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ids::Uuid, listed::Listed};
use crate::kit::table::identified;

/// An organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Organization {
    /// Its identifier.
    pub id: Uuid,
    /// Its name, unique.
    pub name: String,
    /// What it is for.
    #[serde(default)]
    pub description: Option<String>,
    /// Who cannot lose its admin role.
    #[serde(default)]
    pub owner_id: Option<Uuid>,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
}

identified!(Organization, Uuid);

impl Listed for Organization {
    fn created(&self) -> Timestamp {
        self.created
    }
}
