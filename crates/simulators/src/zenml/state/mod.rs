//! The control plane: collections of rows, and the rules that keep them consistent. Uses [`super::rows`], and knows
//! neither callers nor HTTP.

mod invariants;
pub mod invitations;
pub mod organizations;
pub mod places;
pub mod principals;
pub mod roles;
pub mod seed;
pub mod teams;
pub mod tenant;
pub mod users;

pub use self::tenant::Tenant;
