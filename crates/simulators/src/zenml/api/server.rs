//! The vendor's code, with its data outside the tenant.

use axum::response::Response;

use super::problem::Problem;
use crate::{
    kit::dice::{Dice, Serial},
    zenml::access::sessions::Sessions,
};

/// The vendor, with what it keeps outside its tenant.
#[derive(Default)]
pub struct ZenMl {
    prefix: String,
    refusals: Serial,
    /// For lists in random order.
    pub dice: Dice,
    /// The sessions of logins.
    pub sessions: Sessions,
}

impl ZenMl {
    /// A server with all paths below `prefix`; empty for none.
    pub fn new(prefix: String) -> Self {
        Self { prefix, ..Self::default() }
    }

    /// The path before the vendor's own paths.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The answer to a call that failed.
    pub fn refuse(&self, problem: Problem) -> Response {
        problem.into_response(self.refusals.next())
    }
}
