//! The pure part of Rolewright: the vendor-neutral model of access, and the planner that compares desired with observed.
//!
//! No I/O, no clock, no async, no Kubernetes, no vendor: the manifest has only serde and sha2, and `clippy.toml` forbids clocks.

pub mod model;
pub mod planner;
