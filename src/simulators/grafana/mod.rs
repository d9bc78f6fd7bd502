//! Grafana: roles and their assignments, permissions on resources, and what surrounds them, as the contract
//! has it.
//!
//! The server is plain data ([`Tenant`]), the operations are functions over it ([`routes`] lists them), and
//! what the contract leaves open is a field of [`Switches`].

pub mod about;
pub mod assignment_search;
pub mod auth;
pub mod basic_role;
pub mod body;
pub mod builtin;
pub mod call;
pub mod dashboards;
pub mod data_sources;
pub mod folders;
pub mod group_sync;
pub mod holdings;
pub mod managed;
pub mod org_users;
pub mod orgs;
pub mod paging;
pub mod permission_queries;
pub mod permissions;
pub mod problem;
pub mod receivers;
pub mod registry;
pub mod resource_permissions;
pub mod role_assignments;
pub mod role_searches;
pub mod role_writing;
pub mod roles;
pub mod routes;
pub mod searches;
mod seed;
pub mod service_accounts;
pub mod state;
pub mod switches;
pub mod team_roles;
pub mod teams;
pub mod tokens;
pub mod user_roles;
pub mod users;

use std::{
    collections::HashMap,
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr},
    ops::Deref,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
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

use self::{auth::Caller, permissions::Permissions, problem::Problem};
pub use self::{
    auth::Grant,
    basic_role::BasicRole,
    state::{Kind, Tenant},
    switches::Switches,
};
use super::kit::{Server, Vendor, World};

/// The name of the credential that a simulator starts with.
pub const ADMIN: &str = "admin";

/// The service account, an admin of organization 1, that this credential acts as.
pub const ADMIN_ACCOUNT: &str = "rolewright";

/// How to start a simulator.
pub struct Options {
    /// Where to listen; port 0 takes any free port.
    pub listen: SocketAddr,
    /// The bearer token of the service account [`ADMIN_ACCOUNT`].
    pub token: String,
    /// The path that the server lies below, such as `/grafana`; empty for none.
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

/// A running simulator of Grafana; stops when it is dropped.
pub struct Simulator {
    server: Server<Grafana>,
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
        let account = tenant.service_account_by_name(ADMIN_ACCOUNT);
        let grant = Grant { service_account_id: account, ..Grant::default() };
        let world = World::new(Grafana { prefix, ..Grafana::default() }, tenant);
        world.credentials.add(ADMIN, &token, grant).map_err(|error| invalid(error.to_string()))?;
        Ok(Self { server: Server::start(listen, world).await? })
    }

    /// Stops at once; see [`Server::stop`].
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

impl Deref for Simulator {
    type Target = Server<Grafana>;

    fn deref(&self) -> &Server<Grafana> {
        &self.server
    }
}

/// Runs a simulator until `shutdown` is over: what `rolewright simulate grafana` does.
///
/// # Errors
/// As [`Simulator::start`].
pub async fn serve(options: Options, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    Simulator::start(options).await?.server.run_until(shutdown).await;
    Ok(())
}

/// The vendor, with what it keeps outside its tenant.
#[derive(Default)]
pub struct Grafana {
    prefix: String,
    refusals: AtomicU64,
    shuffles: AtomicU64,
    remembered: Mutex<HashMap<(String, i64), (Instant, Permissions)>>,
}

impl Grafana {
    /// The answer to a call that failed.
    pub fn refuse(&self, problem: Problem) -> Response {
        problem.into_response(self.refusals.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Dice for one answer: others each time, the same in every run.
    pub fn dice(&self, seed: u64) -> fastrand::Rng {
        fastrand::Rng::with_seed(seed.wrapping_add(self.shuffles.fetch_add(1, Ordering::Relaxed)))
    }

    /// What the server believes that the caller may do: what it read some time ago, or what is true now.
    fn remembered(&self, caller: &Caller, switches: &Switches, reload: bool) -> Permissions {
        let mut remembered = self.memory();
        if switches.permission_cache_ms == 0 {
            remembered.clear();
            return caller.permissions.clone();
        }
        let age = Duration::from_millis(switches.permission_cache_ms);
        let key = (caller.credential.clone(), caller.org);
        match remembered.get(&key) {
            Some((read, permissions)) if !reload && read.elapsed() < age => permissions.clone(),
            _ => {
                remembered.insert(key, (Instant::now(), caller.permissions.clone()));
                caller.permissions.clone()
            }
        }
    }

    fn memory(&self) -> MutexGuard<'_, HashMap<(String, i64), (Instant, Permissions)>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Vendor for Grafana {
    const NAME: &'static str = "grafana";
    type Tenant = Tenant;
    type Grant = Grant;

    fn routes(&self) -> Router<Arc<World<Self>>> {
        routes::router(&self.prefix)
    }

    fn secret(&self, headers: &HeaderMap) -> Option<String> {
        auth::secret(headers)
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
