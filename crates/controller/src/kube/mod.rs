//! The Kubernetes API: watches into caches, writes, Events, the Lease, Secrets and CRDs.

mod cache;
mod condition_log;
mod events;
pub mod lease;
pub mod release;
pub mod schema;
pub mod secrets;
mod watch;
pub mod writes;

pub use self::{
    cache::{Cache, CacheChange, Changes},
    condition_log::log_condition,
    events::{Events, Severity},
    watch::start,
    writes::WriteError,
};
