//! Which statements cover an action on a resource (contract 3.2).

use std::collections::BTreeSet;

use serde::Serialize;

use super::lrn;
use crate::lenses::rows::{
    policy::{Effect, Statement},
    switches::Switches,
};

/// The services whose service-wide resources, such as `iam:*`, work with every agent (contract 5).
const SERVICES_OUTSIDE_AGENTS: [&str; 3] = ["iam", "environments", "k2k"];

impl Statement {
    /// Whether the statement is about this action on this resource.
    pub fn covers(&self, action: &str, resource: &str, switches: &Switches) -> bool {
        let counts = |pattern: &str| {
            !(switches.service_wildcards_ignored
                && lrn::whole_service(pattern)
                    .is_some_and(|service| !SERVICES_OUTSIDE_AGENTS.contains(&service)))
        };
        self.action.iter().any(|pattern| lrn::covers_action(pattern, action))
            && self.resource.iter().any(|pattern| counts(pattern) && lrn::covers_resource(pattern, resource))
    }
}

/// The roles with a statement about an action on a resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct MatchingRoles {
    /// The names of roles that allow it.
    pub allowed_by: BTreeSet<String>,
    /// The names of roles that deny it. One is enough.
    pub denied_by: BTreeSet<String>,
}

impl MatchingRoles {
    /// Finds the roles. Each statement comes with the name of its role.
    pub fn of<'a>(
        statements: impl Iterator<Item = (&'a str, &'a Statement)>,
        action: &str,
        resource: &str,
        switches: &Switches,
    ) -> Self {
        let mut matching = Self::default();
        for (role, statement) in statements.filter(|(_, one)| one.covers(action, resource, switches)) {
            match statement.effect {
                Effect::Allow => matching.allowed_by.insert(role.to_owned()),
                Effect::Deny => matching.denied_by.insert(role.to_owned()),
            };
        }
        matching
    }

    /// Whether some role allows it and no role denies it.
    pub fn permits(&self) -> bool {
        !self.allowed_by.is_empty() && self.denied_by.is_empty()
    }
}
