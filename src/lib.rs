//! The map of the house.
//!
//! `api` (what users write) and `access` (the vendor-neutral model) know nobody. `engine` plans and knows `access`; `backends` reads and
//! writes the vendors' systems and knows `access`. `controller` is the Kubernetes side that joins them. `simulators` are the vendors' systems
//! in memory and know nobody, so that no mistake can hide on both sides. `cli` starts each of these.

pub mod access;
pub mod api;
pub mod backends;
pub mod cli;
pub mod controller;
pub mod engine;
pub mod simulators;
pub mod telemetry;
