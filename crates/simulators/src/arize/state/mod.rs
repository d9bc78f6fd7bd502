//! The account: collections of rows, and the rules that keep them consistent. Uses [`super::rows`], and knows
//! neither callers nor HTTP.

pub mod audit_logs;
pub mod lookups;
pub mod memberships;
pub mod names;
pub mod places;
pub mod role_bindings;
mod seed;
pub mod tenant;
pub mod users;

pub use self::tenant::{Tenant, now};
