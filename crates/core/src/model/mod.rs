//! The vendor-neutral model of access: roles, grants, restrictions and groups, how two of them compare, and what a back end
//! showed of them. Data and comparisons only: no I/O, no clock, no Kubernetes type, no vendor.

mod body;
mod change;
mod dialect;
mod directory;
mod key;
mod level;
mod nearest;
mod reach;
mod snapshot;
mod unread;

#[cfg(test)]
mod tests;

pub use body::{
    Body, Defaults, Effect, Grant, Group, Kind, Named, Restriction, Role, RoleRef, Rule, SubjectKind,
};
pub use change::{Change, Verb};
pub use dialect::{
    Capabilities, ChosenId, Dialect, Fault, Grants, IdentityRules, Members, Restrictions, RoleNames,
    SpecRules, SweepHints,
};
pub use directory::{Directory, Entry, NameMatch, same_name};
pub use key::{Fingerprint, Id, Key, sha256_hex};
pub use level::Level;
pub use nearest::nearest;
pub use reach::{Reach, StillOpen};
pub use snapshot::{Absence, Builder, Observed, Proof, Snapshot};
pub use unread::{Failures, Part, ReadFailure};
