//! The rows of the tenant, and the switches: plain data. Rows use no other room of this simulator.

pub mod environments;
pub mod groups;
pub mod kind;
pub mod metadata;
pub mod names;
pub mod policy;
pub mod principals;
pub mod roles;
pub mod service_accounts;
pub mod switches;
pub mod users;
