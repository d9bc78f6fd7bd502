//! Arize AX: roles, role bindings and resource restrictions, and the rows that they refer to.
//!
//! Four layers. Each uses only those before it:
//! - [`rows`]: the rows of the account, plain data;
//! - [`state`]: the account ([`Tenant`]) with the rules that keep it consistent;
//! - [`access`]: what a caller can see and do;
//! - [`api`]: the operations over HTTP.
//!
//! [`Switches`] decide what the contract leaves open.

pub mod access;
pub mod api;
pub mod rows;
pub mod state;

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::Value;

use self::api::{paging, problem::Problem, routes};
pub use self::{
    access::Grant,
    api::server::Arize,
    rows::{
        ids::{Id, Kind},
        organizations, permissions, projects, roles, spaces,
        switches::{self, Switches},
        users::{self, AccountRole},
    },
    state::{Tenant, role_bindings},
};
pub use super::kit::ADMIN;
use super::kit::{self, Server, Vendor, World, credentials::bearer};

/// A running simulator of Arize AX. It stops when it is dropped.
pub type Simulator = Server<Arize>;

/// How to start a simulator.
pub type Options = kit::Options<Arize>;

impl Vendor for Arize {
    const NAME: &'static str = "arize";
    type Tenant = Tenant;
    type Switches = Switches;
    type Grant = Grant;

    fn below(prefix: String) -> Self {
        Self::new(prefix)
    }

    fn seeded() -> Tenant {
        Tenant::seeded()
    }

    fn switches(tenant: &mut Tenant) -> &mut Switches {
        &mut tenant.switches
    }

    /// The account admin, who acts as `admin@example.com`.
    fn admin(tenant: &Tenant) -> Grant {
        let user_id = tenant.user_by_email("admin@example.com");
        Grant { account_role: AccountRole::Admin, user_id, ..Grant::default() }
    }

    fn routes(&self) -> Router<Arc<World<Self>>> {
        routes::router(self.prefix())
    }

    /// The word `Bearer` is required (contract 6.12).
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
