//! Organizations (contract 2.6).

use serde::{Deserialize, Serialize};

use crate::kit::table::identified;

/// An organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Org {
    pub id: i64,
    /// Unique on the server.
    pub name: String,
}

identified!(Org, i64);
