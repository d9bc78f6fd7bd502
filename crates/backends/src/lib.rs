//! The back ends: the trait that the pipeline uses, the HTTP stack that they share, and one folder for each vendor.
//!
//! They know the model of access and nothing of Kubernetes. Every write executes one [`Change`](rolewright_core::model::Change).

mod address;
pub mod arize;
mod backend;
mod budget;
mod error;
pub mod grafana;
mod http;
pub mod lenses;
mod read_only;
mod reading;
#[cfg(test)]
mod testing;
mod text;
mod vendor;
pub mod zenml;

pub use self::{
    backend::{Backend, Identity, Needs, Vocabulary},
    budget::{Budget, Limits, Priority, Raised, metered},
    error::{Class, Error},
    http::{CallObserver, Dialling, Transport},
    vendor::{Settings, Vendor},
};

/// All vendors.
pub const VENDORS: &[Vendor] = &[arize::VENDOR, grafana::VENDOR, lenses::VENDOR, zenml::VENDOR];
