//! Grafana: roles, their assignments and permissions on resources, and the rows that they refer to.
//!
//! Four layers. Each uses only those before it:
//! - [`rows`]: the rows of the server, plain data;
//! - [`state`]: the server ([`Tenant`]) with the rules that keep it consistent;
//! - [`access`]: who calls, and with which permissions;
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

pub use self::{
    access::Grant,
    api::server::Grafana,
    rows::{
        basic_role::{self, BasicRole},
        managed,
        switches::{self, Switches},
    },
    state::{Kind, Tenant, seed::ADMIN_ACCOUNT},
};
use self::{
    access::authentication,
    api::{paging, problem::Problem, routes},
};
pub use super::kit::ADMIN;
use super::kit::{self, Server, Vendor, World};

/// A running simulator of Grafana. It stops when it is dropped.
pub type Simulator = Server<Grafana>;

/// How to start a simulator.
pub type Options = kit::Options<Grafana>;

impl Vendor for Grafana {
    const NAME: &'static str = "grafana";
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

    /// A token of the service account [`ADMIN_ACCOUNT`].
    fn admin(tenant: &Tenant) -> Grant {
        let account = tenant.service_account_by_name(ADMIN_ACCOUNT);
        Grant { service_account_id: account, ..Grant::default() }
    }

    fn routes(&self) -> Router<Arc<World<Self>>> {
        routes::router(self.prefix())
    }

    fn secret(&self, headers: &HeaderMap) -> Option<String> {
        authentication::secret(headers)
    }

    fn problem(&self, status: StatusCode, detail: &str, _path: &str) -> Response {
        self.refuse(Problem::legacy(status, detail))
    }

    fn cut_page(&self, page: &mut Value, keep: usize, last: bool) {
        paging::cut(page, keep, last);
    }

    fn admit(&self, tenant: &mut Tenant) -> Result<(), String> {
        tenant.admit()
    }
}
