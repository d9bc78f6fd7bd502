//! One running server: its data outside the tenant.

use axum::response::Response;

use super::problem::Problem;
use crate::{
    kit::dice::{Dice, Serial},
    zenml::access::sessions::Sessions,
};

/// The simulated vendor.
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
    /// A server whose API is below `prefix`, which can be empty.
    pub fn new(prefix: String) -> Self {
        Self { prefix, ..Self::default() }
    }

    /// The path before all paths of the API; can be empty.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The answer to a call that failed.
    pub fn refuse(&self, problem: Problem) -> Response {
        problem.into_response(self.refusals.next())
    }
}
