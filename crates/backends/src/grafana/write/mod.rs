//! Writes. The message of a refusal adds what it can mean on Grafana.

mod denied;
pub mod grants;
pub mod restrictions;
pub mod roles;
