//! What a caller may do on HQ itself.

use super::{lrn, statements::Judgement};
use crate::lenses::{
    rows::{
        policy::{Effect, Statement},
        principals::Principal,
        switches::Switches,
    },
    state::Tenant,
};

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

impl Tenant {
    /// What a principal may do on HQ.
    pub fn rights_of(&self, principal: &Principal) -> Rights {
        let statements = self.roles_of(principal).into_values().flat_map(|role| role.policy.iter().cloned());
        Rights { is_admin: self.is_admin(principal), statements: statements.collect() }
    }
}
