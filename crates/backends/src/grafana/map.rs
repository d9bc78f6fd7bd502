//! Maps Grafana's types to the model of access. Makes no call.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::{
    dialect::{GLOBAL, GROUP, GrafanaDialect, HIDDEN, Reserved},
    ids::{self, Principal},
    wire::{self, AssignedRole},
};
use crate::reading::present;
use rolewright_core::model::{
    Body, Effect, Entry, Grant, Id, IdentityRules, Level, Named, Observed, Role, RoleRef, Rule, SpecRules,
    SubjectKind,
};

/// A role with its permissions.
pub fn role(role: wire::Role) -> Observed {
    let read_only = read_only(&role);
    let revision = revision(&role);
    let rule = |permission: wire::Permission| Rule {
        effect: Effect::Allow,
        action: permission.action,
        resource: present(permission.scope),
    };
    let flag = |flag: Option<bool>| flag.unwrap_or_default().to_string();
    let body = Body::Role(Role {
        name: role.name,
        display_name: present(role.display_name),
        description: present(role.description),
        rules: role.permissions.unwrap_or_default().into_iter().map(rule).collect(),
        settings: BTreeMap::from([
            (GROUP.to_owned(), role.group.unwrap_or_default()),
            (HIDDEN.to_owned(), flag(role.hidden)),
            (GLOBAL.to_owned(), flag(role.global)),
        ]),
        unreadable: false,
    });
    let key = GrafanaDialect.key(&body);
    Observed { read_only, revision, ..Observed::new(Id::new(role.uid), key, body) }
}

/// A role from a list, which omits the permissions (contract 2.1).
pub fn outline(listed: wire::Role) -> Observed {
    Observed { outline: true, ..role(listed) }
}

/// A grant, from the list of its subject's roles. None for an assignment by the mapping of external groups: this API can neither create
/// nor delete it (contract 3.5).
pub fn grant(subject: Named, role: &AssignedRole) -> Option<Observed> {
    if role.mapped == Some(true) {
        return None;
    }
    let id = ids::grant(&subject.id, &Id::new(&role.uid));
    let role = Named::new(Level::ROLE, Id::new(&role.uid), role.name.as_str());
    let body = Body::Grant(Grant { role: RoleRef::Existing(role), subject, scope: None });
    let read_only = GrafanaDialect.vendor_owned(Some(&id), &body).map(str::to_owned);
    Some(Observed { read_only, ..Observed::new(id, GrafanaDialect.key(&body), body) })
}

/// A principal without a known name.
pub fn unnamed(principal: Principal) -> Named {
    Named::unnamed(principal.kind.level(), principal.id())
}

/// A resource without a known name.
pub fn unnamed_resource(resource: &Id) -> Named {
    let level = GrafanaDialect.level_of(resource).unwrap_or(Level::new("resource"));
    Named::unnamed(level, resource.clone())
}

/// A user, named by the e-mail address, and also by `login:` and the login.
pub fn user(user: wire::User) -> Entry {
    let (email, login) = (present(user.email), present(user.login));
    let aliases = login.iter().map(|login| format!("login:{login}")).collect();
    entry(SubjectKind::User, user.user_id, email.or(login), aliases)
}

/// A service account.
pub fn service_account(account: wire::ServiceAccount) -> Entry {
    entry(SubjectKind::ServiceAccount, account.id, account.name, Vec::new())
}

/// A team, also named by `uid:` and its uid.
pub fn team(team: wire::Team) -> Entry {
    let aliases = present(team.uid).into_iter().map(|uid| format!("uid:{uid}")).collect();
    entry(SubjectKind::Team, team.id, team.name, aliases)
}

/// A role as an entry of the directory.
pub fn role_entry(role: &wire::Role) -> Entry {
    Entry {
        named: Named::new(Level::ROLE, Id::new(&role.uid), role.name.as_str()),
        parent: None,
        aliases: Vec::new(),
    }
}

fn entry(kind: SubjectKind, number: i64, name: Option<String>, aliases: Vec<String>) -> Entry {
    let mut named = unnamed(Principal { kind, number });
    if let Some(name) = present(name) {
        named.name = name.into();
    }
    Entry { named, parent: None, aliases }
}

