//! A group with everything that a write of it needs.

use std::collections::BTreeSet;

use super::ids::Incarnation;
use rolewright_core::model::Named;

/// A group that was read by itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WholeGroup {
    pub name: String,
    /// Its name at the identity provider.
    pub sso_name: Option<String>,
    /// The names of its roles.
    pub roles: BTreeSet<String>,
    /// Empty for a group that no RoleBinding owns: its members are not needed.
    pub members: BTreeSet<Named>,
    pub incarnation: Incarnation,
    /// It shows as many roles as the list counts.
    pub roles_complete: bool,
    /// It shows as many members as the list counts, or they are not needed.
    pub members_complete: bool,
}

impl WholeGroup {
    /// A group that a list shows and that could not be read.
    pub fn unread(name: String) -> Self {
        Self {
            name,
            sso_name: None,
            roles: BTreeSet::new(),
            members: BTreeSet::new(),
            incarnation: Incarnation::default(),
            roles_complete: false,
            members_complete: false,
        }
    }

    /// Whether it shows everything.
    pub fn is_complete(&self) -> bool {
        self.roles_complete && self.members_complete
    }
}
