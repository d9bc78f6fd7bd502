//! Environments (contract 2.6).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{metadata::Metadata, names::Named};

/// An environment, which is the first segment of the names of its resources.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Environment {
    /// A resource name, which never changes.
    pub name: String,
    pub display_name: String,
    pub id: String,
    pub created_at: Timestamp,
    pub tier: Tier,
    /// An agent of the environment is connected.
    #[serde(default)]
    pub agent_connected: bool,
    #[serde(default)]
    pub metadata: Metadata,
}

/// How critical an environment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Tier {
    Development,
    Staging,
    Production,
}

impl Named for Environment {
    fn name(&self) -> &str {
        &self.name
    }
}
