//! What holds for every back end, with Arize as the example.

mod admission;
mod chart;
mod claims;
mod crashes;
mod credentials;
mod deletion;
mod drift;
mod examples;
mod firsthand;
mod invalid;
mod modes;
mod names;
mod platform;
mod processes;
mod quiet;
mod schema;
