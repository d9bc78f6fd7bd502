//! Receivers of alerts (contact points). They exist here only for their permissions (contract 2.5): no path
//! creates or lists them.

use serde::{Deserialize, Serialize};

use crate::kit::table::identified;

/// A receiver of alerts.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Receiver {
    /// No path shows it.
    pub id: i64,
    /// Unique in the organization.
    pub uid: String,
    pub org_id: i64,
    pub name: String,
}

identified!(Receiver, i64);
