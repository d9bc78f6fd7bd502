//! The operator, as a process of its own, against a real API server and the simulators: one control plane for the whole run; a namespace, an
//! operator and a simulator for each test.

mod arize;
mod common;
mod fifth;
mod grafana;
mod lenses;
mod support;
mod zenml;
