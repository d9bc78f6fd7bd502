//! Everything between the objects and the back ends that needs no Kubernetes client.
//!
//! ```text
//!  object ──▶ resolve ──▶ desired ─┐
//!                                  ├─▶ plan ──▶ guard ──▶ apply ──▶ report
//!  back end ──▶ snapshot ─▶ observed ┘
//! ```
//!
//! - [`account`]: what all objects of one account share: snapshots, claims, budget.
//! - [`decide`]: reads memory only: resolve, claims, plan, guard.
//! - [`access`]: what becomes of an AccessRequest, and what it means for its RoleBinding.
//! - [`act`]: apply writes to the back end; report computes the status.
//!
//! A folder uses only those above it in this list. The controller drives these stages for objects in a cluster.

pub mod access;
pub mod account;
pub mod act;
pub mod convert;
pub mod decide;
pub mod object;
mod patterns;
pub mod readiness;
pub mod restore;
mod rule_fields;
