//! The Kubernetes side of the operator.
//!
//! - [`kube`]: the Kubernetes API: watches into caches, writes, Events, the Lease, Secrets, CRDs.
//! - [`queue`]: which object is reconciled next.
//! - [`backend`]: reconciles Backends, and sweeps.
//! - [`object`]: reconciles Roles, RoleBindings and ResourceRestrictions.
//!
//! Decisions and writes to back ends are in `rolewright_reconcile`.

mod access;
mod approvals;
mod backend;
mod context;
mod kube;
mod managers;
mod metrics;
mod object;
mod queue;
mod removals;
mod run;
mod server;

pub use self::{
    context::Options,
    kube::{Clients, ClientsError, release},
    metrics::{Build, Description, Metrics},
    run::{RunError, run},
};
