//! The vendors' APIs in memory over HTTP, with faults: for tests, the demo, and users' own CI.
//!
//! Every simulator is a tenant (plain data) and a router that speaks the vendor's contract, on top of the
//! [`kit`]. Simulators are the vendor's side: nothing here may use another part of this crate, so that one
//! mistake cannot hide on both sides.

pub mod arize;
pub mod grafana;
pub mod kit;
pub mod lenses;
pub mod zenml;
