//! Entries of the audit log (contract 2.7).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::Id;
use crate::kit::table::identified;

/// A write that succeeded.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct AuditLog {
    pub id: Id,
    /// The user that the credential acts as; none if it acts as none.
    #[serde(default)]
    pub user_id: Option<Id>,
    /// Method and path, with `{...}` for identifiers.
    pub operation_name: String,
    /// The start of the request body.
    #[serde(default)]
    pub operation_text: String,
    pub created_at: Timestamp,
}

identified!(AuditLog, Id);
