//! Principals (contract 3.1).

use serde::{Deserialize, Serialize};

use super::ids::Uuid;

/// A principal: it can have roles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Principal {
    /// A user or service account.
    User(Uuid),
    /// A team. Its members have its roles too.
    Team(Uuid),
    /// An open invitation. On acceptance, its roles pass to the user.
    Invitation(Uuid),
}
