//! Users and their roles in the account (contract 2.4).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::ids::Id;
use crate::kit::table::identified;

/// A human user, or the bot user of a service key.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "the other names say it")]
pub struct User {
    pub id: Id,
    pub name: String,
    /// Unique in the account, also after the user was deleted.
    pub email: String,
    pub created_at: Timestamp,
    pub status: UserStatus,
    pub role: AccountRole,
    /// Whether the user can have API keys.
    #[serde(default)]
    pub is_developer: bool,
    /// Whether this is the bot user of a service key.
    #[serde(default)]
    pub is_bot: bool,
}

identified!(User, Id);

/// The state of a user's invitation, or that the user was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum UserStatus {
    /// Accepted.
    Active,
    /// Not accepted yet.
    Invited,
    /// Not accepted in time.
    Expired,
    /// Deleted: never shown, and cannot be invited again.
    Inactive,
}

impl UserStatus {
    /// Those that answers show.
    pub const SHOWN: [Self; 3] = [Self::Active, Self::Invited, Self::Expired];

    /// The vendor's spelling since 11.40.
    pub fn name(self) -> &'static str {
        match self {
            Self::Active => "ACTIVE",
            Self::Invited => "INVITED",
            Self::Expired => "EXPIRED",
            Self::Inactive => "INACTIVE",
        }
    }
}

/// A role in the account, the weakest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[allow(missing_docs, reason = "the names are the vendor's")]
pub enum AccountRole {
    Annotator,
    MemberUiOnly,
    #[default]
    Member,
    Admin,
}

impl AccountRole {
    /// All of them, the weakest first.
    pub const ALL: [Self; 4] = [Self::Annotator, Self::MemberUiOnly, Self::Member, Self::Admin];

    /// The vendor's spelling since 11.40.
    pub fn name(self) -> &'static str {
        match self {
            Self::Annotator => "ANNOTATOR",
            Self::MemberUiOnly => "MEMBER_UI_ONLY",
            Self::Member => "MEMBER",
            Self::Admin => "ADMIN",
        }
    }
}
