//! The rows of an account: plain data, without rules and without HTTP.
//!
//! Lowest of the four layers of this vendor (rows, state, access, api): a row uses only other rows.

pub mod api_keys;
pub mod assets;
pub mod audit_logs;
pub mod ids;
pub mod memberships;
pub mod organizations;
pub mod permissions;
pub mod projects;
pub mod restrictions;
pub mod role_bindings;
pub mod roles;
pub mod spaces;
pub mod switches;
pub mod users;
