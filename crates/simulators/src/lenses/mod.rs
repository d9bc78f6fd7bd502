//! Lenses HQ: roles, and the groups that connect them with users and service accounts.
//!
//! Four layers. Each uses only those before it:
//! - [`rows`]: the rows of the server, plain data;
//! - [`state`]: the server ([`Tenant`]) with the rules that keep it consistent;
//! - [`access`]: who calls, and what a principal can do;
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
    api::server::Lenses,
    rows::{
        groups, policy, principals, roles,
        switches::{self, Switches},
        users,
    },
    state::{Tenant, seed::ADMIN_ACCOUNT},
};
use self::{
    access::authentication,
    api::{control, problem::Problem, routes},
};
pub use super::kit::ADMIN;
use super::kit::{self, Server, Vendor, World};

/// A running simulator of Lenses HQ. It stops when it is dropped.
pub type Simulator = Server<Lenses>;

/// How to start a simulator.
pub type Options = kit::Options<Lenses>;

impl Vendor for Lenses {
    const NAME: &'static str = "lenses";
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

    /// The token of the service account [`ADMIN_ACCOUNT`].
    fn admin(tenant: &Tenant) -> Grant {
        let serial = tenant.service_accounts.get(ADMIN_ACCOUNT).map(|account| account.token);
        Grant { token: serial, ..Grant::of_service_account(ADMIN_ACCOUNT) }
    }

    fn routes(&self) -> Router<Arc<World<Self>>> {
        routes::router(self.prefix())
    }

    fn control(&self) -> Router<Arc<World<Self>>> {
        control::routes()
    }

    fn secret(&self, headers: &HeaderMap) -> Option<String> {
        authentication::secret(headers)
    }

    fn problem(&self, status: StatusCode, detail: &str, _path: &str) -> Response {
        Problem::other(status, detail).into_response(&Switches::default())
    }

    fn cut_page(&self, page: &mut Value, keep: usize, _last: bool) {
        // There are no pages (contract 1.4), so a shortened list always looks complete.
        if let Some(items) = page.get_mut("items").and_then(Value::as_array_mut) {
            items.truncate(keep);
        }
    }

    fn admit(&self, tenant: &mut Tenant) -> Result<(), String> {
        tenant.admit()
    }
}
