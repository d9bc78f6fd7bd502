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
    sync::{Arc, Mutex, MutexGuard, PoisonError},
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
pub use super::kit::ADMIN;
use super::kit::{
    self, Server, Vendor, World,
    dice::{Dice, Serial},
};

/// The service account, an admin of organization 1, that this credential acts as.
pub const ADMIN_ACCOUNT: &str = "rolewright";

/// A running simulator of Grafana; stops when it is dropped.
pub type Simulator = Server<Grafana>;

/// How to start one.
pub type Options = kit::Options<Grafana>;

/// The vendor, with what it keeps outside its tenant.
#[derive(Default)]
pub struct Grafana {
    prefix: String,
    refusals: Serial,
    dice: Dice,
    remembered: Mutex<HashMap<(String, i64), (Instant, Permissions)>>,
}

impl Grafana {
    /// The answer to a call that failed.
    pub fn refuse(&self, problem: Problem) -> Response {
        problem.into_response(self.refusals.next())
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
        let account = tenant.service_account_by_name(ADMIN_ACCOUNT);
        Grant { service_account_id: account, ..Grant::default() }
    }

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
