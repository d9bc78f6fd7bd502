//! The vendor's API over HTTP: operations on the server, as far as the caller is permitted. Highest of the
//! four layers; [`routes`] lists the operations.

mod about;
mod accounts;
mod assignment_search;
mod body;
pub mod call;
mod dashboards;
mod data_sources;
mod delegation;
mod folders;
mod group_sync;
mod org_users;
mod orgs;
pub mod paging;
mod permission_checks;
mod permission_queries;
pub mod problem;
mod resource_permissions;
mod role_assignments;
mod role_json;
mod role_searches;
mod role_writing;
mod roles;
pub mod routes;
mod searches;
pub mod server;
mod service_accounts;
mod team_groups;
mod team_roles;
mod teams;
mod tokens;
mod user_roles;
mod users;
