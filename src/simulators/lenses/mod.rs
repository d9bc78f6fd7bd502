//! Lenses HQ: roles, the groups in which they meet users and service accounts, and what surrounds them, as the
//! contract has it.
//!
//! The server is plain data ([`Tenant`]), the operations are functions over it ([`routes`] lists them), and
//! what the contract leaves open is a field of [`Switches`].

pub mod access;
pub mod auth;
pub mod body;
pub mod call;
pub mod catalogue;
pub mod control;
pub mod environments;
pub mod groups;
mod identity;
pub mod kind;
pub mod lrn;
pub mod memberships;
pub mod metadata;
pub mod names;
pub mod policy;
pub mod principals;
pub mod problem;
pub mod roles;
pub mod routes;
mod seed;
pub mod service_accounts;
pub mod state;
pub mod switches;
pub mod users;

use std::{
    future::Future,
    io,
    net::{Ipv4Addr, SocketAddr},
    ops::Deref,
    sync::Arc,
};

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde_json::Value;

use self::problem::Problem;
pub use self::{auth::Grant, state::Tenant, switches::Switches};
use super::kit::{Server, Vendor, World};

/// The name of the credential that a simulator starts with.
pub const ADMIN: &str = "admin";

/// The service account that this credential acts as; its group has a role that allows everything.
pub const ADMIN_ACCOUNT: &str = "rolewright";

/// How to start a simulator.
pub struct Options {
    /// Where to listen; port 0 takes any free port.
    pub listen: SocketAddr,
    /// The bearer token of the service account [`ADMIN_ACCOUNT`].
    pub token: String,
    /// The path that the server lies below, such as `/lenses`; empty for none.
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

/// A running simulator of Lenses HQ; stops when it is dropped.
pub struct Simulator {
    server: Server<Lenses>,
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
        let serial = tenant.service_accounts.get(ADMIN_ACCOUNT).map(|account| account.token);
        let grant = Grant { token: serial, ..Grant::of_service_account(ADMIN_ACCOUNT) };
        let world = World::new(Lenses { prefix }, tenant);
        world.credentials.add(ADMIN, &token, grant).map_err(|error| invalid(error.to_string()))?;
        Ok(Self { server: Server::start(listen, world).await? })
    }

    /// Stops at once; see [`Server::stop`].
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

impl Deref for Simulator {
    type Target = Server<Lenses>;

    fn deref(&self) -> &Server<Lenses> {
        &self.server
    }
}

/// Runs a simulator until `shutdown` is over.
///
/// # Errors
/// As [`Simulator::start`].
pub async fn serve(options: Options, shutdown: impl Future<Output = ()>) -> io::Result<()> {
    Simulator::start(options).await?.server.run_until(shutdown).await;
    Ok(())
}

/// The vendor, with what it keeps outside its tenant.
pub struct Lenses {
    prefix: String,
}

impl Vendor for Lenses {
    const NAME: &'static str = "lenses";
    type Tenant = Tenant;
    type Grant = Grant;

    fn routes(&self) -> Router<Arc<World<Self>>> {
        routes::router(&self.prefix)
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
