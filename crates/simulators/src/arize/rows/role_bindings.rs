//! Role bindings (contract 2.2).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::Id;
use crate::kit::table::identified;

/// A user has a role on a space or a project.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct RoleBinding {
    pub id: Id,
    pub role_id: Id,
    /// A human or bot user.
    pub user_id: Id,
    /// A space or a project; the identifier shows which.
    pub resource_id: Id,
    pub created_at: Timestamp,
    /// Equals `created_at`, unless a switch lets updates change it.
    pub updated_at: Timestamp,
}

identified!(RoleBinding, Id);
