//! Invitations (contract 2.2, 2.3).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{ids::Uuid, listed::Listed};
use crate::kit::table::identified;

/// An invitation to an organization.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct Invitation {
    pub id: Uuid,
    pub organization_id: Uuid,
    /// The address of the invited person.
    pub email: String,
    /// Whether it was accepted. Its roles and teams then belong to the user.
    #[serde(default)]
    pub is_accepted: bool,
    pub created: Timestamp,
    pub updated: Timestamp,
}

identified!(Invitation, Uuid);

impl Listed for Invitation {
    fn created(&self) -> Timestamp {
        self.created
    }
}
