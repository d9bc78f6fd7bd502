//! The statements of a role's policy (contract 2.1).

use serde::{Deserialize, Serialize};

/// A statement: it allows or denies actions on resources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// Whether the statement allows or denies.
    pub effect: Effect,
    /// The action patterns.
    pub action: Patterns,
    /// The resource patterns.
    pub resource: Patterns,
}

/// The effect of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs, reason = "the names say it")]
pub enum Effect {
    Allow,
    Deny,
}

/// One pattern or many, in the form of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Patterns {
    /// A plain string.
    One(String),
    /// An array.
    Many(Vec<String>),
}

impl Patterns {
    /// The patterns, independent of the form.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let patterns = match self {
            Self::One(pattern) => std::slice::from_ref(pattern),
            Self::Many(patterns) => patterns,
        };
        patterns.iter().map(String::as_str)
    }
}

impl Statement {
    /// A statement with arrays of patterns.
    pub fn new(effect: Effect, actions: &[&str], resources: &[&str]) -> Self {
        let many =
            |patterns: &[&str]| Patterns::Many(patterns.iter().map(|text| (*text).to_owned()).collect());
        Self { effect, action: many(actions), resource: many(resources) }
    }
}
