//! What the tests stand on.

mod account;
mod arize;
mod bad_days;
mod cluster;
pub mod grafana;
pub mod lenses;
mod looks;
mod objects;
mod operator;
mod probes;
mod setting;
pub mod trial;
mod world;
pub mod zenml;

pub use account::{Account, every_switch_is_turned};
pub use bad_days::{page, status, subject, throttle};
pub use cluster::{client, kubectl, kubectl_on, run, shared};
pub use looks::plan;
pub use operator::Operator;
pub use setting::{Setting, fresh_log, make_namespace, own_plane, own_plane_with, unique};
pub use world::{KEY, World, backend, binding, held_ids, kept, ready_condition, reason, restriction, role};
