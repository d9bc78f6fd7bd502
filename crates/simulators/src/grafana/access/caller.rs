//! The sender of a call, and what it can do.

use crate::grafana::rows::permissions::{Permission, Permissions};

/// The sender of a call.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The organization of the call.
    pub org: i64,
    /// The user or service account.
    pub principal: Option<i64>,
    /// Whether the caller is a server admin: only these reach other organizations.
    pub is_grafana_admin: bool,
    /// The name of the credential.
    pub credential: String,
    /// The caller's permissions in the organization.
    pub permissions: Permissions,
}

impl Caller {
    /// The sender of a call that needs no credential.
    pub fn anonymous() -> Self {
        Self {
            org: 0,
            principal: None,
            is_grafana_admin: false,
            credential: String::new(),
            permissions: Permissions::default(),
        }
    }

    /// Whether the caller has this permission.
    pub fn can(&self, action: &str, scope: &str) -> bool {
        self.permissions.cover(action, scope)
    }

    /// Whether the caller can put these permissions into a role or assign them: the caller must have all of
    /// them, or the right to escalate (contract 3.6).
    pub fn can_delegate<'a>(&self, permissions: impl IntoIterator<Item = &'a Permission>) -> bool {
        self.permissions.cover("roles:write", "permissions:type:escalate")
            || permissions.into_iter().all(|permission| self.can(&permission.action, &permission.scope))
    }
}
