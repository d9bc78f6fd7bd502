//! One running server: what it keeps outside the tenant.

use axum::response::Response;

use super::problem::Problem;
use crate::{
    grafana::access::permission_cache::PermissionCache,
    kit::dice::{Dice, Serial},
};

/// The simulated vendor.
#[derive(Default)]
pub struct Grafana {
    prefix: String,
    /// For the order of permissions in answers.
    pub(super) dice: Dice,
    pub(super) permission_cache: PermissionCache,
    refusals: Serial,
}

impl Grafana {
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
