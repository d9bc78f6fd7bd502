//! Writes: one change each. The message of a refusal adds what it can mean on ZenML.

pub mod grants;
mod in_use;
pub mod roles;
