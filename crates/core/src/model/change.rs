//! One write to a back end. Only the planner constructs changes, and one function of the controller executes them.

use std::fmt;

use serde::Serialize;

use super::{body::Body, key::Id};

/// What a change does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Verb {
    /// Creates an external thing.
    Create,
    /// Changes an existing thing to the desired body.
    Update,
    /// Deletes a managed thing.
    Delete,
}

impl fmt::Display for Verb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Verb::Create => "Create",
            Verb::Update => "Update",
            Verb::Delete => "Delete",
        })
    }
}

/// One write: from the observed body to the desired one.
///
/// Plan hashes in statuses and approvals cover the serialized form, so names and order of variants and fields must not change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Change {
    /// Creates `after`.
    #[non_exhaustive]
    Create {
        /// The id of the new thing, where Rolewright chooses it.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<Id>,
        /// The desired body.
        after: Body,
    },
    /// Changes the thing `id` to `after`.
    #[non_exhaustive]
    Update {
        /// The thing to change.
        id: Id,
        /// Its body in the snapshot that the plan was made from.
        before: Body,
        /// The complete body after the update.
        after: Body,
    },
    /// Deletes the thing `id`.
    #[non_exhaustive]
    Delete {
        /// The thing to delete.
        id: Id,
        /// Its body in the snapshot that the plan was made from.
        before: Body,
    },
}

impl Change {
    /// Create, Update or Delete.
    pub fn verb(&self) -> Verb {
        match self {
            Change::Create { .. } => Verb::Create,
            Change::Update { .. } => Verb::Update,
            Change::Delete { .. } => Verb::Delete,
        }
    }

    /// The body after a create or update; the body before a delete.
    pub fn body(&self) -> &Body {
        match self {
            Change::Create { after, .. } | Change::Update { after, .. } => after,
            Change::Delete { before, .. } => before,
        }
    }

    /// The body before an update or delete.
    pub fn before(&self) -> Option<&Body> {
        match self {
            Change::Create { .. } => None,
            Change::Update { before, .. } | Change::Delete { before, .. } => Some(before),
        }
    }

    /// The id of the existing thing. None for a create.
    pub fn id(&self) -> Option<&Id> {
        match self {
            Change::Create { .. } => None,
            Change::Update { id, .. } | Change::Delete { id, .. } => Some(id),
        }
    }

    /// The differences, one per line, as statuses and Events show them.
    pub fn details(&self) -> Vec<String> {
        match self {
            Change::Create { after: Body::Role(role), .. } => {
                role.rules.iter().map(|rule| format!("+ {rule}")).collect()
            }
            Change::Create { after: Body::Group(group), .. } => {
                let roles = group.roles.iter().map(|role| format!("+ role {}", role.name()));
                let members = group.members.iter().flatten().map(|member| format!("+ {}", member.name));
                roles.chain(members).collect()
            }
            Change::Update { before, after, .. } => before.difference(after),
            Change::Create { .. } | Change::Delete { .. } => Vec::new(),
        }
    }
}
