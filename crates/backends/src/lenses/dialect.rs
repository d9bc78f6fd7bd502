//! Lenses' pure part: its capabilities, its rules for roles and the groups that RoleBindings own (contract 2.1, 2.2, 3).

use super::{config::Membership, escalation, ids, lrn};
use rolewright_core::model::{
    Capabilities, Fault, Grants, Id, IdentityRules, Key, Kind, Level, Members, Restrictions, Role, RoleNames,
    Rule, SpecRules, SubjectKind, SweepHints,
};

/// Documented for groups, service accounts and environments, and assumed for roles (contract 2.2).
const MAX_DISPLAY_NAME: usize = 150;
/// Documented for roles; for other things it is 250 (contract 2.1, 2.2).
const MAX_DESCRIPTION: usize = 280;

const fn capabilities(members: Members) -> Capabilities {
    Capabilities {
        vendor: "lenses",
        subjects: &[SubjectKind::Group, SubjectKind::User, SubjectKind::ServiceAccount],
        levels: &[],
        role_names: RoleNames::Fixed,
        grants: Grants::ViaGroups { owned_for: &[SubjectKind::User, SubjectKind::ServiceAccount], members },
        restrictions: Restrictions::None {
            instead: Some(
                "a Role with rules of effect Deny refuses a resource to its subjects, whatever else allows it",
            ),
        },
        duplicates: &[],
    }
}

/// Lenses' rules.
pub struct LensesDialect {
    capabilities: &'static Capabilities,
}

static MANUAL_CAPABILITIES: Capabilities = capabilities(Members::Managed);
static SSO_CAPABILITIES: Capabilities = capabilities(Members::IdentityProvider);
static MANUAL: LensesDialect = LensesDialect { capabilities: &MANUAL_CAPABILITIES };
static SSO: LensesDialect = LensesDialect { capabilities: &SSO_CAPABILITIES };

/// The dialect of an HQ with this membership mode.
pub const fn of(membership: Membership) -> &'static LensesDialect {
    match membership {
        Membership::Manual => &MANUAL,
        Membership::Sso => &SSO,
    }
}

impl IdentityRules for LensesDialect {
    fn capabilities(&self) -> &'static Capabilities {
        self.capabilities
    }

    fn group_of(&self, owner: &str) -> Option<Id> {
        Some(Id::new(ids::owned_name(owner)))
    }

    /// Groups name their roles without HQ's id.
    fn granted_as(&self, role: &Id) -> Id {
        Id::new(ids::name_of(role))
    }
}

impl SweepHints for LensesDialect {
    fn hint(&self, kind: Kind, key: &Key, id: Option<&Id>) -> Option<Id> {
        ids::hint(kind, key, id)
    }
}

impl SpecRules for LensesDialect {
    fn check_role(&self, mut role: Role) -> Result<Role, Vec<Fault>> {
        let mut faults = Vec::new();
        if !ids::is_name(&role.name) {
            let message = format!(
                "{:?} is not a valid name of a Lenses role: write 1 to 63 small letters, digits and hyphens, no hyphen first or last",
                role.name
            );
            faults.push(Fault::new("spec.name", message));
        }
        // HQ stores the name as the default display name (contract 2.1). So the desired role equals the stored one.
        role.display_name =
            role.display_name.filter(|text| !text.is_empty()).or_else(|| Some(role.name.clone()));
        role.description = role.description.filter(|text| !text.is_empty());
        let texts = [
            ("spec.displayName", &role.display_name, MAX_DISPLAY_NAME),
            ("spec.description", &role.description, MAX_DESCRIPTION),
        ];
        faults.extend(texts.into_iter().filter_map(|(field, text, max)| {
            Fault::if_longer(field, text.as_deref().unwrap_or_default(), max, "Lenses")
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

    fn check_subject(&self, kind: SubjectKind) -> Result<(), Fault> {
        // Nobody but users logs in with single sign-on (contract 3.8).
        if kind == SubjectKind::ServiceAccount && !self.capabilities.manages_members() {
            let message = "the identity provider decides on members, because spec.lenses.membership of the Backend is Sso, and a service \
                           account never logs in there: list a Group that the service account is in";
            return Err(Fault::new("spec.subjects", message));
        }
        Ok(())
    }

    fn level_of(&self, id: &Id) -> Option<Level> {
        if ids::is_group(id) {
            return Some(Level::GROUP);
        }
        let role = || (!id.as_str().contains(':')).then_some(Level::ROLE);
        ids::of_principal(id).map(|(kind, _)| kind.level()).or_else(role)
    }

    fn is_escalating(&self, rule: &Rule) -> bool {
        escalation::is_escalating(&rule.action)
    }
}

fn rule_faults(rule: &Rule) -> Vec<String> {
    let resource = match rule.resource.as_deref() {
        None | Some("") => Some(format!(
            "the action {:?} has no resource: write one such as kafka:topic:*, or * for everything",
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
    use rolewright_core::model::{Body, Effect, Named, RoleRef};

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
    fn a_minimal_role_is_displayed_by_its_name() {
        let minimal =
            Role { description: Some(String::new()), ..role("reader", &[("kafka:List*", Some("*"))]) };
        let checked = check(minimal).expect("a role");
        assert_eq!((checked.display_name.as_deref(), checked.description), (Some("reader"), None));
    }

    #[test]
    fn all_faults_of_a_role_are_reported_together() {
        let mut faulty = role("Reader", &[("kafka", Some("kafka:topic")), ("kafka:List*", None)]);
        faulty.display_name = Some("x".repeat(151));
        faulty.description = Some("ä".repeat(281));
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
            description: Some("ä".repeat(280)),
            ..role("reader", &[("*", Some("*"))])
        };
        assert!(check(longest).is_ok());
    }

    #[test]
    fn the_key_of_a_grant_is_its_role_and_its_group() {
        let named = |id: &str| Named::new(Level::GROUP, Id::new(id), "x");
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
        let granted = of(Membership::Sso).granted_as(&Id::new("reader#5f0c"));
        assert_eq!(
            key(RoleRef::Existing(named(granted.as_str()))),
            expected,
            "groups name roles without HQ's id"
        );
        assert_eq!(key(RoleRef::Planned("reader".to_owned())), expected);
    }

    #[test]
    fn members_are_managed_unless_single_sign_on_decides() {
        let manages = |membership| of(membership).capabilities().manages_members();
        assert!(manages(Membership::Manual) && !manages(Membership::Sso));
    }
}
