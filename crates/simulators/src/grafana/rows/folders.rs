//! Folders, which nest (contract 2.6).

use serde::{Deserialize, Serialize};

use crate::kit::table::identified;

/// The uid of the root in scopes: it has no row.
pub const ROOT: &str = "general";

/// A folder.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Folder {
    pub id: i64,
    /// Unique in the organization.
    pub uid: String,
    pub org_id: i64,
    /// Not unique.
    pub title: String,
    /// The folder that contains it; none for the root.
    #[serde(default)]
    pub parent_uid: Option<String>,
}

identified!(Folder, i64);
