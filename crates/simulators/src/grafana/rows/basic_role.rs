//! Basic roles: each user and service account has one in each of its organizations (contract 3.3).

use serde::{Deserialize, Serialize};

/// A basic role, the lowest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the vendor's")]
pub enum BasicRole {
    #[default]
    None,
    Viewer,
    Editor,
    Admin,
}

impl BasicRole {
    const ALL: [Self; 4] = [Self::None, Self::Viewer, Self::Editor, Self::Admin];

    /// The vendor's spelling.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Viewer => "Viewer",
            Self::Editor => "Editor",
            Self::Admin => "Admin",
        }
    }

    /// The uid of the role with its permissions.
    pub fn uid(self) -> &'static str {
        match self {
            Self::None => "basic_none",
            Self::Viewer => "basic_viewer",
            Self::Editor => "basic_editor",
            Self::Admin => "basic_admin",
        }
    }

    /// The role and all lower ones: their permissions apply too.
    pub fn with_lower(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |role| *role <= self)
    }

    /// The role with this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }
}
