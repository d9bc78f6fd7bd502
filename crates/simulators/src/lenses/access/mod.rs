//! Who can do what: statements, roles and credentials. Knows no HTTP.

pub mod caller;
pub mod catalogue;
pub mod evaluation;
pub mod lrn;
pub mod rights;
pub mod statements;
