//! The server: collections of rows, and the rules that keep them consistent. Uses [`super::rows`], and knows
//! neither callers nor HTTP.

pub mod admins;
pub mod builtin;
pub mod folders;
pub mod lookups;
pub mod managed;
pub mod orgs;
pub mod principals;
pub mod registry;
pub mod resources;
pub mod role_assignments;
pub mod roles;
pub mod seed;
pub mod tenant;

pub use self::tenant::{Kind, Tenant, now};
