//! The rows of the control plane: plain data, without rules and without HTTP.
//!
//! Lowest of the four layers of this vendor (rows, state, access, api): a row uses only other rows.

pub mod api_keys;
pub mod assignments;
pub mod ids;
pub mod invitations;
pub mod listed;
pub mod organizations;
pub mod permissions;
pub mod principals;
pub mod projects;
pub mod roles;
pub mod switches;
pub mod teams;
pub mod users;
pub mod workspaces;
