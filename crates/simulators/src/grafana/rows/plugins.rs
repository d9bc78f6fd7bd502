//! Installed plugins.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// An installed plugin: it adds actions to the registry (contract 3.7).
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plugin {
    /// Such as `grafana-oncall-app`.
    pub id: String,
    /// Its actions. None of them has a scope.
    pub actions: BTreeSet<String>,
}
