//! The test environment: a control plane, operator processes, simulated accounts, and the helpers that change and observe them.

mod access;
mod account;
pub mod admission;
mod approvals;
mod arize;
pub mod bad_days;
mod broken_part;
mod builder;
mod cluster;
mod faults;
pub mod grafana;
pub mod lenses;
pub mod manifests;
mod objects;
mod operator;
mod requests;
pub mod servers;
mod status;
mod steady;
pub mod trial;
mod world;
pub mod zenml;

pub use access::{free_offer_of, offer_of, request_for};
pub use account::Account;
pub use approvals::{approval, plan_hash};
pub use arize::{backend, binding, restriction, role};
pub use builder::WorldBuilder;
pub use cluster::{
    client, control_plane_with_gates, dedicated_control_plane, kubectl, kubectl_on, make_namespace, run,
    shared, unique,
};
pub use faults::{echo, html_page, http_status, throttle};
pub use manifests::kind_and_name;
pub use operator::{Operator, fresh_log};
pub use status::{
    condition, has_finalizer, has_reason, managed_ids, plan, ready_condition, reason, subject_status,
};
pub use world::{ADMIN_CREDENTIAL, World};
