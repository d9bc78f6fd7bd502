//! The sender of a call.

use super::grant::Grant;

/// The sender of a call. The default is the sender on paths that need no credential.
#[derive(Clone, Debug, Default)]
pub struct Caller {
    /// The access of the credential.
    pub grant: Grant,
}
