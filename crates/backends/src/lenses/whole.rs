//! A group that was read by itself: what it has, and whether that is all.

use std::collections::BTreeSet;

use super::ids::Incarnation;
use rolewright_core::model::Named;

/// A group that was read by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Its name.
    pub name: String,
    /// What the identity provider calls it.
    pub sso_name: Option<String>,
    /// The names of its roles.
    pub roles: BTreeSet<String>,
    /// Empty for a group that no binding owns: nobody needs them.
    pub members: BTreeSet<Named>,
    /// What tells it from another that has had its name.
    pub made: Incarnation,
    /// As many roles were shown as the list counts.
    pub roles_complete: bool,
    /// As many members were shown as the list counts, or they do not matter.
    pub members_complete: bool,
}

impl Whole {
    /// Whether all that it has is shown.
    pub fn complete(&self) -> bool {
        self.roles_complete && self.members_complete
    }
}
