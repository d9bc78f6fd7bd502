//! The rows of a server: plain data, without rules and without HTTP.
//!
//! Lowest of the four layers of this vendor (rows, state, access, api): a row uses only other rows.

pub mod actions;
pub mod basic_role;
pub mod dashboards;
pub mod data_sources;
pub mod folders;
pub mod group_mappings;
pub mod managed;
pub mod orgs;
pub mod permissions;
pub mod plugins;
pub mod receivers;
pub mod role_assignments;
pub mod roles;
pub mod service_accounts;
pub mod switches;
pub mod teams;
pub mod users;
