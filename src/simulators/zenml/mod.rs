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

use std::{
    io,
    net::{Ipv4Addr, SocketAddr},
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

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
use super::kit::{Server, Vendor, World};

/// The name of the credential that a simulator starts with.
pub const ADMIN: &str = "admin";

/// The service account, an admin of [`ORGANIZATION`], that this credential acts as.
pub const ADMIN_ACCOUNT: &str = "rolewright";

/// The first organization.
pub const ORGANIZATION: &str = "acme";

/// The second organization.
pub const PARTNERS: &str = "partners";

/// How to start a simulator.
pub struct Options {
    /// Where to listen; port 0 takes any free port.
    pub listen: SocketAddr,
    /// The API key of the service account [`ADMIN_ACCOUNT`].
    pub token: String,
    /// The path that the API lies below, such as `/api/v1`; empty for none.
    pub prefix: String,
    /// What the server has at the start, and how it behaves.
    pub tenant: Tenant,
}

impl Options {
    /// The seeded tenant, on a free port of the loopback address.
    pub fn new(token: impl Into<String>) -> Self {
        Self {
            listen: (Ipv4Addr::LOCALHOST, 0).into(),
            token: token.into(),
            prefix: String::new(),
            tenant: Tenant::seeded(),
        }
    }
}

/// A running simulator of ZenML Pro's control plane; stops when it is dropped.
pub struct Simulator {
    server: Server<ZenMl>,
}

impl Simulator {
    /// Starts a simulator. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The address cannot be listened on, the tenant is not consistent, the prefix is no path, or the token is
    /// empty.
    pub async fn start(options: Options) -> io::Result<Self> {
        let Options { listen, token, prefix, mut tenant } = options;
        let invalid = |error: String| io::Error::new(io::ErrorKind::InvalidInput, error);
        tenant.admit().map_err(invalid)?;
        let prefix = prefix.trim_end_matches('/').to_owned();
        let is_path = prefix.is_empty() || (prefix.starts_with('/') && !prefix.contains(['{', '}', '*']));
        if !is_path {
            return Err(invalid(format!("{prefix} is no path")));
        }
        let account = tenant
            .organization_by_name(ORGANIZATION)
            .and_then(|organization| tenant.service_account_by_name(organization, ADMIN_ACCOUNT));
        let grant = Grant { user_id: account, ..Grant::default() };
        let world = World::new(ZenMl { prefix, ..ZenMl::default() }, tenant);
        world.credentials.add(ADMIN, &token, grant).map_err(|error| invalid(error.to_string()))?;
        Ok(Self { server: Server::start(listen, world).await? })
    }

    /// Ends all sessions: tokens that a login gave are refused, keys are still good for another login.
    pub fn end_sessions(&self) {
        self.server.edit(|tenant| tenant.switches.sessions_since = Some(Timestamp::now()));
    }

    /// Stops at once; see [`Server::stop`].
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

impl Deref for Simulator {
    type Target = Server<ZenMl>;

    fn deref(&self) -> &Server<ZenMl> {
        &self.server
    }
}

/// The vendor, with what it keeps outside its tenant.
#[derive(Default)]
pub struct ZenMl {
    prefix: String,
    refusals: AtomicU64,
    shuffles: AtomicU64,
    sessions: Sessions,
}

impl ZenMl {
    /// The answer to a call that failed.
    pub fn refuse(&self, problem: Problem) -> Response {
        problem.into_response(self.refusals.fetch_add(1, Ordering::Relaxed))
    }

    /// Dice for one answer: others each time, the same in every run.
    pub fn dice(&self, seed: u64) -> fastrand::Rng {
        fastrand::Rng::with_seed(seed.wrapping_add(self.shuffles.fetch_add(1, Ordering::Relaxed)))
    }
}

impl Vendor for ZenMl {
    const NAME: &'static str = "zenml";
    type Tenant = Tenant;
    type Grant = Grant;

    fn routes(&self) -> Router<Arc<World<Self>>> {
        routes::router(&self.prefix)
    }

    /// The secret of the key that a session stands for, so that both have one name in the log and in faults; else
    /// the bearer token itself.
    fn secret(&self, headers: &HeaderMap) -> Option<String> {
        let token = auth::bearer(headers)?;
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
