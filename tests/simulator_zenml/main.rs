//! Tests of the simulator of ZenML Pro's control plane against its contract, over real HTTP.

mod assignments;
mod client;
mod control;
mod errors;
mod lists;
mod login;
mod members;
mod permissions;
mod places;
mod rbac;
mod rights;
mod roles;
#[path = "../simulator_support/mod.rs"]
mod support;
mod teams;
