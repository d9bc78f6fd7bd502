//! The pure core: from what is wanted, what was observed and what is held to a plan. No I/O, no clock, no Kubernetes type.

mod claims;
mod compute;
mod follow;
mod input;
mod keep;
mod plan;
mod render;
mod wording;

#[cfg(test)]
mod cases;
#[cfg(test)]
mod claims_properties;
#[cfg(test)]
mod claims_tests;
#[cfg(test)]
mod closing_tests;
#[cfg(test)]
mod group_tests;
#[cfg(test)]
mod partial_tests;
#[cfg(test)]
mod plan_tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod standing_tests;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod unreadable_tests;

pub use claims::{Asks, Claim, Claimant, Claims};
pub use compute::plan;
pub use follow::follow;
pub use input::{Adopt, Held, Issue, Origin, Others, Policy, Removal, Standing, Want, Wish};
pub use keep::asks;
pub use plan::{Cause, Finding, Plan, Step};
pub use render::{Row, Summary, text};
