//! ZenML Pro's control plane: roles, their assignments and members, and what surrounds them, as the contract has
//! it.
//!
//! The control plane is plain data ([`Tenant`]), the operations are functions over it ([`api::routes`] lists them),
//! and what the contract leaves open is a field of [`Switches`].

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
    access::caller::Grant,
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

/// A running simulator of ZenML Pro's control plane; stops when it is dropped.
pub type Simulator = Server<ZenMl>;

/// How to start one.
pub type Options = kit::Options<ZenMl>;

impl Simulator {
    /// Ends all sessions: tokens that a login gave are refused, keys are still good for another login.
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

    /// [`ADMIN_ACCOUNT`]'s.
    fn admin(tenant: &Tenant) -> Grant {
        let account = tenant
            .organization_by_name(ORGANIZATION)
            .and_then(|organization| tenant.service_account_by_name(organization, ADMIN_ACCOUNT));
        Grant { user_id: account, ..Grant::default() }
    }

    fn routes(&self) -> Router<Arc<World<Self>>> {
        routes::router(self.prefix())
    }

    /// The secret of the key that a session stands for, so that both have one name in the log and in faults; else
    /// the bearer token itself.
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
