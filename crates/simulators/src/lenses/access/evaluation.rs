//! Effective access: what principals can do through their groups, the groups' roles and the roles' policies
//! (contract 3.2).

use serde::Serialize;

use super::{catalogue, statements::MatchingRoles};
use crate::lenses::{
    rows::{kind::Kind, policy::Statement, principals::Principal},
    state::Tenant,
};

/// The action that resources in an environment need on the environment (contract 3.5).
const ACCESS_ENVIRONMENT: &str = "environments:AccessEnvironment";

/// Whether a principal can do something, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// The result.
    pub permitted: bool,
    /// Whether the principal is an admin. Admins can do everything.
    pub is_admin: bool,
    /// The roles that allow or deny it.
    #[serde(flatten)]
    pub roles: MatchingRoles,
    /// The environment of the resource, if the principal cannot access it.
    pub closed_environment: Option<String>,
}

impl Tenant {
    /// Whether a principal can do this with a resource of HQ or of an environment.
    pub fn evaluate(&self, principal: &Principal, action: &str, resource: &str) -> Decision {
        let roles = self.roles_of(principal);
        let statements: Vec<(&str, &Statement)> = roles
            .iter()
            .flat_map(|(name, role)| role.policy.iter().map(|statement| (*name, statement)))
            .collect();
        let matching = |action: &str, resource: &str| {
            MatchingRoles::of(statements.iter().copied(), action, resource, &self.switches)
        };
        let is_admin = self.is_admin(principal);
        let roles = matching(action, resource);
        let closed_environment = catalogue::environment_of(resource, &self.switches)
            .filter(|name| !is_admin && !matching(ACCESS_ENVIRONMENT, &Kind::Environment.lrn(name)).permits())
            .filter(|_| self.switches.environments_are_gates)
            .map(str::to_owned);
        let permitted = is_admin || (roles.permits() && closed_environment.is_none());
        Decision { permitted, is_admin, roles, closed_environment }
    }
}
