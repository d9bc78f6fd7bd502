//! Effective access: what principals may do by way of their groups, the groups' roles and the roles' statements
//! (contract 3).

use std::collections::BTreeMap;

use serde::Serialize;

use super::{
    catalogue,
    kind::Kind,
    lrn,
    policy::{Effect, Judgement, Statement},
    principals::Principal,
    roles::Role,
    state::Tenant,
    switches::Switches,
};

/// The action that opens an environment (contract 3).
const ACCESS: &str = "environments:AccessEnvironment";

/// What a caller may do on HQ itself.
#[derive(Clone, Debug, Default)]
pub struct Rights {
    is_admin: bool,
    statements: Vec<Statement>,
}

impl Rights {
    /// Those of a credential that states them.
    pub fn stated(statements: Vec<Statement>) -> Self {
        Self { is_admin: false, statements }
    }

    /// Whether they allow this action on this resource.
    pub fn allow(&self, action: &str, resource: &str) -> bool {
        let statements = self.statements.iter().map(|statement| ("", statement));
        // What agents ignore concerns no resource of HQ, so the switches do not matter.
        self.is_admin || Judgement::of(statements, action, resource, &Switches::default()).permits()
    }

    /// Whether they allow this action on any resource whose name begins like this, of this service.
    pub fn allow_somewhere(&self, action: &str, service: &str, prefix: &str) -> bool {
        let everywhere = format!("{service}:*");
        let reaches = |pattern: &str| pattern == "*" || pattern == everywhere || pattern.starts_with(prefix);
        let speaks = |statement: &Statement| {
            statement.action.iter().any(|pattern| lrn::covers_action(pattern, action))
        };
        let allows = |statement: &Statement| {
            statement.effect == Effect::Allow && speaks(statement) && statement.resource.iter().any(reaches)
        };
        let denies_all = |statement: &Statement| {
            statement.effect == Effect::Deny
                && statement.covers(action, &format!("{prefix}*"), &Switches::default())
        };
        self.is_admin || (self.statements.iter().any(allows) && !self.statements.iter().any(denies_all))
    }
}

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
    /// The roles of a principal by name, each once.
    pub fn roles_of(&self, principal: &Principal) -> BTreeMap<&str, &Role> {
        self.groups
            .iter()
            .filter(|group| group.members.contains(principal))
            .flat_map(|group| &group.roles)
            .filter_map(|name| self.roles.get(name))
            .map(|role| (role.name.as_str(), role))
            .collect()
    }

    /// What a principal may do on HQ.
    pub fn rights_of(&self, principal: &Principal) -> Rights {
        let statements = self.roles_of(principal).into_values().flat_map(|role| role.policy.iter().cloned());
        Rights { is_admin: self.is_admin(principal), statements: statements.collect() }
    }

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
