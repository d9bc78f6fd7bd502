//! Resource restrictions (contract 2.3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::Id;
use crate::kit::table::Row;

/// A resource that is closed to inherited access.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Restriction {
    /// The project, dashboard or prompt. A restriction has no identifier of its own.
    pub resource_id: Id,
    pub created_at: Timestamp,
}

impl Row for Restriction {
    type Id = Id;

    fn id(&self) -> Id {
        self.resource_id
    }
}
