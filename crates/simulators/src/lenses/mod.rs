//! Lenses HQ: roles, the groups in which they meet users and service accounts, and what surrounds them, as the
//! contract has it.
//!
//! The server is plain data ([`Tenant`]), the operations are functions over it ([`api::routes`] lists them), and
//! what the contract leaves open is a field of [`Switches`].

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

use self::api::{auth, control, problem::Problem, routes};
pub use self::{
    access::caller::Grant,
    api::server::Lenses,
    rows::{
        groups, policy, principals, roles,
        switches::{self, Switches},
        users,
    },
    state::{Tenant, seed::ADMIN_ACCOUNT},
};
pub use super::kit::ADMIN;
use super::kit::{self, Server, Vendor, World};

/// A running simulator of Lenses HQ; stops when it is dropped.
pub type Simulator = Server<Lenses>;

/// How to start one.
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

    /// [`ADMIN_ACCOUNT`]'s.
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
        auth::secret(headers)
    }

    fn problem(&self, status: StatusCode, detail: &str, path: &str) -> Response {
        Problem::other(status, detail).into_response(&Switches::default(), path)
    }

    fn cut_page(&self, page: &mut Value, keep: usize, _last: bool) {
        // There are no pages (contract 1): a list that was cut looks whole in any case.
        if let Some(items) = page.get_mut("items").and_then(Value::as_array_mut) {
            items.truncate(keep);
        }
    }

    fn admit(&self, tenant: &mut Tenant) -> Result<(), String> {
        tenant.admit()
    }
}
