//! What all simulators share: the server, the request log, faults, credentials and the `/_sim` paths.
//!
//! The kit knows no vendor. What differs between vendors (how a request carries its credential, what an
//! error looks like, what a page of a list looks like) is a method of [`Vendor`].

pub mod answer;
pub mod call;
pub mod clock;
pub mod connection;
pub mod control;
pub mod credentials;
pub mod dice;
mod effects;
pub mod faults;
mod glob;
pub mod log;
mod observe;
pub mod options;
pub mod routing;
pub mod server;
pub mod table;
pub mod uri;
mod world;

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderMap, StatusCode},
    response::Response,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;

pub use self::{
    options::{ADMIN, Options},
    server::Server,
    world::World,
};

/// A simulated vendor: its tenant, and the points in which vendors differ.
pub trait Vendor: Sized + Send + Sync + 'static {
    /// The vendor's name, as in `rolewright simulate <name>`.
    const NAME: &'static str;

    /// Everything the vendor stores, as plain data: what `GET /_sim/state` shows.
    type Tenant: Serialize + DeserializeOwned + Send + 'static;

    /// How a server behaves where the contract leaves it open, or servers differ.
    type Switches;

    /// What a credential may see and do.
    type Grant: Clone + Serialize + DeserializeOwned + Send + Sync + 'static;

    /// The server below a path, such as `/grafana`; empty for none.
    fn below(prefix: String) -> Self;

    /// What a server has at the start, unless somebody wants something else.
    fn seeded() -> Self::Tenant;

    /// How the server behaves: a part of its tenant.
    fn switches(tenant: &mut Self::Tenant) -> &mut Self::Switches;

    /// What the credential that a server with this tenant starts with may see and do.
    fn admin(tenant: &Self::Tenant) -> Self::Grant;

    /// The vendor's own paths, below whatever prefix this instance has.
    fn routes(&self) -> Router<Arc<World<Self>>>;

    /// Paths below `/_sim` that this vendor has beyond those of the kit.
    fn control(&self) -> Router<Arc<World<Self>>> {
        Router::new()
    }

    /// The secret that a request carries, if any: a bearer token, or `user:password` of basic
    /// authentication. It is compared with the known credentials and never stored.
    fn secret(&self, headers: &HeaderMap) -> Option<String>;

    /// An error in the vendor's form, for faults and for what the router refuses by itself.
    fn problem(&self, status: StatusCode, detail: &str, path: &str) -> Response;

    /// Shortens a page of a list to `keep` entries. With `last` the page claims to be the final one;
    /// otherwise what it says about further pages stays. Bodies that are no list stay as they are.
    fn cut_page(&self, page: &mut Value, keep: usize, last: bool);

    /// Checks and completes a tenant before it replaces the current one.
    ///
    /// # Errors
    /// What is wrong with it, for the caller of `PUT /_sim/state`.
    fn admit(&self, tenant: &mut Self::Tenant) -> Result<(), String>;
}
