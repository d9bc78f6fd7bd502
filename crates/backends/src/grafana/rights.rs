//! What the credential itself may do (contract 2.3), and what follows from it: which lists it sees to their ends, and which
//! permissions it cannot give (contract 3.6).

use std::collections::{BTreeSet, HashMap};

use super::{
    ids::{Group, Sort},
    wire::Permissions,
};
use rolewright_core::model::Rule;

/// Scopes by action.
#[derive(Debug, Default)]
pub struct Rights(HashMap<String, Vec<String>>);

/// Which lists hold back nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Sight {
    pub roles: bool,
    pub users: bool,
    pub teams: bool,
    /// The permissions of folders, of dashboards, of data sources.
    pub resources: [bool; 3],
}

impl Sight {
    /// What was seen both times.
    pub fn and(self, other: Self) -> Self {
        Self {
            roles: self.roles && other.roles,
            users: self.users && other.users,
            teams: self.teams && other.teams,
            resources: std::array::from_fn(|sort| self.resources[sort] && other.resources[sort]),
        }
    }

    /// Whether the permissions of every resource of a sort are shown: then one that is not found is gone.
    pub fn of_sort(self, sort: Sort) -> bool {
        self.resources[sort as usize]
    }

    /// Whether the roles of every principal of a group are shown.
    pub fn of(self, group: Group) -> bool {
        match group {
            Group::Users => self.users,
            Group::Teams => self.teams,
        }
    }
}

impl Rights {
    /// As they are answered.
    pub fn new(permissions: Permissions) -> Self {
        Self(permissions.into_iter().map(|(action, scopes)| (action, scopes.unwrap_or_default())).collect())
    }

    /// Which lists hold back nothing.
    pub fn sight(&self) -> Sight {
        Sight {
            roles: self.everywhere("roles:read", &["*", "roles:*", "roles:uid:*"]),
            users: self.everywhere("users.roles:read", &["*", "users:*", "users:id:*"]),
            teams: self.everywhere("teams.roles:read", &["*", "teams:*", "teams:id:*"]),
            resources: Sort::ALL.map(|sort| self.sees_every(sort)),
        }
    }

    fn sees_every(&self, sort: Sort) -> bool {
        let name = sort.path();
        let scopes = ["*", &format!("{name}:*"), &format!("{name}:uid:*")];
        self.everywhere(&format!("{name}.permissions:read"), &scopes)
    }

    /// The rules that the credential may not act by itself.
    pub fn lacking<'a>(&self, rules: &'a BTreeSet<Rule>) -> Vec<&'a Rule> {
        rules.iter().filter(|rule| !self.cover(rule)).collect()
    }

    fn everywhere(&self, action: &str, scopes: &[&str]) -> bool {
        self.0.get(action).is_some_and(|own| own.iter().any(|scope| scopes.contains(&scope.as_str())))
    }

    fn cover(&self, rule: &Rule) -> bool {
        let Some(own) = self.0.get(&rule.action) else { return false };
        let Some(wanted) = &rule.resource else { return true };
        own.iter().any(|scope| {
            let below = scope.strip_suffix('*').is_some_and(|prefix| wanted.starts_with(prefix));
            scope == wanted || below
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use rolewright_core::model::Effect;

    fn rights(permissions: serde_json::Value) -> Rights {
        Rights::new(serde_json::from_value(permissions).expect("permissions"))
    }

    #[test]
    fn only_a_right_on_all_of_them_sees_all_of_them() {
        for scope in ["*", "roles:*", "roles:uid:*"] {
            assert!(rights(json!({"roles:read": ["roles:uid:x", scope]})).sight().roles, "{scope}");
        }
        for scope in ["", "roles:uid:x", "users:*", "roles:uid:x*"] {
            assert_eq!(rights(json!({"roles:read": [scope], "teams:read": ["*"]})).sight(), Sight::default());
        }
        let sight = rights(json!({"users.roles:read": ["users:id:*"], "teams.roles:read": null})).sight();
        assert_eq!((sight.of(Group::Users), sight.of(Group::Teams)), (true, false));
        let other =
            rights(json!({"users.roles:read": ["users:*"], "teams.roles:read": ["teams:id:*"]})).sight();
        assert_eq!(sight.and(other), sight);
    }

    #[test]
    fn a_rule_is_lacking_unless_a_scope_of_its_own_holds_it() {
        let rule = |action: &str, scope: Option<&str>| Rule {
            effect: Effect::Allow,
            action: action.to_owned(),
            resource: scope.map(str::to_owned),
        };
        let own = rights(
            json!({"reports:read": ["reports:*"], "reports:create": [""], "folders:read": ["folders:uid:a"]}),
        );
        let lacking = |rule: Rule| !own.lacking(&BTreeSet::from([rule])).is_empty();
        for held in [
            rule("reports:read", Some("reports:*")),
            rule("reports:read", Some("reports:id:5")),
            rule("reports:create", None),
            rule("folders:read", Some("folders:uid:a")),
        ] {
            assert!(!lacking(held.clone()), "{held}");
        }
        for wanted in [
            rule("reports:delete", None),
            rule("reports:read", Some("*")),
            rule("folders:read", Some("folders:uid:ab")),
            rule("folders:read", Some("folders:*")),
        ] {
            assert!(lacking(wanted.clone()), "{wanted}");
        }
    }
}
