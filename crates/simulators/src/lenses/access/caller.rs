//! Who calls, and with which rights (contract 1.2).

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::rights::Rights;
use crate::{
    kit::credentials::Credentials,
    lenses::{
        rows::{
            policy::Statement,
            principals::{Principal, PrincipalKind},
        },
        state::Tenant,
    },
};

/// What a credential may see and do: a service account's token, or a user's session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Grant {
    /// The service account that a token acts as.
    pub service_account: Option<String>,
    /// The number of that account's token: refused once the account has another one, and with it when it
    /// expires. If absent, the credential is one that the account's token does not touch.
    pub token: Option<u64>,
    /// The user whose session it is.
    pub user: Option<String>,
    /// These statements and no others. If absent, what the principal's groups give.
    pub policy: Option<Vec<Statement>>,
    /// When the credential ends.
    pub expires_at: Option<Timestamp>,
}

impl Grant {
    /// A token of a service account.
    pub fn of_service_account(name: impl Into<String>) -> Self {
        Self { service_account: Some(name.into()), ..Self::default() }
    }

    /// A session of a user.
    pub fn of_user(name: impl Into<String>) -> Self {
        Self { user: Some(name.into()), ..Self::default() }
    }

    fn principal(&self) -> Option<Principal> {
        let account = self.service_account.as_ref().map(|name| (PrincipalKind::ServiceAccount, name));
        let named = account.or_else(|| self.user.as_ref().map(|name| (PrincipalKind::User, name)));
        named.map(|(kind, name)| Principal { kind, name: name.clone() })
    }
}

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    /// The user or service account; none for a credential that states its policy and names nobody.
    pub principal: Option<Principal>,
    /// What the caller may do.
    pub rights: Rights,
}

impl Caller {
    /// Who sends this secret.
    pub fn identify(secret: Option<&str>, credentials: &Credentials<Grant>, tenant: &Tenant) -> Option<Self> {
        let view = credentials.find(secret?).filter(|view| !view.expired)?;
        let grant = view.grant;
        let now = Timestamp::now();
        if grant.expires_at.is_some_and(|end| end <= now) || !token_stands(&grant, tenant, now) {
            return None;
        }
        let principal = grant.principal();
        if principal.as_ref().is_some_and(|principal| !tenant.has_principal(principal)) {
            return None;
        }
        let rights = match (grant.policy, &principal) {
            (Some(policy), _) => Rights::stated(policy),
            (None, Some(principal)) => tenant.rights_of(principal),
            (None, None) => Rights::default(),
        };
        Some(Self { principal, rights })
    }
}

fn token_stands(grant: &Grant, tenant: &Tenant, now: Timestamp) -> bool {
    let Some(serial) = grant.token else { return true };
    let account = grant.service_account.as_ref().and_then(|name| tenant.service_accounts.get(name));
    account.is_some_and(|account| account.token == serial && !account.is_token_expired(now))
}
