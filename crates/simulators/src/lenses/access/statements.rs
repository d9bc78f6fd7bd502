//! Which statements cover an action on a resource (contract 3).

use std::collections::BTreeSet;

use serde::Serialize;

use super::lrn;
use crate::lenses::rows::{
    policy::{Effect, Statement},
    switches::Switches,
};

/// Services to which a resource of the whole service always applies (contract 5).
const NOT_OF_AGENTS: [&str; 3] = ["iam", "environments", "k2k"];

impl Statement {
    /// Whether it speaks of this action on this resource.
    pub fn covers(&self, action: &str, resource: &str, switches: &Switches) -> bool {
        let counts = |pattern: &str| {
            !(switches.service_wildcards_ignored
                && lrn::whole_service(pattern).is_some_and(|service| !NOT_OF_AGENTS.contains(&service)))
        };
        self.action.iter().any(|pattern| lrn::covers_action(pattern, action))
            && self.resource.iter().any(|pattern| counts(pattern) && lrn::covers_resource(pattern, resource))
    }
}

/// What statements of roles say about an action on a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// The roles that allow it.
    pub allowed_by: BTreeSet<String>,
    /// The roles that deny it: one is enough.
    pub denied_by: BTreeSet<String>,
}

impl Judgement {
    /// Judges an action on a resource. Each statement comes with the name of its role.
    pub fn of<'a>(
        statements: impl Iterator<Item = (&'a str, &'a Statement)>,
        action: &str,
        resource: &str,
        switches: &Switches,
    ) -> Self {
        let mut judgement = Self::default();
        for (role, statement) in statements.filter(|(_, one)| one.covers(action, resource, switches)) {
            match statement.effect {
                Effect::Allow => judgement.allowed_by.insert(role.to_owned()),
                Effect::Deny => judgement.denied_by.insert(role.to_owned()),
            };
        }
        judgement
    }

    /// Whether it is permitted: allowed by some role and denied by none.
    pub fn permits(&self) -> bool {
        !self.allowed_by.is_empty() && self.denied_by.is_empty()
    }
}
