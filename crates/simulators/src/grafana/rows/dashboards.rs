//! Dashboards (contract 2.6).

use serde::{Deserialize, Serialize};

use crate::kit::table::identified;

/// A dashboard.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Dashboard {
    pub id: i64,
    /// Unique in the organization.
    pub uid: String,
    pub org_id: i64,
    pub title: String,
    /// The folder that contains it; none for the root.
    #[serde(default)]
    pub folder_uid: Option<String>,
    /// How often it was saved.
    pub version: i64,
}

identified!(Dashboard, i64);
