//! From Lenses' words to the access model, without calling anything.

use std::collections::BTreeSet;

use super::{
    config::Membership,
    dialect,
    ids::{self, Incarnation},
    lrn, policy,
    whole::Whole,
    wire::{self, RoleItem, Statement},
};
use crate::reading::present;
use rolewright_core::model::{
    Body, Dialect, Entry, Grant, Group, Id, Key, Named, Observed, ROLE, Role, RoleRef, Rule, SubjectKind,
};

/// A role that was read by itself, with its policy, and what tells it from others of its name.
pub fn role(role: wire::Role, statements: &[Statement], made: &Incarnation) -> Observed {
    let rules = policy::rules(statements);
    let remark = remark(&rules);
    let id = ids::thing(&role.name, made);
    let body = Body::Role(Role { rules, ..named_only(role.name, role.display_name, role.description) });
    Observed { remark, ..observed(id, body) }
}

/// A role as lists show it: without its policy.
pub fn outline(item: RoleItem, made: &Incarnation) -> Observed {
    let id = ids::thing(&item.name, made);
    let body = Body::Role(named_only(item.name, item.display_name, item.description));
    Observed { outline: true, ..observed(id, body) }
}

fn named_only(name: String, display_name: Option<String>, description: Option<String>) -> Role {
    Role {
        // A role without one is shown by its name (contract 2.1).
        display_name: present(display_name).or_else(|| Some(name.clone())),
        name,
        description: present(description),
        rules: BTreeSet::new(),
        settings: Default::default(),
        unreadable: false,
    }
}

/// What agents make of a role that is as it was asked for (contract 5).
fn remark(rules: &BTreeSet<Rule>) -> Option<String> {
    let wide: BTreeSet<&str> =
        rules.iter().filter_map(|rule| lrn::ignored_service(rule.resource.as_deref()?)).collect();
    let first = wide.first()?;
    let all: Vec<String> = wide.iter().map(|service| format!("{service}:*")).collect();
    Some(format!(
        "agents up to 6.2.8 ignore a resource that is a whole service, so what stands on {} has no effect there: write *, or each type, \
         such as {first}:<type>:*",
        all.join(", ")
    ))
}

/// A role's place in the set of a group that no binding owns.
pub fn grant(group: Named, role: &str) -> Observed {
    let id = ids::grant(&group.id, role);
    let body = Body::Grant(Grant { role: RoleRef::Existing(role_named(role)), subject: group, scope: None });
    Observed::new(id, key(&body), body)
}

/// A group that a binding owns. One that may have more members than are shown is an outline. Whoever an identity provider lets into it is a
/// member too, though nobody can say who that is: unless single sign-on is to say who is in it, when members are nobody's business here.
pub fn owned(whole: &Whole, membership: Membership) -> Observed {
    let roles = whole.roles.iter().map(|role| RoleRef::Existing(role_named(role))).collect();
    let (members, remark) = match membership {
        Membership::Manual => (Some(members(whole)), None),
        Membership::Sso => {
            let remark = format!(
                "single sign-on says who is in the group {}, and Rolewright does not, as spec.lenses.membership of its Backend is Sso: set the \
                 group's sso_name in HQ to a group of the identity provider",
                whole.name
            );
            (None, Some(remark))
        }
    };
    let body = Body::Group(Group { name: whole.name.clone(), roles, members });
    let complete = whole.roles_complete && (whole.members_complete || membership == Membership::Sso);
    Observed { remark, outline: !complete, ..observed(ids::thing(&whole.name, &whole.made), body) }
}

fn members(whole: &Whole) -> BTreeSet<Named> {
    let outsiders = whole.sso_name.as_ref().filter(|name| **name != ids::sso_name(&whole.name));
    let outsiders = outsiders.map(|name| Named {
        level: "identity provider's group".to_owned(),
        id: ids::outsiders(name),
        name: format!("everybody in {name:?} at the identity provider"),
    });
    whole.members.iter().cloned().chain(outsiders).collect()
}

/// A user or a service account as a name.
pub fn principal(kind: SubjectKind, name: &str) -> Entry {
    Entry { named: member(kind, name), parent: None, aliases: Vec::new() }
}

/// The same as a member of a group.
pub fn member(kind: SubjectKind, name: &str) -> Named {
    Named::new(kind.level(), ids::principal(name), name)
}

/// A group that no binding owns as a name.
pub fn group(name: &str, made: &Incarnation) -> Entry {
    Entry { named: group_named(name, made), parent: None, aliases: Vec::new() }
}

/// A role as a name.
pub fn role_entry(name: &str) -> Entry {
    Entry { named: role_named(name), parent: None, aliases: Vec::new() }
}

fn role_named(name: &str) -> Named {
    Named::new(ROLE, Id::new(name), name)
}

/// A group that no binding owns, as what a role is given to.
pub fn group_named(name: &str, made: &Incarnation) -> Named {
    Named::new(ids::group_level(), ids::group(name, made), name)
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
    fn a_role_without_a_display_name_has_its_name_for_one() {
        for shown in [json!(null), json!(""), json!("reader")] {
            let seen = read(json!({"name": "reader", "display_name": shown, "description": ""}));
            let Body::Role(role) = seen.body else { panic!("not a role") };
            assert_eq!((role.display_name.as_deref(), role.description), (Some("reader"), None));
        }
    }

    #[test]
    fn a_resource_that_is_a_whole_service_is_remarked_on() {
        let remark = |resource: &str| {
            read(json!({"name": "a", "policy": [{"effect": "allow", "action": "*", "resource": [resource, "iam:*"]}]})).remark
        };
        assert!(remark("kafka:*").is_some_and(|text| text.contains("kafka:*")));
        for resource in ["*", "environments:*", "kafka:topic:*"] {
            assert_eq!(remark(resource), None, "{resource}");
        }
    }

    fn whole(sso_name: Option<&str>, complete: bool) -> Whole {
        Whole {
            name: "rw-0123456789abcdef".to_owned(),
            sso_name: sso_name.map(str::to_owned),
            roles: ["reader".to_owned()].into(),
            members: [member(SubjectKind::User, "alice@example.com")].into(),
            made: Incarnation::default(),
            roles_complete: true,
            members_complete: complete,
        }
    }

    #[test]
    fn whoever_an_identity_provider_lets_into_a_group_is_a_member_of_it() {
        let ours = ids::sso_name("rw-0123456789abcdef");
        let seen = |sso_name: Option<&str>, membership| {
            let Observed { body: Body::Group(group), remark, .. } = owned(&whole(sso_name, true), membership)
            else {
                panic!("not a group")
            };
            (
                group
                    .members
                    .map(|members| members.into_iter().map(|member| member.name).collect::<Vec<_>>()),
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
    fn a_group_that_shows_less_than_it_counts_is_an_outline() {
        assert!(owned(&whole(None, false), Membership::Manual).outline);
        assert!(!owned(&whole(None, false), Membership::Sso).outline, "members are nobody's business there");
        assert!(!owned(&whole(None, true), Membership::Manual).outline);
    }
}
