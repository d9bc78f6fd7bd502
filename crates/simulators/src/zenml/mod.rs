//! ZenML Pro's control plane: roles, their assignments and members, and what surrounds them, as the contract has
//! it.
//!
//! The control plane is plain data ([`Tenant`]), the operations are functions over it ([`routes`] lists them),
//! and what the contract leaves open is a field of [`Switches`].

pub mod assignment_rules;
pub mod assignments;
pub mod auth;
pub mod body;
pub mod builtin;
pub mod call;
pub mod ids;
pub mod invitations;
pub mod members;
pub mod organizations;
pub mod paging;
pub mod permissions;
pub mod problem;
pub mod projects;
pub mod rbac;
pub mod rights;
pub mod role_writing;
pub mod roles;
pub mod routes;
mod seed;
pub mod service_accounts;
pub mod sessions;
pub mod shares;
pub mod state;
pub mod switches;
pub mod teams;
pub mod users;
pub mod workspaces;

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use jiff::Timestamp;
use serde_json::Value;

pub use self::{
    auth::Grant,
    ids::Uuid,
    state::{Principal, Tenant},
    switches::Switches,
};
use self::{problem::Problem, sessions::Sessions};
pub use super::kit::ADMIN;
use super::kit::{
    self, Server, Vendor, World,
    credentials::bearer,
    dice::{Dice, Serial},
};

/// The service account, an admin of [`ORGANIZATION`], that this credential acts as.
pub const ADMIN_ACCOUNT: &str = "rolewright";

/// The first organization.
pub const ORGANIZATION: &str = "acme";

/// The second organization.
pub const PARTNERS: &str = "partners";

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

/// The vendor, with what it keeps outside its tenant.
#[derive(Default)]
pub struct ZenMl {
    prefix: String,
    refusals: Serial,
    dice: Dice,
    sessions: Sessions,
}

impl ZenMl {
    /// The answer to a call that failed.
    pub fn refuse(&self, problem: Problem) -> Response {
        problem.into_response(self.refusals.next())
    }
}

impl Vendor for ZenMl {
    const NAME: &'static str = "zenml";
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

    /// [`ADMIN_ACCOUNT`]'s.
    fn admin(tenant: &Tenant) -> Grant {
        let account = tenant
            .organization_by_name(ORGANIZATION)
            .and_then(|organization| tenant.service_account_by_name(organization, ADMIN_ACCOUNT));
        Grant { user_id: account, ..Grant::default() }
    }

    fn routes(&self) -> Router<Arc<World<Self>>> {
        routes::router(&self.prefix)
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
