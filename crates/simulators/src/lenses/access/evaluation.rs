//! Effective access (contract 3).

use serde::Serialize;

use super::{catalogue, statements::Judgement};
use crate::lenses::{
    rows::{kind::Kind, policy::Statement, principals::Principal},
    state::Tenant,
};

/// The action that opens an environment (contract 3).
const ACCESS: &str = "environments:AccessEnvironment";

/// What a principal may do, and by which roles.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether it is permitted.
    pub permitted: bool,
    /// Whether the principal is an admin, to whom everything is permitted.
    pub is_admin: bool,
    /// What the roles say.
    #[serde(flatten)]
    pub judgement: Judgement,
    /// The environment of the resource, if the principal may not access it.
    pub closed_environment: Option<String>,
}

impl Tenant {
    /// Whether a principal may do this with that resource, be it one of HQ or one of an environment.
    pub fn judge(&self, principal: &Principal, action: &str, resource: &str) -> Verdict {
        let roles = self.roles_of(principal);
        let statements: Vec<(&str, &Statement)> = roles
            .iter()
            .flat_map(|(name, role)| role.policy.iter().map(|statement| (*name, statement)))
            .collect();
        let judged = |action: &str, resource: &str| {
            Judgement::of(statements.iter().copied(), action, resource, &self.switches)
        };
        let is_admin = self.is_admin(principal);
        let judgement = judged(action, resource);
        let closed_environment = catalogue::environment_of(resource, &self.switches)
            .filter(|name| !is_admin && !judged(ACCESS, &Kind::Environment.lrn(name)).permits())
            .filter(|_| self.switches.environments_are_gates)
            .map(str::to_owned);
        let permitted = is_admin || (judgement.permits() && closed_environment.is_none());
        Verdict { permitted, is_admin, judgement, closed_environment }
    }
}
