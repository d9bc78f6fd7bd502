//! Permissions: an action on a scope, and sets of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// An action on a scope.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Permission {
    /// Such as `folders:read`.
    pub action: String,
    /// Such as `folders:uid:sre`; empty for none.
    #[serde(default)]
    pub scope: String,
}

impl Permission {
    /// A permission.
    pub fn new(action: impl Into<String>, scope: impl Into<String>) -> Self {
        Self { action: action.into(), scope: scope.into() }
    }
}

/// Which scopes each action is permitted on, in the form of `GET user/permissions`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Permissions(BTreeMap<String, BTreeSet<String>>);

impl Permissions {
    /// Adds a permission.
    pub fn add(&mut self, action: &str, scope: &str) {
        self.0.entry(action.to_owned()).or_default().insert(scope.to_owned());
    }

    /// Takes an action away, on whatever scope.
    pub fn remove(&mut self, action: &str) {
        self.0.remove(action);
    }

    /// Whether the action is permitted on the scope.
    pub fn cover(&self, action: &str, scope: &str) -> bool {
        self.0.get(action).is_some_and(|scopes| scopes.iter().any(|held| covers(held, scope)))
    }

    /// Whether the action is permitted anywhere.
    pub fn has_action(&self, action: &str) -> bool {
        self.0.get(action).is_some_and(|scopes| !scopes.is_empty())
    }

    /// Every permission.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .flat_map(|(action, scopes)| scopes.iter().map(|scope| (action.as_str(), scope.as_str())))
    }

    /// The actions with their scopes.
    pub fn by_action(&self) -> &BTreeMap<String, BTreeSet<String>> {
        &self.0
    }
}

impl<A: AsRef<str>, S: AsRef<str>> FromIterator<(A, S)> for Permissions {
    fn from_iter<I: IntoIterator<Item = (A, S)>>(permissions: I) -> Self {
        let mut set = Self::default();
        for (action, scope) in permissions {
            set.add(action.as_ref(), scope.as_ref());
        }
        set
    }
}

/// Whether a scope that is held reaches a scope that is asked for: the same, or a wildcard before it.
fn covers(held: &str, asked: &str) -> bool {
    held == asked || held.strip_suffix('*').is_some_and(|prefix| asked.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::Permissions;

    #[test]
    fn a_wildcard_reaches_what_begins_like_it_and_nothing_reaches_more_than_itself() {
        let held: Permissions =
            [("folders:read", "folders:*"), ("users:read", "users:id:1"), ("orgs:create", "")]
                .into_iter()
                .collect();
        assert!(held.cover("folders:read", "folders:uid:sre") && held.cover("folders:read", "folders:uid:*"));
        assert!(!held.cover("folders:read", "*") && !held.cover("folders:read", "dashboards:uid:sre"));
        assert!(held.cover("users:read", "users:id:1") && !held.cover("users:read", "users:id:12"));
        assert!(held.cover("orgs:create", "") && !held.cover("orgs:create", "orgs:*"));
        let all: Permissions = [("folders:read", "*")].into_iter().collect();
        assert!(all.cover("folders:read", "") && all.cover("folders:read", "*"));
    }
}
