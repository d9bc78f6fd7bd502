//! Metadata of rows (contract 2.8).

use std::collections::BTreeMap;

/// Texts by key, set by clients.
pub type Metadata = BTreeMap<String, String>;
