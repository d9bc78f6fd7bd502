//! The tenant: its collections and their invariants. Knows no HTTP and no access control.

pub mod holdings;
mod invariants;
pub mod invitations;
pub mod organizations;
pub mod places;
pub mod roles;
pub mod seed;
pub mod teams;
mod tenant;
pub mod users;

pub use self::tenant::Tenant;
