//! What the rules of a role give access to, and who can use a closed resource.

use super::{key::Id, level::Level};

/// What a rule of a role gives access to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reach {
    /// The resource with this id.
    One(Id),
    /// All resources of this level.
    All(Level),
}

/// Who can use a resource although it is closed, as far as the back end shows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StillOpen {
    /// The first ones, and how they have access.
    pub to: Vec<String>,
    /// How many more there are.
    pub more: usize,
    /// What the back end does not show, as a clause of its own.
    pub unknown: String,
}
