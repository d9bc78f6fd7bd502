//! Who can do what: credentials, sessions, rights on the control plane, and permissions on resources. Knows no HTTP.

pub mod caller;
pub mod resources;
pub mod rights;
pub mod sessions;
