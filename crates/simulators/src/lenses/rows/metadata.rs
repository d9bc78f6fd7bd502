//! The metadata of rows (contract 2.8).

use std::collections::BTreeMap;

/// Texts by key.
pub type Metadata = BTreeMap<String, String>;
