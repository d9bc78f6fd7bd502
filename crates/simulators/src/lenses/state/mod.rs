//! The tenant: its collections and their invariants. Knows no HTTP and no access control.

mod invariants;
pub mod memberships;
pub mod principals;
pub mod seed;
pub mod tenant;

pub use self::tenant::{Tenant, now};
