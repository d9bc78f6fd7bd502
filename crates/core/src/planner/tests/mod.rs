//! Tests of the planner: cases by subject, and properties on random input.

mod candidates;
mod cases;
mod claims;
mod claims_isolation;
mod claims_properties;
mod claims_rights;
mod closing;
mod group;
mod losses;
mod partial;
mod plan;
mod properties;
mod rekey;
mod render;
mod standing;
mod support;
mod unread;
mod unreadable;
