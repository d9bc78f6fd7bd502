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
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr},
    ops::Deref,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
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
use super::kit::{Server, Vendor, World};

/// The name of the credential that a simulator starts with.
pub const ADMIN: &str = "admin";

/// How to start a simulator.
pub struct Options {
    /// Where to listen; port 0 takes any free port.
    pub listen: SocketAddr,
    /// The bearer token of the account admin, who acts as `admin@example.com`.
    pub token: String,
    /// What the account has at the start, and how the server behaves.
    pub tenant: Tenant,
}

impl Options {
    /// The seeded tenant, on a free port of the loopback address.
    pub fn new(token: impl Into<String>) -> Self {
        Self { listen: (Ipv4Addr::LOCALHOST, 0).into(), token: token.into(), tenant: Tenant::seeded() }
    }
}

/// A running simulator of Arize AX; stops when it is dropped.
pub struct Simulator {
    server: Server<Arize>,
}

impl Simulator {
    /// Starts a simulator. Must be called within a tokio runtime.
    ///
    /// # Errors
    /// The address cannot be listened on, the tenant is not consistent, or the token is empty.
    pub async fn start(options: Options) -> io::Result<Self> {
        let Options { listen, token, mut tenant } = options;
        tenant.admit().map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        let user_id = tenant.user_by_email("admin@example.com");
        let grant = Grant { account_role: AccountRole::Admin, user_id, ..Grant::default() };
        let world = World::new(Arize::default(), tenant);
        world
            .credentials
            .add(ADMIN, &token, grant)
            .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
        Ok(Self { server: Server::start(listen, world).await? })
    }

    /// Stops at once; see [`Server::stop`].
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

impl Deref for Simulator {
    type Target = Server<Arize>;

    fn deref(&self) -> &Server<Arize> {
        &self.server
    }
}

/// Runs a simulator until `shutdown` is over: what `rolewright simulate arize` does.
///
/// # Errors
/// As [`Simulator::start`].
pub async fn serve(options: Options, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    Simulator::start(options).await?.server.run_until(shutdown).await;
    Ok(())
}

/// The vendor, with what it keeps outside its tenant.
#[derive(Default)]
pub struct Arize {
    requests: AtomicU64,
    lagging: Mutex<Option<(Instant, Arc<Tenant>)>>,
}

impl Arize {
    /// The answer to a call that failed.
    pub fn refuse(&self, problem: Problem, path: &str) -> Response {
        problem.into_response(path, &self.next_request_id())
    }

    /// A fresh request identifier.
    pub fn next_request_id(&self) -> String {
        format!("req_{:012}", self.requests.fetch_add(1, Ordering::Relaxed) + 1)
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
    type Grant = Grant;

    fn routes(&self) -> Router<Arc<World<Self>>> {
        routes::router()
    }

    fn secret(&self, headers: &HeaderMap) -> Option<String> {
        auth::bearer(headers)
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
