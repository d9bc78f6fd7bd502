//! The rows of a server: plain data, without rules and without HTTP.
//!
//! Lowest of the four layers of this vendor (rows, state, access, api): a row uses only other rows.

pub mod environments;
pub mod groups;
pub mod kind;
pub mod metadata;
pub mod names;
pub mod policy;
pub mod principals;
pub mod roles;
pub mod service_accounts;
pub mod switches;
pub mod users;
