//! Lenses' pure part: its rules for roles, its natural keys, the names of the groups that bindings own (contract 3).

use super::{config::Membership, ids, lrn};
use rolewright_core::model::{
    Body, Capabilities, Dialect, Fault, Id, Key, Kind, ROLE, Role, Rule, SubjectKind,
};

/// Printed for groups, service accounts and environments, and taken to hold for roles (contract 2.2).
const LONGEST_DISPLAY_NAME: usize = 150;
const LONGEST_DESCRIPTION: usize = 250;

static CAPABILITIES: Capabilities = Capabilities {
    kinds: &[Kind::Role, Kind::Grant, Kind::Group],
    subjects: &[SubjectKind::Group, SubjectKind::User, SubjectKind::ServiceAccount],
    group_members: &[SubjectKind::User, SubjectKind::ServiceAccount],
    levels: &[],
    grant_levels: &[],
    scope_optional: false,
    restriction_levels: &[],
};

/// What is peculiar to Lenses.
pub struct LensesDialect {
    membership: Membership,
}

static MANUAL: LensesDialect = LensesDialect { membership: Membership::Manual };
static SSO: LensesDialect = LensesDialect { membership: Membership::Sso };

/// The dialect of an HQ where this is who says who is in a group.
pub const fn of(membership: Membership) -> &'static LensesDialect {
    match membership {
        Membership::Manual => &MANUAL,
        Membership::Sso => &SSO,
    }
}

impl Dialect for LensesDialect {
    fn vendor(&self) -> &'static str {
        "lenses"
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn check_role(&self, mut role: Role) -> Result<Role, Vec<Fault>> {
        let mut faults = Vec::new();
        if !ids::is_name(&role.name) {
            let message = format!(
                "{:?} is no name for a role of Lenses: write 1 to 63 small letters, digits and hyphens, no hyphen first or last",
                role.name
            );
            faults.push(Fault::new("spec.name", message));
        }
        // What HQ makes of none, so that what comes of a wish is known to its last word (contract 2.1).
        role.display_name =
            role.display_name.filter(|text| !text.is_empty()).or_else(|| Some(role.name.clone()));
        role.description = role.description.filter(|text| !text.is_empty());
        let texts = [
            ("spec.displayName", &role.display_name, LONGEST_DISPLAY_NAME),
            ("spec.description", &role.description, LONGEST_DESCRIPTION),
        ];
        faults.extend(texts.into_iter().filter_map(|(field, text, longest)| {
            Fault::if_longer(field, text.as_deref().unwrap_or_default(), longest, "Lenses")
        }));
        let unknown = |field: &String| {
            Fault::new(format!("spec.lenses.{field}"), "Lenses roles have no such field: leave it out")
        };
        faults.extend(role.settings.keys().map(unknown));
        let mut messages: Vec<String> = role.rules.iter().flat_map(rule_faults).collect();
        messages.sort();
        messages.dedup();
        faults.extend(messages.into_iter().map(|message| Fault::new("spec.rules", message)));
        if faults.is_empty() { Ok(role) } else { Err(faults) }
    }

    fn renames(&self) -> bool {
        false
    }

    fn manages_members(&self) -> bool {
        self.membership == Membership::Manual
    }

    fn instead_of(&self, kind: Kind) -> Option<&'static str> {
        (kind == Kind::Restriction).then_some(
            "a Role with rules of effect Deny keeps those who hold it from a resource, whatever else permits it",
        )
    }

    fn group_of(&self, owner: &str) -> Option<Id> {
        Some(Id::new(ids::owned(owner)))
    }

    fn granted_as(&self, role: &Id) -> Id {
        Id::new(ids::of_thing(role).0)
    }

    fn asked_for(&self, kind: Kind, held: &Key, id: Option<&Id>) -> Option<Id> {
        ids::asked_for(kind, held, id)
    }

    fn key(&self, body: &Body) -> Key {
        match body {
            Body::Role(role) => Key::new([("name", &role.name)]),
            Body::Group(group) => Key::new([("name", &group.name)]),
            Body::Grant(grant) => {
                Key::new([("role", grant.role.text()), ("subject", grant.subject.id.as_str())])
            }
            Body::Restriction(restriction) => Key::new([("resource", restriction.resource.id.as_str())]),
        }
    }

    fn id_of(&self, _level: &str, _text: &str) -> Option<Id> {
        None
    }

    fn level_of(&self, id: &Id) -> Option<&'static str> {
        if ids::of_group(id).is_some() {
            return Some(ids::group_level());
        }
        // A principal's id does not say which of two levels it is of; no other id has a colon.
        (!id.as_str().contains(':')).then_some(ROLE)
    }
}

