//! The result of connecting a Backend.

use std::time::Duration;

use rolewright_api::Reason;
use rolewright_core::model::Fault;
use rolewright_reconcile::{account::Link, readiness::Readiness};

/// Whether a Backend is connected.
pub enum Attempt {
    /// The spec and the Secrets have not changed, and nothing speaks against the connection.
    Unchanged,
    /// The connection works.
    Connected(Link),
    /// The connection does not work.
    Failed { ready: Readiness, no_credential: bool, retry_after: Duration },
}

/// The condition for a field that the vendor does not accept.
pub fn invalid(fault: &Fault) -> Readiness {
    let field = fault.field.trim_start_matches("spec.");
    Readiness::new(Reason::Invalid, format!("spec.{field}: {}", fault.message))
}
