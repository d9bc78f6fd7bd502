//! Who calls, and what users can do. Uses rows and state, and knows no operation of the API.

pub mod authentication;
pub mod caller;
pub mod grant;
pub mod resources;
pub mod rights;
pub mod sessions;

pub use self::{caller::Caller, grant::Grant};
