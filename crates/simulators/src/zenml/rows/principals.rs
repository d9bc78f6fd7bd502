//! Principals (contract 3.1).

use serde::{Deserialize, Serialize};

use super::ids::Uuid;

/// Who can hold a role (contract 3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Principal {
    /// A user or service account.
    User(Uuid),
    /// A team.
    Team(Uuid),
    /// Somebody who was invited and has not accepted yet.
    Invitation(Uuid),
}
