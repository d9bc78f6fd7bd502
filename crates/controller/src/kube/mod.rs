//! The Kubernetes API: watches into caches, writes, Events, the Lease, Secrets and CRDs.

mod cache;
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
    events::{Events, Severity},
    publish::publish_condition,
    watch::start,
    writes::WriteError,
};
