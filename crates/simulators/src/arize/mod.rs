//! Arize AX: roles, role bindings, resource restrictions, and what surrounds them, as the contract has it.
//!
//! The account is plain data ([`Tenant`]), the operations are functions over it ([`routes`] lists them), and
//! what the contract leaves open is a field of [`Switches`].

pub mod api_keys;
pub mod audit_logs;
pub mod auth;
pub mod body;
pub mod call;
pub mod ids;
pub mod memberships;
pub mod organizations;
pub mod paging;
pub mod permissions;
pub mod problem;
pub mod projects;
pub mod restrictions;
pub mod role_bindings;
pub mod roles;
pub mod routes;
mod seed;
pub mod spaces;
pub mod state;
pub mod switches;
pub mod users;

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::Value;

use self::problem::Problem;
pub use self::{
    auth::Grant,
    ids::{Id, Kind},
    state::Tenant,
    switches::Switches,
    users::AccountRole,
};
pub use super::kit::ADMIN;
use super::kit::{self, Server, Vendor, World, credentials::bearer, dice::Serial};

/// A running simulator of Arize AX; stops when it is dropped.
pub type Simulator = Server<Arize>;

/// How to start one.
pub type Options = kit::Options<Arize>;

/// The vendor, with what it keeps outside its tenant.
#[derive(Default)]
pub struct Arize {
    prefix: String,
    requests: Serial,
    lagging: Mutex<Option<(Instant, Arc<Tenant>)>>,
}

impl Arize {
    /// The answer to a call that failed.
    pub fn refuse(&self, problem: Problem, path: &str) -> Response {
        problem.into_response(path, &self.next_request_id())
    }

    /// A fresh request identifier.
    pub fn next_request_id(&self) -> String {
        format!("req_{:012}", self.requests.next())
    }

    /// The copy from which lists are answered, if lists lag.
    fn lagging(&self, tenant: &Tenant) -> Option<Arc<Tenant>> {
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

impl Vendor for Arize {
    const NAME: &'static str = "arize";
    type Tenant = Tenant;
    type Switches = Switches;
    type Grant = Grant;

    fn below(prefix: String) -> Self {
        Self { prefix, ..Self::default() }
    }

    fn seeded() -> Tenant {
        Tenant::seeded()
    }

    fn switches(tenant: &mut Tenant) -> &mut Switches {
        &mut tenant.switches
    }

    /// The account admin, who is `admin@example.com`.
    fn admin(tenant: &Tenant) -> Grant {
        let user_id = tenant.user_by_email("admin@example.com");
        Grant { account_role: AccountRole::Admin, user_id, ..Grant::default() }
    }

    fn routes(&self) -> Router<Arc<World<Self>>> {
        routes::router(&self.prefix)
    }

    /// The vendor insists on the word `Bearer` (contract 6.12).
    fn secret(&self, headers: &HeaderMap) -> Option<String> {
        bearer(headers).map(str::to_owned)
    }

    fn problem(&self, status: StatusCode, detail: &str, path: &str) -> Response {
        self.refuse(Problem::new(status, detail), path)
    }

    fn cut_page(&self, page: &mut Value, keep: usize, last: bool) {
        paging::cut(page, keep, last);
    }

    fn admit(&self, tenant: &mut Tenant) -> Result<(), String> {
        tenant.admit()
    }
}
