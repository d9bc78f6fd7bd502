//! Data sources (contract 2.6).

use serde::{Deserialize, Serialize};

use crate::kit::table::identified;

/// A data source.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct DataSource {
    pub id: i64,
    /// Unique in the organization.
    pub uid: String,
    pub org_id: i64,
    /// Unique in the organization.
    pub name: String,
    /// The plugin that reads it, such as `prometheus`.
    pub kind: String,
}

identified!(DataSource, i64);
