//! Permissions, and sets of permissions.

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
    /// An action on a scope; an empty scope for none.
    pub fn new(action: impl Into<String>, scope: impl Into<String>) -> Self {
        Self { action: action.into(), scope: scope.into() }
    }
}

/// A set of permissions: the scopes of each action, as `GET user/permissions` shows them (contract 2.3).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Permissions(BTreeMap<String, BTreeSet<String>>);

impl Permissions {
    /// Adds one permission.
    pub fn add(&mut self, action: &str, scope: &str) {
        self.0.entry(action.to_owned()).or_default().insert(scope.to_owned());
    }

    /// Removes an action with all its scopes.
    pub fn remove(&mut self, action: &str) {
        self.0.remove(action);
    }

    /// Whether the set permits the action on the scope. A wildcard covers all scopes with its prefix.
    pub fn cover(&self, action: &str, scope: &str) -> bool {
        self.0.get(action).is_some_and(|scopes| scopes.iter().any(|own| covers(own, scope)))
    }

    /// Whether the set permits the action on at least one scope.
    pub fn has_action(&self, action: &str) -> bool {
        self.0.get(action).is_some_and(|scopes| !scopes.is_empty())
    }

    /// Every action with every scope.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .flat_map(|(action, scopes)| scopes.iter().map(|scope| (action.as_str(), scope.as_str())))
    }

    /// The scopes of each action.
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

fn covers(own: &str, requested: &str) -> bool {
    own == requested || own.strip_suffix('*').is_some_and(|prefix| requested.starts_with(prefix))
}

#[cfg(test)]
mod tests {
    use super::Permissions;

    #[test]
    fn wildcards_cover_their_prefix_and_others_only_themselves() {
        let set: Permissions =
            [("folders:read", "folders:*"), ("users:read", "users:id:1"), ("orgs:create", "")]
                .into_iter()
                .collect();
        assert!(set.cover("folders:read", "folders:uid:sre") && set.cover("folders:read", "folders:uid:*"));
        assert!(!set.cover("folders:read", "*") && !set.cover("folders:read", "dashboards:uid:sre"));
        assert!(set.cover("users:read", "users:id:1") && !set.cover("users:read", "users:id:12"));
        assert!(set.cover("orgs:create", "") && !set.cover("orgs:create", "orgs:*"));
        let all: Permissions = [("folders:read", "*")].into_iter().collect();
        assert!(all.cover("folders:read", "") && all.cover("folders:read", "*"));
    }
}
