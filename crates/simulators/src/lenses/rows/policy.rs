//! Permission statements: the policy of a role (contract 2.1).

use serde::{Deserialize, Serialize};

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
}

impl Statement {
    /// A statement, as the seed writes it.
    pub fn new(effect: Effect, actions: &[&str], resources: &[&str]) -> Self {
        let many =
            |patterns: &[&str]| Patterns::Many(patterns.iter().map(|text| (*text).to_owned()).collect());
        Self { effect, action: many(actions), resource: many(resources) }
    }
}
