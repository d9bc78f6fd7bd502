//! Tests that apply to every back end, with Arize as the example.

mod admission;
mod chart;
mod claims;
mod counts;
mod crashes;
mod credentials;
mod deletion;
mod did_you_mean;
mod drift;
mod events;
mod examples;
mod field_managers;
mod modes;
mod names;
mod neighbours;
mod platform;
mod processes;
mod restores;
mod reused_names;
mod schema;
mod sharing;
mod stale_snapshot;
mod steady_state;
mod throttling;
mod validity;
mod vanishing;