fn rule_faults(rule: &Rule) -> Vec<String> {
    let resource = match rule.resource.as_deref() {
        None | Some("") => Some(format!(
            "the action {:?} has no resource: write what it may be done to, such as kafka:topic:*, or * for everything",
            rule.action
        )),
        Some(resource) => lrn::resource_fault(resource),
    };
    [lrn::action_fault(&rule.action), resource].into_iter().flatten().collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use rolewright_core::model::{Effect, Named, RoleRef};

    fn role(name: &str, rules: &[(&str, Option<&str>)]) -> Role {
        let rule = |(action, resource): &(&str, Option<&str>)| Rule {
            effect: Effect::Deny,
            action: (*action).to_owned(),
            resource: resource.map(str::to_owned),
        };
        Role {
            name: name.to_owned(),
            display_name: None,
            description: None,
            rules: rules.iter().map(rule).collect(),
            settings: BTreeMap::new(),
            unreadable: false,
        }
    }

    fn check(role: Role) -> Result<Role, Vec<String>> {
        let fields = |faults: Vec<Fault>| faults.into_iter().map(|fault| fault.field).collect();
        of(Membership::Manual).check_role(role).map_err(fields)
    }

    #[test]
    fn a_role_that_is_silent_is_called_by_its_name_and_has_no_description() {
        let silent =
            Role { description: Some(String::new()), ..role("reader", &[("kafka:List*", Some("*"))]) };
        let checked = check(silent).expect("a role");
        assert_eq!((checked.display_name.as_deref(), checked.description), (Some("reader"), None));
    }

    #[test]
    fn every_fault_is_told_at_once() {
        let mut faulty = role("Reader", &[("kafka", Some("kafka:topic")), ("kafka:List*", None)]);
        faulty.display_name = Some("x".repeat(151));
        faulty.description = Some("ä".repeat(251));
        faulty.settings.insert("group".to_owned(), "x".to_owned());
        let faults = check(faulty).expect_err("faults");
        let expected = [
            "spec.name",
            "spec.displayName",
            "spec.description",
            "spec.lenses.group",
            "spec.rules",
            "spec.rules",
            "spec.rules",
        ];
        assert_eq!(faults, expected);
        let longest = Role {
            display_name: Some("ä".repeat(150)),
            description: Some("ä".repeat(250)),
            ..role("reader", &[("*", Some("*"))])
        };
        assert!(check(longest).is_ok());
    }

    #[test]
    fn a_grant_is_known_by_role_and_group_whether_the_role_is_planned_or_there() {
        let named = |id: &str| Named { level: String::new(), id: Id::new(id), name: "x".to_owned() };
        let key = |role: RoleRef| {
            let subject = named("group:devs");
            of(Membership::Sso).key(&Body::Grant(rolewright_core::model::Grant {
                role,
                subject,
                scope: None,
            }))
        };
        let expected = Key::new([("role", "reader"), ("subject", "group:devs")]);
        assert_eq!(key(RoleRef::Existing(named("reader"))), expected);
        let held = of(Membership::Sso).granted_as(&Id::new("reader#5f0c"));
        assert_eq!(key(RoleRef::Existing(named(held.as_str()))), expected, "groups know roles by name");
        assert_eq!(key(RoleRef::Planned("reader".to_owned())), expected);
    }

    #[test]
    fn members_are_ours_unless_single_sign_on_has_them() {
        assert!(of(Membership::Manual).manages_members() && !of(Membership::Sso).manages_members());
    }
}
