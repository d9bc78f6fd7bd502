//! Who calls, and what they can see and do. Uses rows and state, and knows no operation of the API.

pub mod authentication;
pub mod caller;
pub mod grant;

pub use self::{authentication::authenticate, caller::Caller, caller::Target, grant::Grant};
