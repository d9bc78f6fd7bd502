//! Maps Lenses' types to the model of access. Makes no call.

use std::collections::BTreeSet;

use super::{
    config::Membership,
    dialect,
    ids::{self, Incarnation},
    lrn, policy,
    whole_group::WholeGroup,
    wire::{self, RoleItem, Statement},
};
use crate::reading::present;
use rolewright_core::model::{
    Body, Entry, Grant, Group, Id, IdentityRules, Key, Level, Named, Observed, Role, RoleRef, Rule,
    SubjectKind,
};

/// A role with its policy.
pub fn role(role: wire::Role, statements: &[Statement], incarnation: &Incarnation) -> Observed {
    let rules = policy::rules(statements);
    let remark = remark(&rules);
    let id = ids::thing(&role.name, incarnation);
    let body = Body::Role(Role { rules, ..without_rules(role.name, role.display_name, role.description) });
    Observed { remark, ..observed(id, body) }
}

/// A role from a list, which omits the policy.
pub fn outline(item: RoleItem, incarnation: &Incarnation) -> Observed {
    let id = ids::thing(&item.name, incarnation);
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

/// A group that a RoleBinding owns. It is an outline if it can have more members than it shows.
///
/// The members of an identity provider's group that is mapped to it are members too, under one common name. With single sign-on the
/// identity provider decides on the members, and Rolewright ignores them.
pub fn owned_group(whole: &WholeGroup, membership: Membership) -> Observed {
    let roles = whole.roles.iter().map(|role| RoleRef::Existing(role_named(role))).collect();
    let (members, remark) = match membership {
        Membership::Manual => (Some(members(whole)), None),
        Membership::Sso => {
            let remark = format!(
                "single sign-on decides on the members of the group {}, because spec.lenses.membership of the Backend is Sso: set the \
                 group's sso_name in HQ to a group of the identity provider",
                whole.name
            );
            (None, Some(remark))
        }
    };
    let body = Body::Group(Group { name: whole.name.clone(), roles, members });
    let complete = whole.roles_complete && (whole.members_complete || membership == Membership::Sso);
    Observed { remark, outline: !complete, ..observed(ids::thing(&whole.name, &whole.incarnation), body) }
}

fn members(whole: &WholeGroup) -> BTreeSet<Named> {
    let outsiders = whole.sso_name.as_ref().filter(|name| **name != ids::sso_name(&whole.name));
    let outsiders = outsiders.map(|name| {
        let level = Level::new("identity provider's group");
        Named::new(level, ids::outsiders(name), format!("everybody in {name:?} at the identity provider"))
    });
    whole.members.iter().cloned().chain(outsiders).collect()
}

/// A user or a service account as an entry of the directory.
pub fn principal(kind: SubjectKind, name: &str) -> Entry {
    Entry { named: member(kind, name), parent: None, aliases: Vec::new() }
}

/// A user or a service account as a member of a group.
pub fn member(kind: SubjectKind, name: &str) -> Named {
    Named::new(kind.level(), ids::principal(name), name)
}

/// A group that no RoleBinding owns, as an entry of the directory.
pub fn group(name: &str, incarnation: &Incarnation) -> Entry {
    Entry { named: group_named(name, incarnation), parent: None, aliases: Vec::new() }
}

/// A role as an entry of the directory.
pub fn role_entry(name: &str) -> Entry {
    Entry { named: role_named(name), parent: None, aliases: Vec::new() }
}

fn role_named(name: &str) -> Named {
    Named::new(Level::ROLE, Id::new(name), name)
}

/// A group that no RoleBinding owns, as a subject.
pub fn group_named(name: &str, incarnation: &Incarnation) -> Named {
    Named::new(Level::GROUP, ids::group(name, incarnation), name)
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
        let mut whole: wire::Role = serde_json::from_value(body).expect("a role");
        let policy = whole.policy.take().unwrap_or_default();
        role(whole, &policy, &Incarnation::default())
    }

    #[test]
    fn the_default_display_name_is_the_name() {
        for shown in [json!(null), json!(""), json!("reader")] {
            let seen = read(json!({"name": "reader", "display_name": shown, "description": ""}));
            let Body::Role(role) = seen.body else { panic!("not a role") };
            assert_eq!((role.display_name.as_deref(), role.description), (Some("reader"), None));
        }
    }

    #[test]
    fn a_resource_that_is_a_whole_service_has_a_remark() {
        let remark = |resource: &str| {
            read(json!({"name": "a", "policy": [{"effect": "allow", "action": "*", "resource": [resource, "iam:*"]}]})).remark
        };
        assert!(remark("kafka:*").is_some_and(|text| text.contains("kafka:*")));
        for resource in ["*", "environments:*", "kafka:topic:*"] {
            assert_eq!(remark(resource), None, "{resource}");
        }
    }

    fn whole(sso_name: Option<&str>, complete: bool) -> WholeGroup {
        WholeGroup {
            name: "rw-0123456789abcdef".to_owned(),
            sso_name: sso_name.map(str::to_owned),
            roles: ["reader".to_owned()].into(),
            members: [member(SubjectKind::User, "alice@example.com")].into(),
            incarnation: Incarnation::default(),
            roles_complete: true,
            members_complete: complete,
        }
    }

    #[test]
    fn an_identity_providers_group_counts_as_a_member() {
        let ours = ids::sso_name("rw-0123456789abcdef");
        let seen = |sso_name: Option<&str>, membership| {
            let Observed { body: Body::Group(group), remark, .. } =
                owned_group(&whole(sso_name, true), membership)
            else {
                panic!("not a group")
            };
            (
                group.members.map(|members| {
                    members.into_iter().map(|member| member.name.to_string()).collect::<Vec<_>>()
                }),
                remark,
            )
        };
        let alice = Some(vec!["alice@example.com".to_owned()]);
        assert_eq!(seen(Some(&ours), Membership::Manual), (alice.clone(), None));
        assert_eq!(seen(None, Membership::Manual), (alice, None));
        let (members, _) = seen(Some("everyone"), Membership::Manual);
        assert!(members.is_some_and(|members| members.len() == 2 && members[1].contains("everyone")));
        let (members, remark) = seen(Some("everyone"), Membership::Sso);
        assert_eq!(members, None);
        assert!(remark.is_some_and(|text| text.contains("single sign-on")));
    }

    #[test]
    fn an_incomplete_group_is_an_outline() {
        assert!(owned_group(&whole(None, false), Membership::Manual).outline);
        assert!(!owned_group(&whole(None, false), Membership::Sso).outline, "members are not managed there");
        assert!(!owned_group(&whole(None, true), Membership::Manual).outline);
    }
}
