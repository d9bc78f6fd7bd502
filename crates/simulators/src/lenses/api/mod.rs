//! The HTTP API: one handler for each operation of the contract. The top room: nothing below uses it.

pub mod auth;
pub mod body;
pub mod call;
pub mod catalogue;
pub mod control;
pub mod environments;
pub mod groups;
pub mod identity;
pub mod memberships;
pub mod metadata;
pub mod problem;
pub mod roles;
pub mod routes;
pub mod server;
pub mod service_accounts;
pub mod statements;
pub mod users;
