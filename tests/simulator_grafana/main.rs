//! The simulator of Grafana against its contract, over real HTTP.

mod about;
mod access;
mod assignments;
mod client;
mod control;
mod delegation;
mod group_sync;
mod licence;
mod places;
mod queries;
mod resources;
mod roles;
#[path = "../simulator_support/mod.rs"]
mod support;
mod validation;
mod versions;
