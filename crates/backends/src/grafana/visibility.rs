//! What the credential itself can do (contract 2.3): which lists it sees completely, and which permissions it cannot give (contract 3.6).

use std::collections::{BTreeSet, HashMap};

use super::{
    ids::{Endpoints, ResourceKind},
    wire::Permissions,
};
use crate::Vocabulary;
use rolewright_core::model::Rule;

/// The scopes of the credential, by action.
#[derive(Debug, Default)]
pub struct OwnPermissions(HashMap<String, Vec<String>>);

/// The lists that the credential sees completely.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Visibility {
    pub roles: bool,
    pub users: bool,
    pub teams: bool,
    /// The permissions of folders, of dashboards and of data sources.
    pub resources: [bool; 3],
}

impl Visibility {
    /// The lists that are complete in both.
    pub fn and(self, other: Self) -> Self {
        Self {
            roles: self.roles && other.roles,
            users: self.users && other.users,
            teams: self.teams && other.teams,
            resources: std::array::from_fn(|kind| self.resources[kind] && other.resources[kind]),
        }
    }

    /// Whether every resource of a kind and its permissions are visible. Then a resource that is not found is deleted.
    pub fn of_kind(self, kind: ResourceKind) -> bool {
        self.resources[kind as usize]
    }

    /// Whether the roles of every principal are visible.
    pub fn of(self, endpoints: Endpoints) -> bool {
        match endpoints {
            Endpoints::Users => self.users,
            Endpoints::Teams => self.teams,
        }
    }
}

impl OwnPermissions {
    /// The permissions in the answer.
    pub fn new(permissions: Permissions) -> Self {
        Self(permissions.into_iter().map(|(action, scopes)| (action, scopes.unwrap_or_default())).collect())
    }

    /// The lists that these permissions show completely.
    pub fn visibility(&self) -> Visibility {
        Visibility {
            roles: self.everywhere("roles:read", &["*", "roles:*", "roles:uid:*"]),
            users: self.everywhere("users.roles:read", &["*", "users:*", "users:id:*"]),
            teams: self.everywhere("teams.roles:read", &["*", "teams:*", "teams:id:*"]),
            resources: ResourceKind::ALL.map(|kind| self.sees_every(kind)),
        }
    }

    /// Whether every resource of a kind and its permissions are visible: only then a server that hides nothing answers 404 (contract 3.12).
    fn sees_every(&self, kind: ResourceKind) -> bool {
        let name = kind.path();
        let own = [format!("{name}:*"), format!("{name}:uid:*")];
        let mut scopes = vec!["*", &own[0], &own[1]];
        if kind == ResourceKind::Dashboard {
            // Every dashboard is in a folder, if only in the root.
            scopes.extend(["folders:*", "folders:uid:*"]);
        }
        [":read", ".permissions:read"].iter().all(|verb| self.everywhere(&format!("{name}{verb}"), &scopes))
    }

    /// The actions and scopes.
    pub fn vocabulary(&self) -> Vocabulary {
        let mut known = Vocabulary::default();
        for (action, scopes) in &self.0 {
            known.add(action, None);
            scopes.iter().for_each(|scope| known.add(action, Some(scope)));
        }
        known
    }

    /// The rules that these permissions do not cover.
    pub fn lacking<'a>(&self, rules: &'a BTreeSet<Rule>) -> Vec<&'a Rule> {
        rules.iter().filter(|rule| !self.cover(rule)).collect()
    }

    fn everywhere(&self, action: &str, scopes: &[&str]) -> bool {
        self.0.get(action).is_some_and(|own| own.iter().any(|scope| scopes.contains(&scope.as_str())))
    }

    fn cover(&self, rule: &Rule) -> bool {
        let Some(own) = self.0.get(&rule.action) else { return false };
        let Some(needed) = &rule.resource else { return true };
        own.iter().any(|scope| {
            let below = scope.strip_suffix('*').is_some_and(|prefix| needed.starts_with(prefix));
            scope == needed || below
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use rolewright_core::model::Effect;

    fn permissions(permissions: serde_json::Value) -> OwnPermissions {
        OwnPermissions::new(serde_json::from_value(permissions).expect("permissions"))
    }

    #[test]
    fn a_list_is_complete_only_with_a_permission_on_all_of_it() {
        for scope in ["*", "roles:*", "roles:uid:*"] {
            assert!(permissions(json!({"roles:read": ["roles:uid:x", scope]})).visibility().roles, "{scope}");
        }
        for scope in ["", "roles:uid:x", "users:*", "roles:uid:x*"] {
            let narrow = permissions(json!({"roles:read": [scope], "teams:read": ["*"]}));
            assert_eq!(narrow.visibility(), Visibility::default());
        }
        let users =
            permissions(json!({"users.roles:read": ["users:id:*"], "teams.roles:read": null})).visibility();
        assert_eq!((users.of(Endpoints::Users), users.of(Endpoints::Teams)), (true, false));
        let both = permissions(json!({"users.roles:read": ["users:*"], "teams.roles:read": ["teams:id:*"]}))
            .visibility();
        assert_eq!(users.and(both), users);
    }

    #[test]
    fn a_rule_is_lacking_unless_a_scope_covers_it() {
        let rule = |action: &str, scope: Option<&str>| Rule {
            effect: Effect::Allow,
            action: action.to_owned(),
            resource: scope.map(str::to_owned),
        };
        let own = permissions(
            json!({"reports:read": ["reports:*"], "reports:create": [""], "folders:read": ["folders:uid:a"]}),
        );
        let lacking = |rule: Rule| !own.lacking(&BTreeSet::from([rule])).is_empty();
        for covered in [
            rule("reports:read", Some("reports:*")),
            rule("reports:read", Some("reports:id:5")),
            rule("reports:create", None),
            rule("folders:read", Some("folders:uid:a")),
        ] {
            assert!(!lacking(covered.clone()), "{covered}");
        }
        for missing in [
            rule("reports:delete", None),
            rule("reports:read", Some("*")),
            rule("folders:read", Some("folders:uid:ab")),
            rule("folders:read", Some("folders:*")),
        ] {
            assert!(lacking(missing.clone()), "{missing}");
        }
    }
}
