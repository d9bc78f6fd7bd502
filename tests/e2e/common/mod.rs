//! Tests that apply to every back end, with Arize as the example.

mod admission;
mod chart;
mod claims;
mod crashes;
mod credentials;
mod deletion;
mod drift;
mod examples;
mod modes;
mod names;
mod platform;
mod processes;
mod schema;
mod sharing;
mod stale_snapshot;
mod steady_state;
mod throttling;
mod vanishing;
