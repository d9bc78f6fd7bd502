//! The vendor's API over HTTP: operations on the account, as far as the caller is permitted. Highest of the
//! four layers; [`routes`] lists the operations.

mod api_keys;
mod assigned_roles;
mod audit_logs;
mod body;
pub mod call;
mod memberships;
mod organizations;
pub mod paging;
pub mod problem;
mod projects;
mod restrictions;
mod role_bindings;
mod roles;
pub mod routes;
pub mod server;
mod service_key_access;
mod spaces;
mod users;
