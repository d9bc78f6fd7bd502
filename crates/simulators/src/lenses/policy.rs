//! Permission statements: what a role is made of, how requests write them, and how they are judged
//! (contract 2.1, 3).

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    body::Fields,
    catalogue, lrn,
    problem::Problem,
    switches::{PolicyEcho, Switches, Validation},
};

/// Services to which a resource of the whole service always applies (contract 5).
const NOT_OF_AGENTS: [&str; 3] = ["iam", "environments", "k2k"];

/// A statement: these actions on these resources are allowed, or denied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Allow or deny.
    pub effect: Effect,
    /// Patterns of actions.
    pub action: Patterns,
    /// Patterns of resources.
    pub resource: Patterns,
}

/// Allow or deny.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Effect {
    Allow,
    Deny,
}

/// One pattern or many, in the form in which they were sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Patterns {
    /// A plain string.
    One(String),
    /// An array.
    Many(Vec<String>),
}

impl Patterns {
    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let patterns = match self {
            Self::One(pattern) => std::slice::from_ref(pattern),
            Self::Many(patterns) => patterns,
        };
        patterns.iter().map(String::as_str)
    }

    fn read(fields: &mut Fields, name: &str) -> Result<Self, Problem> {
        let value = fields.value(name).ok_or_else(|| Problem::invalid(format!("{name} is required")))?;
        serde_json::from_value(value)
            .map_err(|_| Problem::invalid(format!("{name} is neither a string nor an array of strings")))
    }

    fn wire(&self, echo: PolicyEcho) -> Value {
        let patterns: Vec<&str> = self.iter().collect();
        match (echo, self, &patterns[..]) {
            (PolicyEcho::Scalars, _, [pattern]) | (PolicyEcho::AsSent, Self::One(_), [pattern]) => {
                json!(pattern)
            }
            _ => json!(patterns),
        }
    }
}

impl Statement {
    /// A statement, as the seed writes it.
    pub fn new(effect: Effect, actions: &[&str], resources: &[&str]) -> Self {
        let many =
            |patterns: &[&str]| Patterns::Many(patterns.iter().map(|text| (*text).to_owned()).collect());
        Self { effect, action: many(actions), resource: many(resources) }
    }

    /// A statement of a request.
    ///
    /// # Errors
    /// Invalid: no object, an unknown effect, patterns that this server refuses.
    pub fn read(value: Value, switches: &Switches) -> Result<Self, Problem> {
        let mut fields = Fields::of_value(value, switches)?;
        let effect = match fields.required_text("effect")?.as_str() {
            "allow" => Effect::Allow,
            "deny" => Effect::Deny,
            other => return Err(Problem::invalid(format!("the effect {other} is neither allow nor deny"))),
        };
        let action = Patterns::read(&mut fields, "action")?;
        let resource = Patterns::read(&mut fields, "resource")?;
        fields.done()?;
        let statement = Self { effect, action, resource };
        statement.validate(switches)?;
        Ok(statement)
    }

    fn validate(&self, switches: &Switches) -> Result<(), Problem> {
        if switches.validation == Validation::Lax {
            return Ok(());
        }
        let wrong = |what: &str, text: &str| Problem::invalid(format!("{text} is no valid {what}"));
        if self.action.iter().next().is_none() || self.resource.iter().next().is_none() {
            return Err(Problem::invalid("a statement needs an action and a resource"));
        }
        let strict = switches.validation == Validation::Strict;
        for action in self.action.iter() {
            if !lrn::is_action_pattern(action) || (strict && !catalogue::knows_action(action, switches)) {
                return Err(wrong("action", action));
            }
        }
        for resource in self.resource.iter() {
            if !lrn::is_resource_pattern(resource)
                || (strict && !catalogue::knows_resource(resource, switches))
            {
                return Err(wrong("resource", resource));
            }
        }
        Ok(())
    }

    /// The statement as an answer shows it.
    pub fn wire(&self, switches: &Switches) -> Value {
        json!({
            "effect": self.effect,
            "action": self.action.wire(switches.policy_echo),
            "resource": self.resource.wire(switches.policy_echo),
        })
    }

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
