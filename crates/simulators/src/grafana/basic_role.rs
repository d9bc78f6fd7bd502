//! The basic roles: what every user and service account has in an organization.

use serde::{Deserialize, Serialize};

use super::problem::Problem;

/// A basic role, the least first.
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

    /// Its name, as users see it.
    pub fn name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Viewer => "Viewer",
            Self::Editor => "Editor",
            Self::Admin => "Admin",
        }
    }

    /// The uid of the role that holds its permissions.
    pub fn uid(self) -> &'static str {
        match self {
            Self::None => "basic_none",
            Self::Viewer => "basic_viewer",
            Self::Editor => "basic_editor",
            Self::Admin => "basic_admin",
        }
    }

    /// The role, and those that it contains.
    pub fn with_lesser(self) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |role| *role <= self)
    }

    /// The role of this name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// The role of this name, from a request.
    ///
    /// # Errors
    /// 400 if there is none.
    pub fn read(name: &str) -> Result<Self, Problem> {
        Self::find(name).ok_or_else(|| Problem::bad_request("Invalid role specified"))
    }
}
