//! The simulator of Arize AX against its contract, over real HTTP.

mod access;
mod bindings;
mod client;
mod control;
mod faults;
mod generations;
mod lists;
mod places;
mod restrictions;
mod roles;
#[path = "../simulator_support/mod.rs"]
mod support;
mod transport;
mod users;
