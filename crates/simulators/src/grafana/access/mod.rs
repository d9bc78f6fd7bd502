//! Who calls, and with which permissions. Uses rows and state, and knows no operation of the API.

pub mod authentication;
pub mod caller;
pub mod effective;
pub mod grant;
pub mod permission_cache;
pub mod scopes;

pub use self::{caller::Caller, grant::Grant};
