//! The vendor's API over HTTP: operations on the control plane, as far as the caller is permitted. Highest of the
//! four layers; [`routes`] lists the operations.

mod assignment_rules;
mod assignments;
mod body;
pub mod call;
mod invitations;
mod login;
mod members;
mod organizations;
pub mod paging;
mod permissions;
mod principals;
pub mod problem;
mod projects;
mod rbac;
mod role_writing;
mod roles;
pub mod routes;
pub mod server;
mod service_accounts;
mod shares;
mod teams;
mod users;
mod workspaces;
