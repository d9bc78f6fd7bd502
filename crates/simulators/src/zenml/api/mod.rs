//! The HTTP API: one handler for each operation of the contract. The top room: nothing below uses it.

pub mod assignment_rules;
pub mod assignments;
pub mod auth;
pub mod body;
pub mod call;
pub mod invitations;
pub mod login;
pub mod members;
pub mod organizations;
pub mod paging;
pub mod permissions;
pub mod principals;
pub mod problem;
pub mod projects;
pub mod rbac;
pub mod role_writing;
pub mod roles;
pub mod routes;
pub mod server;
pub mod service_accounts;
pub mod shares;
pub mod teams;
pub mod users;
pub mod workspaces;
