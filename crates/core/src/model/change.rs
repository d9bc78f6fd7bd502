//! One write to a back end. Only a plan makes changes, and only the controller's one executor hands them to a back end.

use std::fmt;

use serde::Serialize;

use super::{body::Body, key::Id};

/// What a change does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Verb {
    /// Makes a thing that is not there.
    Create,
    /// Makes a thing that is there equal to the wish.
    Update,
    /// Removes a thing that is held.
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

/// One write: from what is there to what is wanted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Change {
    /// Makes `after`.
    #[non_exhaustive]
    Create {
        /// The id to make it under, where that is ours to choose.
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<Id>,
        /// What is to be.
        after: Body,
    },
    /// Makes the thing `id` equal to `after`.
    #[non_exhaustive]
    Update {
        /// The thing.
        id: Id,
        /// What it was when the plan was made.
        before: Body,
        /// What is to be.
        after: Body,
    },
    /// Removes the thing `id`.
    #[non_exhaustive]
    Delete {
        /// The thing.
        id: Id,
        /// What it was when the plan was made.
        before: Body,
    },
}

impl Change {
    /// What it does.
    pub fn verb(&self) -> Verb {
        match self {
            Change::Create { .. } => Verb::Create,
            Change::Update { .. } => Verb::Update,
            Change::Delete { .. } => Verb::Delete,
        }
    }

    /// The thing concerned, as wanted where it stays, as it was where it goes.
    pub fn body(&self) -> &Body {
        match self {
            Change::Create { after, .. } | Change::Update { after, .. } => after,
            Change::Delete { before, .. } => before,
        }
    }

    /// What was there when the plan was made.
    pub fn before(&self) -> Option<&Body> {
        match self {
            Change::Create { .. } => None,
            Change::Update { before, .. } | Change::Delete { before, .. } => Some(before),
        }
    }

    /// The id of the thing, where it has one already.
    pub fn id(&self) -> Option<&Id> {
        match self {
            Change::Create { .. } => None,
            Change::Update { id, .. } | Change::Delete { id, .. } => Some(id),
        }
    }

    /// What changes, a line each, for people.
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
