//! Maps Lenses' types to the model of access. Makes no call.

use std::collections::BTreeSet;

use super::{
    config::Membership,
    dialect, ids, lrn, policy,
    wire::{self, GroupItem, RoleItem},
};
use crate::reading::present;
use rolewright_core::model::{
    Body, Entry, Grant, Group, Id, IdentityRules, Key, Level, Named, Observed, Role, RoleRef, Rule,
    SubjectKind,
};

/// A role with its policy.
pub fn role(role: wire::Role) -> Observed {
    let rules = policy::rules(&role.policy);
    let (id, remark) = (ids::thing(&role.name, &role.id), remark(&rules));
    let body = Body::Role(Role { rules, ..without_rules(role.name, role.display_name, role.description) });
    Observed { remark, ..observed(id, body) }
}

/// A role from a list, which omits the policy.
pub fn outline(item: RoleItem) -> Observed {
    let id = ids::thing(&item.name, &item.id);
    let body = Body::Role(without_rules(item.name, item.display_name, item.description));
    Observed { outline: true, ..observed(id, body) }
}

fn without_rules(name: String, display_name: Option<String>, description: Option<String>) -> Role {
    Role {
        // The name is the default display name (contract 2.1).
        display_name: present(display_name).or_else(|| Some(name.clone())),
        name,
        description: present(description),
        rules: BTreeSet::new(),
        settings: Default::default(),
        unreadable: false,
    }
}

/// A warning about rules that agents ignore (contract 5).
fn remark(rules: &BTreeSet<Rule>) -> Option<String> {
    let wide: BTreeSet<&str> =
        rules.iter().filter_map(|rule| lrn::ignored_service(rule.resource.as_deref()?)).collect();
    let first = wide.first()?;
    let all: Vec<String> = wide.iter().map(|service| format!("{service}:*")).collect();
    Some(format!(
        "agents up to 6.2.8 ignore a resource that is a whole service, so rules on {} have no effect there: write *, or each type, such as \
         {first}:<type>:*",
        all.join(", ")
    ))
}

/// A role in the set of a group that no RoleBinding owns.
pub fn grant(group: Named, role: &str) -> Observed {
    let id = ids::grant(&group.id, role);
    let body = Body::Grant(Grant { role: RoleRef::Existing(role_named(role)), subject: group, scope: None });
    Observed::new(id, key(&body), body)
}

/// A group that a RoleBinding owns. With single sign-on, the identity provider decides on the members, and Rolewright ignores them.
pub fn owned_group(group: &wire::Group, membership: Membership) -> Observed {
    let roles = group.roles.iter().map(|role| RoleRef::Existing(role_named(&role.name))).collect();
    let (members, remark) = match membership {
        Membership::Manual => (Some(group.members().collect()), None),
        Membership::Sso => (None, Some(mapping(group))),
    };
    let body = Body::Group(Group { name: group.name.clone(), roles, members });
    Observed { remark, ..observed(ids::thing(&group.name, &group.id), body) }
}

/// A group that a RoleBinding owns and that could not be read: it exists.
pub fn owned_outline(item: &GroupItem) -> Observed {
    let body = Body::Group(Group { name: item.name.clone(), roles: BTreeSet::new(), members: None });
    Observed { outline: true, ..observed(ids::thing(&item.name, &item.id), body) }
}

/// Who has the role through a group whose members the identity provider decides on.
fn mapping(group: &wire::Group) -> String {
    let name = &group.name;
    let sent = group.sso_name.as_ref().filter(|sent| !sent.is_empty()).unwrap_or(name);
    let hint = match sent == name {
        true => {
            "; the group's sso_name in HQ is its own name, so let the identity provider send a group of this name, or change sso_name; a \
                 group that is deleted and created again loses a changed sso_name"
        }
        false => ", by the group's sso_name in HQ",
    };
    format!(
        "single sign-on decides on the members of the group {name}, because spec.lenses.membership of the Backend is Sso: users get the role \
         who log in with the group {sent:?} of the identity provider{hint}"
    )
}

/// A user or a service account as an entry of the directory.
pub fn principal(kind: SubjectKind, name: &str) -> Entry {
    Entry { named: member(kind, name), parent: None, aliases: Vec::new() }
}

/// A user or a service account as a member of a group.
pub fn member(kind: SubjectKind, name: &str) -> Named {
    Named::new(kind.level(), ids::principal(kind, name), name)
}

/// A group that no RoleBinding owns, as an entry of the directory.
pub fn group(name: &str, opaque: &str) -> Entry {
    Entry { named: group_named(name, opaque), parent: None, aliases: Vec::new() }
}

/// A role as an entry of the directory.
pub fn role_entry(name: &str, opaque: &str) -> Entry {
    Entry {
        named: Named::new(Level::ROLE, ids::thing(name, opaque), name),
        parent: None,
        aliases: Vec::new(),
    }
}

fn role_named(name: &str) -> Named {
    Named::new(Level::ROLE, Id::new(name), name)
}

/// A group that no RoleBinding owns, as a subject.
pub fn group_named(name: &str, opaque: &str) -> Named {
    Named::new(Level::GROUP, ids::group(name, opaque), name)
}

fn observed(id: Id, body: Body) -> Observed {
    Observed::new(id, key(&body), body)
}

fn key(body: &Body) -> Key {
    dialect::of(Membership::Manual).key(body)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn read(body: Value) -> Observed {
        role(serde_json::from_value(body).expect("a role"))
    }

    #[test]
    fn the_default_display_name_is_the_name() {
        for shown in [json!(null), json!(""), json!("reader")] {
            let seen = read(
                json!({"name": "reader", "id": "1", "policy": [], "display_name": shown, "description": ""}),
            );
            let Body::Role(role) = seen.body else { panic!("not a role") };
            assert_eq!((role.display_name.as_deref(), role.description), (Some("reader"), None));
        }
    }

    #[test]
    fn a_resource_that_is_a_whole_service_has_a_remark() {
        let remark = |resource: &str| {
            read(json!({"name": "a", "id": "1", "policy": [{"effect": "allow", "action": "*", "resource": [resource, "iam:*"]}]})).remark
        };
        assert!(remark("kafka:*").is_some_and(|text| text.contains("kafka:*")));
        for resource in ["*", "environments:*", "kafka:topic:*"] {
            assert_eq!(remark(resource), None, "{resource}");
        }
    }

    #[test]
    fn the_identity_providers_group_is_in_the_remark() {
        let seen = |sso_name: Value, membership| {
            let group = json!({"name": "rw-0123456789abcdef", "id": "1", "sso_name": sso_name, "roles": [{"name": "reader"}],
                "users": [{"name": "alice@example.com"}], "service_accounts": [{"name": "ci"}]});
            let group = serde_json::from_value(group).expect("a group");
            let Observed { body: Body::Group(group), remark, .. } = owned_group(&group, membership) else {
                panic!("not a group")
            };
            (group.members.map(|members| members.len()), remark.unwrap_or_default())
        };
        assert_eq!(seen(json!("everyone"), Membership::Manual), (Some(2), String::new()));
        for own in [json!(null), json!("rw-0123456789abcdef")] {
            let (members, remark) = seen(own, Membership::Sso);
            assert!(
                members.is_none() && remark.contains("its own name") && remark.contains("single sign-on")
            );
        }
        let (_, remark) = seen(json!("everyone"), Membership::Sso);
        assert!(remark.contains("\"everyone\"") && !remark.contains("its own name"), "{remark}");
    }
}
