//! The rows of invitations (contract 2.2, 2.3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ids::Uuid, listed::Listed};
use crate::kit::table::identified;

/// An invitation.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invitation {
    /// Its identifier.
    pub id: Uuid,
    /// The organization.
    pub organization_id: Uuid,
    /// Who was asked.
    pub email: String,
    /// Whether it was accepted; what it held is then the user's.
    #[serde(default)]
    pub is_accepted: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it was last changed.
    pub updated: Timestamp,
}

identified!(Invitation, Uuid);

impl Listed for Invitation {
    fn created(&self) -> Timestamp {
        self.created
    }
}
