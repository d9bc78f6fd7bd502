//! Dashboards and prompts: they can be restricted, and have no paths of their own here.

use serde::{Deserialize, Serialize};

use super::ids::Id;
use crate::kit::table::identified;

/// A dashboard or a prompt; the identifier shows which.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the names say it")]
pub struct Asset {
    pub id: Id,
    pub name: String,
    pub space_id: Id,
}

identified!(Asset, Id);
