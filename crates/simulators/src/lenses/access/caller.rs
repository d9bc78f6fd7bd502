//! The sender of a call.

use super::rights::Rights;
use crate::lenses::rows::principals::Principal;

/// The sender of a call.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The user or service account; none for a credential with a policy and without a principal.
    pub principal: Option<Principal>,
    /// What the caller can do on HQ.
    pub rights: Rights,
}
