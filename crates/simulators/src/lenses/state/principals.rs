//! Principals: look-ups, and changes that concern both kinds.

use jiff::Timestamp;

use super::tenant::Tenant;
use crate::lenses::rows::principals::{Principal, PrincipalKind};

impl Tenant {
    /// Whether the principal exists.
    pub fn has_principal(&self, principal: &Principal) -> bool {
        match principal.kind {
            PrincipalKind::User => self.users.contains(&principal.name),
            PrincipalKind::ServiceAccount => self.service_accounts.contains(&principal.name),
        }
    }

    /// The principal with this name. If both kinds have one, the user.
    pub fn principal(&self, name: &str) -> Option<Principal> {
        [Principal::user(name), Principal::service_account(name)]
            .into_iter()
            .find(|principal| self.has_principal(principal))
    }

    /// The principal with this resource name.
    pub fn principal_of_lrn(&self, lrn: &str) -> Option<Principal> {
        let named = |kind: PrincipalKind| {
            let name = lrn.strip_prefix(&kind.kind().lrn(""))?.to_owned();
            Some(Principal { kind, name })
        };
        PrincipalKind::ALL.into_iter().filter_map(named).find(|principal| self.has_principal(principal))
    }

    /// Whether a principal is an admin of the server. Roles have no influence on this (contract 1.2).
    pub fn is_admin(&self, principal: &Principal) -> bool {
        match principal.kind {
            PrincipalKind::User => self.users.get(&principal.name).is_some_and(|user| user.is_admin),
            PrincipalKind::ServiceAccount => {
                self.service_accounts.get(&principal.name).is_some_and(|account| account.is_admin)
            }
        }
    }

    /// Whether a new principal cannot have its name.
    pub fn is_name_taken(&self, principal: &Principal) -> bool {
        match self.switches.principals_share_names {
            true => self.users.contains(&principal.name) || self.service_accounts.contains(&principal.name),
            false => self.has_principal(principal),
        }
    }

    /// Records the time of a principal's last call.
    pub fn record_call(&mut self, principal: &Principal, now: Timestamp) {
        let last_seen_at = match principal.kind {
            PrincipalKind::User => self.users.get_mut(&principal.name).map(|user| &mut user.last_seen_at),
            PrincipalKind::ServiceAccount => {
                self.service_accounts.get_mut(&principal.name).map(|account| &mut account.last_seen_at)
            }
        };
        if let Some(last_seen_at) = last_seen_at {
            *last_seen_at = Some(now);
        }
    }

    /// Removes a deleted principal from all groups.
    pub fn remove_from_groups(&mut self, principal: &Principal) {
        for group in self.groups.iter_mut() {
            group.members.remove(principal);
        }
    }
}
