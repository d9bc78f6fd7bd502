//! The vendor's API over HTTP: operations on the server, as far as the caller is permitted. Highest of the
//! four layers; [`routes`] lists the operations.

mod body;
pub mod call;
mod catalogue;
pub mod control;
mod environments;
mod groups;
mod memberships;
mod metadata;
pub mod problem;
mod roles;
pub mod routes;
pub mod server;
mod service_accounts;
mod statements;
mod users;
