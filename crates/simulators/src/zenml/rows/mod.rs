//! The rows of the tenant, and the switches: plain data. Rows use no other room of this simulator.

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
