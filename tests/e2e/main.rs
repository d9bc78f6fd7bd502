//! End-to-end tests: the operator process, a real API server and the simulators. All tests share one control plane. Each test has its own
//! namespace, operator and simulator.

mod arize;
mod common;
mod fifth;
mod grafana;
mod lenses;
mod simulation;
mod support;
mod zenml;