fn read_only(role: &wire::Role) -> Option<String> {
    if let Some(kind) = Reserved::of(&role.name, Some(&role.uid)) {
        return Some(kind.description().to_owned());
    }
    (role.mapped == Some(true)).then(|| "assigned by the mapping of external groups".to_owned())
}

/// The version and the time of the last change, in whole seconds: the answer to a write can be more precise than the database.
fn revision(role: &wire::Role) -> Option<String> {
    let updated = role.updated.as_deref().unwrap_or_default();
    if role.version.is_none() && updated.is_empty() {
        return None;
    }
    let version = role.version.unwrap_or_default();
    Some(match updated.parse::<Timestamp>() {
        Ok(at) => format!("{version}/{}", at.as_second()),
        Err(_) => format!("{version}/{updated}"),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(body: Value) -> Observed {
        role(serde_json::from_value(body).expect("a role"))
    }

    #[test]
    fn a_role_has_every_setting() {
        let seen = read(json!({"uid": "u", "name": "n", "description": "", "displayName": ""}));
        let Body::Role(role) = seen.body else { panic!("not a role") };
        assert_eq!((role.display_name, role.description), (None, None));
        let settings = [("global", "false"), ("group", ""), ("hidden", "false")];
        assert_eq!(role.settings, settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into());
    }

    #[test]
    fn an_empty_scope_is_none_and_permissions_are_a_set() {
        let permission = |scope: Value| json!({"action": "a:b", "scope": scope, "created": "x"});
        let seen = read(json!({"uid": "u", "name": "n",
            "permissions": [permission(json!("")), permission(Value::Null), permission(json!("x:*"))]}));
        let Body::Role(role) = seen.body else { panic!("not a role") };
        let scopes: Vec<Option<&str>> = role.rules.iter().map(|rule| rule.resource.as_deref()).collect();
        assert_eq!(scopes, [None, Some("x:*")]);
    }

    #[test]
    fn a_revision_changes_with_the_version_and_the_second() {
        let revision = |version: Value, updated: Value| {
            read(json!({"uid": "u", "name": "n", "version": version, "updated": updated})).revision
        };
        let first = revision(json!(3), json!("2026-01-01T12:00:00Z"));
        assert_eq!(revision(json!(3), json!("2026-01-01T13:00:00.123456789+01:00")), first);
        assert_ne!(revision(json!(4), json!("2026-01-01T12:00:00Z")), first);
        assert_ne!(revision(json!(3), json!("2026-01-01T12:00:01Z")), first);
        assert_eq!(revision(json!(3), json!("lately")), Some("3/lately".to_owned()));
        assert_eq!(revision(json!(3), Value::Null), Some("3/".to_owned()));
        assert_eq!(revision(Value::Null, Value::Null), None);
    }

    #[test]
    fn a_reserved_role_is_recognized_by_name_or_by_some_uids() {
        for (uid, name, owned) in [
            ("x", "fixed:reports:reader", true),
            ("fixed_abc", "reports", false),
            ("plugins_abc", "reports", false),
            ("managed_abc", "reports", false),
            ("managed_abc", "managed_abc", true),
            ("x", "plugins:app:reader", true),
            ("basic_admin", "x", true),
            ("x", "managed:users:1:permissions", true),
            ("extsvc_x", "x", true),
            ("x", "custom:reports", false),
            ("fixedly", "fixed", false),
        ] {
            let seen = read(json!({"uid": uid, "name": name}));
            assert_eq!(seen.read_only.is_some(), owned, "{uid} {name}");
        }
        assert!(read(json!({"uid": "x", "name": "x", "mapped": true})).read_only.is_some());
    }

    #[test]
    fn a_user_is_named_by_e_mail_or_login() {
        let read = |body: Value| user(serde_json::from_value(body).expect("a user"));
        let alice = read(json!({"userId": 1, "email": "alice@example.com", "login": "alice"}));
        assert_eq!(
            (&*alice.named.name, &*alice.aliases),
            ("alice@example.com", &["login:alice".to_owned()][..])
        );
        assert_eq!(&*read(json!({"userId": 1, "email": "", "login": "alice"})).named.name, "alice");
        assert_eq!(&*read(json!({"userId": 1})).named.name, "user:1");
    }
}
