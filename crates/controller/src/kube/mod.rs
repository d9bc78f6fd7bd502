//! The Kubernetes API: watches into caches, writes, Events, the Lease, Secrets and CRDs.

mod cache;
mod caches;
mod clients;
mod definitions;
mod destination;
mod events;
pub mod lease;
pub mod namespaces;
mod publish;
pub mod release;
pub mod schema;
pub mod secrets;
mod selected;
mod series;
mod server_time;
mod watch;
pub mod writes;

pub use self::{
    cache::{Cache, CacheChange, Changes},
    caches::{Cached, Caches, Visitor},
    clients::{Clients, ClientsError},
    definitions::Definitions,
    destination::Destination,
    events::{Events, Severity},
    publish::publish_condition,
    selected::NamespaceLabels,
    server_time::server_time,
    watch::start,
    writes::{RolewrightResource, WriteError},
};
