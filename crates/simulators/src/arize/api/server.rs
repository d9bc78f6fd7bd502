//! One running server: what it keeps outside the account.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::response::Response;
use tokio::time::Instant;

use super::problem::Problem;
use crate::{arize::state::Tenant, kit::dice::Serial};

/// The simulated vendor.
#[derive(Default)]
pub struct Arize {
    prefix: String,
    requests: Serial,
    lagging: Mutex<Option<(Instant, Arc<Tenant>)>>,
}

impl Arize {
    /// A server whose API is below `prefix`, which can be empty.
    pub fn new(prefix: String) -> Self {
        Self { prefix, ..Self::default() }
    }

    /// The path before all paths of the API; can be empty.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The answer to a call that failed.
    pub fn refuse(&self, problem: Problem, path: &str) -> Response {
        problem.into_response(path, &self.next_request_id())
    }

    /// An identifier for one answer.
    pub fn next_request_id(&self) -> String {
        format!("req_{:012}", self.requests.next())
    }

    /// The copy of the account that lists come from; none if lists do not lag.
    pub fn lagging(&self, tenant: &Tenant) -> Option<Arc<Tenant>> {
        let lag = Duration::from_millis(tenant.switches.list_lag_ms);
        let mut copy = self.lagging.lock().unwrap_or_else(PoisonError::into_inner);
        if lag.is_zero() {
            *copy = None;
            return None;
        }
        let (_, tenant) = match copy.take() {
            Some((taken, old)) if taken.elapsed() < lag => copy.insert((taken, old)),
            _ => copy.insert((Instant::now(), Arc::new(tenant.clone()))),
        };
        Some(tenant.clone())
    }
}
