//! What a caller can do on HQ itself.

use super::{lrn, statements::MatchingRoles};
use crate::lenses::{
    rows::{
        policy::{Effect, Statement},
        principals::Principal,
        switches::Switches,
    },
    state::Tenant,
};

/// What a caller can do on HQ itself.
#[derive(Clone, Debug, Default)]
pub struct Rights {
    is_admin: bool,
    statements: Vec<Statement>,
}

impl Rights {
    /// The rights of a credential with its own policy.
    pub fn of_policy(statements: Vec<Statement>) -> Self {
        Self { is_admin: false, statements }
    }

    /// Whether the rights permit this action on this resource.
    pub fn permit(&self, action: &str, resource: &str) -> bool {
        let statements = self.statements.iter().map(|statement| ("", statement));
        // The switches do not matter here: agents have no part in access to HQ itself.
        self.is_admin || MatchingRoles::of(statements, action, resource, &Switches::default()).permits()
    }

    /// Whether the rights permit this action on any resource whose name begins with `prefix`. `service` is the
    /// service of these resources.
    pub fn permit_some(&self, action: &str, service: &str, prefix: &str) -> bool {
        let whole_service = format!("{service}:*");
        let can_match =
            |pattern: &str| pattern == "*" || pattern == whole_service || pattern.starts_with(prefix);
        let has_action = |statement: &Statement| {
            statement.action.iter().any(|pattern| lrn::covers_action(pattern, action))
        };
        let allows = |statement: &Statement| {
            statement.effect == Effect::Allow
                && has_action(statement)
                && statement.resource.iter().any(can_match)
        };
        let denies_all = |statement: &Statement| {
            statement.effect == Effect::Deny
                && statement.covers(action, &format!("{prefix}*"), &Switches::default())
        };
        self.is_admin || (self.statements.iter().any(allows) && !self.statements.iter().any(denies_all))
    }
}

impl Tenant {
    /// What a principal can do on HQ.
    pub fn rights_of(&self, principal: &Principal) -> Rights {
        let statements = self.roles_of(principal).into_values().flat_map(|role| role.policy.iter().cloned());
        Rights { is_admin: self.is_admin(principal), statements: statements.collect() }
    }
}
