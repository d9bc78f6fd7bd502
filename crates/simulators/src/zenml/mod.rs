//! ZenML Pro's control plane: roles, their assignments and members, and the rows that they refer to.
//!
//! Four layers. Each uses only those before it:
//! - [`rows`]: the rows of the control plane, plain data;
//! - [`state`]: the control plane ([`Tenant`]) with the rules that keep it consistent;
//! - [`access`]: who calls, and what users can do;
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
use jiff::Timestamp;
use serde_json::Value;

use self::api::{paging, problem::Problem, routes};
pub use self::{
    access::Grant,
    api::server::ZenMl,
    rows::{
        ids::Uuid,
        principals::Principal,
        roles,
        switches::{self, Switches},
    },
    state::{
        Tenant,
        seed::{ADMIN_ACCOUNT, ORGANIZATION, PARTNERS},
    },
};
pub use super::kit::ADMIN;
use super::kit::{self, Server, Vendor, World, credentials::bearer};

/// A running simulator of ZenML Pro's control plane. It stops when it is dropped.
pub type Simulator = Server<ZenMl>;

/// How to start a simulator.
pub type Options = kit::Options<ZenMl>;

impl Simulator {
    /// Ends all sessions: the server refuses their tokens. API keys stay valid for another login.
    pub fn end_sessions(&self) {
        self.switch(|switches| switches.sessions_since = Some(Timestamp::now()));
    }
}

impl Vendor for ZenMl {
    const NAME: &'static str = "zenml";
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

    /// An API key of the service account [`ADMIN_ACCOUNT`].
    fn admin(tenant: &Tenant) -> Grant {
        let account = tenant
            .organization_by_name(ORGANIZATION)
            .and_then(|organization| tenant.service_account_by_name(organization, ADMIN_ACCOUNT));
        Grant { user_id: account, ..Grant::default() }
    }

    fn routes(&self) -> Router<Arc<World<Self>>> {
        routes::router(self.prefix())
    }

    /// For a session, the secret of its credential, so that both have the same name in the log and in faults. Else the
    /// bearer token itself.
    fn secret(&self, headers: &HeaderMap) -> Option<String> {
        let token = bearer(headers)?;
        let session = self.sessions.find(token);
        Some(session.map_or_else(|| token.to_owned(), |session| session.secret().to_owned()))
    }

    fn problem(&self, status: StatusCode, detail: &str, _path: &str) -> Response {
        self.refuse(Problem::of_status(status, detail))
    }

    fn cut_page(&self, page: &mut Value, keep: usize, _last: bool) {
        paging::cut(page, keep);
    }

    fn admit(&self, tenant: &mut Tenant) -> Result<(), String> {
        tenant.admit()
    }
}
