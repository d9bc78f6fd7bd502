//! The planner: from what an object desires and manages, and from a snapshot, to a plan. No I/O, no clock, no Kubernetes type.

mod candidates;
mod claims;
mod compute;
mod input;
mod loss;
mod messages;
mod object;
mod plan;
mod problem;
mod rekey;
mod render;
mod retained;
mod words;

#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

pub use candidates::candidates;
pub use claims::{Claim, Claimant, Claims, DesiredKeys, DesiredThing, ELSEWHERE};
pub use compute::plan;
pub use input::{
    Adopt, Desired, DesiredBody, Held, HeldState, Origin, OtherClaims, Policy, Removal, Standing,
};
pub use loss::Loss;
pub use object::{ObjectKind, ObjectName, ObjectRef};
pub use plan::{Cause, Finding, Plan, Step};
pub use problem::{Issue, Problem};
pub use rekey::rekey;
pub use render::{Row, Summary, text};
pub use retained::{desired_keys, recorded_keys};
pub use words::past;
