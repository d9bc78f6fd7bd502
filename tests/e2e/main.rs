//! The operator, as a process of its own, against a real API server and a simulated Arize: one control plane for the whole
//! run, a namespace, an operator and a simulator for each test.

mod admission;
mod chart;
mod claims;
mod crashes;
mod credentials;
mod deletion;
mod drift;
mod examples;
mod faults;
mod fifth;
mod firsthand;
mod generations;
mod grafana;
mod grafana_bad_days;
mod grafana_restrictions;
mod invalid;
mod lenses;
mod lenses_bad_days;
mod lenses_identity;
mod lenses_servers;
mod lifecycle;
mod modes;
mod names;
mod narrowed;
mod processes;
mod quiet;
mod schema;
mod support;
mod zenml;
mod zenml_bad_days;
mod zenml_servers;
