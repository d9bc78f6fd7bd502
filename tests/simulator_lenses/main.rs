//! Tests of the Lenses HQ simulator against its contract, over real HTTP.

mod access;
mod client;
mod control;
mod environments;
mod evaluation;
mod groups;
mod memberships;
mod metadata;
mod policies;
mod problems;
mod roles;
mod service_accounts;
#[path = "../simulator_support/mod.rs"]
mod support;
mod users;
