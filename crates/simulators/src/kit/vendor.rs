//! The points in which vendors differ ([`Vendor`]), and one running simulator of a vendor ([`World`]).
//!
//! They are in one file because each needs the other: a vendor's routes work on its world.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::{credentials::Credentials, faults::Faults, log::RequestLog};

/// A simulated vendor: its tenant, and the points in which vendors differ.
pub trait Vendor: Sized + Send + Sync + 'static {
    /// The vendor's name, as in `rolewright simulate <name>`.
    const NAME: &'static str;

    /// Everything the vendor stores, as plain data: the body of `GET /_sim/state`.
    type Tenant: Serialize + DeserializeOwned + Send + 'static;

    /// The server's behaviour where the contract does not fix it, or where servers differ.
    type Switches;

    /// The access of a credential.
    type Grant: Clone + Serialize + DeserializeOwned + Send + Sync + 'static;

    /// Creates the vendor's code, with all paths below `prefix`, such as `/grafana`; empty for none.
    fn below(prefix: String) -> Self;

    /// The default tenant of a new server.
    fn seeded() -> Self::Tenant;

    /// The switches, which are a part of the tenant.
    fn switches(tenant: &mut Self::Tenant) -> &mut Self::Switches;

    /// The access of the credential [`ADMIN`](super::ADMIN), with which a server starts.
    fn admin(tenant: &Self::Tenant) -> Self::Grant;

    /// The vendor's own paths, with this instance's prefix.
    fn routes(&self) -> Router<Arc<World<Self>>>;

    /// Paths below `/_sim` that only this vendor has.
    fn control(&self) -> Router<Arc<World<Self>>> {
        Router::new()
    }

    /// The secret of a request, if it has one: a bearer token, or `user:password` of basic authentication. It is
    /// compared with the known credentials and never stored.
    fn secret(&self, headers: &HeaderMap) -> Option<String>;

    /// An error in the vendor's form, for faults and for errors of the kit.
    fn problem(&self, status: StatusCode, detail: &str, path: &str) -> Response;

    /// Shortens a page of a list to `keep` entries. With `last` the page claims to be the final one; otherwise its
    /// information about further pages stays. Bodies that are not lists stay unchanged.
    fn cut_page(&self, page: &mut Value, keep: usize, last: bool);

    /// Checks a tenant before it replaces the current one, and completes it.
    ///
    /// # Errors
    /// The mistake in the tenant, for the client of `PUT /_sim/state`.
    fn admit(&self, tenant: &mut Self::Tenant) -> Result<(), String>;
}

/// One running simulator: the vendor's tenant, and the kit's data about it.
pub struct World<V: Vendor> {
    /// The vendor's code, with its data outside the tenant.
    pub vendor: V,
    /// The known credentials.
    pub credentials: Credentials<V::Grant>,
    /// The log of requests to the vendor's paths.
    pub log: RequestLog,
    /// The faults to inject.
    pub faults: Faults,
    tenant: Mutex<V::Tenant>,
}

impl<V: Vendor> World<V> {
    /// A world around `tenant`, without credentials and faults.
    pub fn new(vendor: V, tenant: V::Tenant) -> Self {
        Self {
            vendor,
            credentials: Credentials::default(),
            log: RequestLog::default(),
            faults: Faults::default(),
            tenant: Mutex::new(tenant),
        }
    }

    /// The tenant, locked. It stays usable after a handler panicked.
    pub fn tenant(&self) -> MutexGuard<'_, V::Tenant> {
        self.tenant.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the tenant if the vendor admits the new one.
    ///
    /// # Errors
    /// The mistake in the new tenant; the current tenant stays.
    pub fn replace(&self, mut tenant: V::Tenant) -> Result<(), String> {
        self.vendor.admit(&mut tenant)?;
        *self.tenant() = tenant;
        Ok(())
    }
}
