//! Members of organizations and spaces (contract 2.6).

use serde::{Deserialize, Serialize};

use super::ids::Id;
use crate::kit::table::identified;

/// The predefined roles of organizations and spaces, each with the name of its role in `/v2/roles`.
pub const PREDEFINED: [(&str, &str); 4] =
    [("ADMIN", "Admin"), ("MEMBER", "Member"), ("READ_ONLY", "Read-only"), ("ANNOTATOR", "Annotator")];

/// A human or bot user belongs to an organization or a space.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Membership {
    pub id: Id,
    /// The organization or space.
    pub parent_id: Id,
    pub user_id: Id,
    pub role: AssignedRole,
}

identified!(Membership, Id);

impl Membership {
    /// Whether it makes this user a member of this organization or space.
    pub fn is_of(&self, user: Id, parent: Id) -> bool {
        self.user_id == user && self.parent_id == parent
    }
}

/// The role of a member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "UPPERCASE")]
pub enum AssignedRole {
    /// One of [`PREDEFINED`].
    Predefined {
        /// In upper snake case.
        name: String,
    },
    /// A role of `/v2/roles`; comes with a role binding on the space.
    Custom {
        /// The role.
        id: Id,
    },
}

impl AssignedRole {
    /// The predefined role of this name, in upper snake case.
    pub fn predefined(name: &str) -> Self {
        Self::Predefined { name: name.to_owned() }
    }
}
