//! The Kubernetes API: watches into caches, writes, Events, the Lease, Secrets and CRDs.

mod cache;
mod caches;
mod events;
pub mod lease;
mod publish;
pub mod release;
pub mod schema;
pub mod secrets;
mod watch;
pub mod writes;

pub use self::{
    cache::{Cache, CacheChange, Changes},
    caches::{Cached, Caches, Visitor},
    events::{Events, Severity},
    publish::publish_condition,
    watch::start,
    writes::WriteError,
};
