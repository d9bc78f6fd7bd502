//! Levels: the kinds of things that have names.

use std::fmt;

/// The kind of a named thing in a back end, such as user, folder or project. Names are unique, at best, within one level.
///
/// Specs, messages and the directory know a level by its word. The common levels are constants here; a vendor defines its own.
/// A level is never part of a fingerprint or of a plan's hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Level(&'static str);

impl Level {
    /// Roles.
    pub const ROLE: Self = Self("role");
    /// People.
    pub const USER: Self = Self("user");
    /// Accounts of programs.
    pub const SERVICE_ACCOUNT: Self = Self("serviceAccount");
    /// Sets of users.
    pub const TEAM: Self = Self("team");
    /// Sets of principals that roles are granted to.
    pub const GROUP: Self = Self("group");

    /// A level of one vendor, by the word that specs use for it.
    pub const fn new(word: &'static str) -> Self {
        Self(word)
    }

    /// The word that specs use for it.
    pub const fn as_str(self) -> &'static str {
        self.0
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.0)
    }
}
