//! What the tests stand on.

mod bad_days;
mod cluster;
pub mod grafana;
pub mod lenses;
mod looks;
mod objects;
mod operator;
mod probes;
mod setting;
mod world;
pub mod zenml;

pub use bad_days::{status, subject};
pub use cluster::{client, kubectl, kubectl_on, run, shared};
pub use looks::plan;
pub use operator::Operator;
pub use setting::{Setting, fresh_log, make_namespace, own_plane, unique};
pub use world::{
    Account, KEY, World, backend, binding, held_ids, kept, ready_condition, reason, restriction, role,
};
