//! Who calls, and what a principal can do. Uses rows and state, and knows no operation of the API.

pub mod authentication;
pub mod caller;
pub mod catalogue;
pub mod evaluation;
pub mod grant;
pub mod lrn;
pub mod rights;
pub mod statements;

pub use self::{caller::Caller, grant::Grant};
