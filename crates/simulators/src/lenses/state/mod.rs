//! The server: collections of rows, and the rules that keep them consistent. Uses [`super::rows`], and knows
//! neither callers nor HTTP.

mod invariants;
pub mod memberships;
pub mod principals;
pub mod seed;
pub mod tenant;

pub use self::tenant::{Tenant, now};
