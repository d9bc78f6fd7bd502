//! Arize's pure part: its capabilities, its rules for roles and its natural keys (contract 2.1, 2.2, 3.1).

use super::escalation;
use super::ids::{self, DASHBOARD, ORGANIZATION, PROJECT, PROMPT, SPACE};
use rolewright_core::model::{
    Capabilities, Effect, Fault, Grant, Grants, Id, IdentityRules, Key, Level, Restrictions, Role, RoleNames,
    Rule, SpecRules, SubjectKind, SweepHints,
};

const MAX_NAME: usize = 255;
const MAX_DESCRIPTION: usize = 1000;
/// Allowed in names beside ASCII letters, digits and space (contract 2.1).
const NAME_SIGNS: &str = "-_.,()[]'\"/:\\&@#$%!?+=";

static CAPABILITIES: Capabilities = Capabilities {
    vendor: "arize",
    subjects: &[SubjectKind::User, SubjectKind::ServiceAccount],
    levels: &[ORGANIZATION, SPACE, PROJECT],
    role_names: RoleNames::Renamable,
    grants: Grants::Direct { levels: &[SPACE, PROJECT], scope_optional: false },
    restrictions: Restrictions::Objects { levels: &[PROJECT, DASHBOARD, PROMPT] },
    duplicates: &[],
};

/// Arize's rules.
pub struct ArizeDialect;

impl IdentityRules for ArizeDialect {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    /// A user has one binding on a resource, whatever its role (contract 2.2, 4.2).
    fn key_of_grant(&self, grant: &Grant) -> Key {
        let scope = grant.scope.as_ref().map_or("", |scope| scope.id.as_str());
        Key::new([("subject", grant.subject.id.as_str()), ("scope", scope)])
    }
}

impl SpecRules for ArizeDialect {
    fn check_role(&self, mut role: Role) -> Result<Role, Vec<Fault>> {
        let mut faults = Vec::new();
        faults.extend(name_fault(&role.name));
        role.description = role.description.filter(|text| !text.is_empty());
        let description = role.description.as_deref().unwrap_or_default();
        faults.extend(Fault::if_longer("spec.description", description, MAX_DESCRIPTION, "Arize"));
        if role.display_name.is_some() {
            faults.push(Fault::new(
                "spec.displayName",
                "Arize roles have no display name: leave it out, or use description",
            ));
        }
        faults.extend(role.settings.keys().map(|field| {
            Fault::new(format!("spec.arize.{field}"), "Arize roles have no such field: leave it out")
        }));
        if role.rules.is_empty() {
            faults.push(Fault::new("spec.rules", "an Arize role has at least one action"));
        }
        faults.extend(role.rules.iter().filter_map(rule_fault));
        if faults.is_empty() { Ok(role) } else { Err(faults) }
    }

    fn id_of(&self, _: Level, text: &str) -> Option<Id> {
        ids::of_text(text)
    }

    fn level_of(&self, id: &Id) -> Option<Level> {
        ids::level_of(id)
    }

    fn is_escalating(&self, rule: &Rule) -> bool {
        escalation::is_escalating(&rule.action)
    }
}

/// The lists show every managed thing.
impl SweepHints for ArizeDialect {}

fn name_fault(name: &str) -> Option<Fault> {
    let fault = |message: String| Some(Fault::new("spec.name", message));
    if let Some(sign) =
        name.chars().find(|c| !(c.is_ascii_alphanumeric() || *c == ' ' || NAME_SIGNS.contains(*c)))
    {
        return fault(format!(
            "Arize does not accept {sign:?} in the name of a role: use ASCII letters, digits, spaces and {NAME_SIGNS}"
        ));
    }
    if name.is_empty() {
        return fault("the name of a role cannot be empty".to_owned());
    }
    Fault::if_longer("spec.name", name, MAX_NAME, "Arize")
}

fn rule_fault(rule: &Rule) -> Option<Fault> {
    let fault = |message: String| Some(Fault::new("spec.rules", message));
    let action = &rule.action;
    if rule.effect == Effect::Deny {
        return fault(format!(
            "Arize roles only allow: {action:?} cannot be denied; leave it out of the role instead"
        ));
    }
    if let Some(resource) = &rule.resource {
        return fault(format!(
            "an Arize action already names its resource: leave out the resource {resource:?} of {action:?}"
        ));
    }
    if is_action(action) {
        return None;
    }
    let suggestion: String = action
        .trim()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
        .collect();
    fault(if is_action(&suggestion) {
        format!("{action:?} is not an Arize permission; did you mean {suggestion:?}?")
    } else {
        format!("{action:?} is not an Arize permission: those are spelled like PROJECT_READ")
    })
}

/// `^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$`. The server decides which of these exist, because the list grows every few weeks (contract 3.1).
fn is_action(text: &str) -> bool {
    let mut words = text.split('_');
    let upper = |word: &str| {
        !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
    };
    text.starts_with(|first: char| first.is_ascii_uppercase())
        && words.clone().count() > 1
        && words.all(upper)
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use rolewright_core::model::{Body, Named, Restriction, RoleRef};

    fn role(name: &str, actions: &[&str]) -> Role {
        let rule =
            |action: &&str| Rule { effect: Effect::Allow, action: (*action).to_owned(), resource: None };
        Role {
            name: name.to_owned(),
            display_name: None,
            description: None,
            rules: actions.iter().map(rule).collect(),
            settings: BTreeMap::new(),
            unreadable: false,
        }
    }

    fn faults(role: Role) -> Vec<Fault> {
        ArizeDialect.check_role(role).expect_err("faults")
    }

    #[test]
    fn a_valid_role_is_returned_in_normal_form() {
        let mut desired =
            role("Reports [writer] (EU) 50% #1", &["PROJECT_READ", "AI_PROVIDER_READ", "ML_MODEL2_READ"]);
        desired.description = Some(String::new());
        let checked = ArizeDialect.check_role(desired.clone()).expect("no fault");
        assert_eq!(checked.description, None);
        assert_eq!(checked.rules, desired.rules);
    }

    #[test]
    fn an_invalid_name_is_reported_with_the_wrong_character() {
        for (name, shown) in
            [("a*b", "'*'"), ("a\nb", "'\\n'"), ("größe", "'ö'"), ("a|b", "'|'"), ("a~", "'~'")]
        {
            let faults = faults(role(name, &["PROJECT_READ"]));
            assert_eq!(faults[0].field, "spec.name");
            assert!(faults[0].message.contains(shown), "{}", faults[0].message);
        }
        assert!(faults(role("", &["PROJECT_READ"]))[0].message.contains("empty"));
        assert!(faults(role(&"x".repeat(256), &["PROJECT_READ"]))[0].message.contains("256"));
        assert!(ArizeDialect.check_role(role(&"x".repeat(255), &["PROJECT_READ"])).is_ok());
    }

    #[test]
    fn a_misspelled_action_is_reported_with_the_right_one() {
        for action in ["project_read", "project:read", "Project-Read", " PROJECT_READ "] {
            let faults = faults(role("x", &[action]));
            assert_eq!(faults[0].field, "spec.rules");
            assert!(faults[0].message.contains("did you mean \"PROJECT_READ\"?"), "{}", faults[0].message);
        }
        for action in ["READ", "", "_READ", "PROJECT__READ", "PROJECT_", "1PROJECT_READ", "*"] {
            let faults = faults(role("x", &[action]));
            assert!(faults[0].message.contains("spelled like PROJECT_READ"), "{}", faults[0].message);
        }
    }

    #[test]
    fn all_faults_of_a_role_are_reported_together() {
        let mut desired = role("a*", &["project_read"]);
        desired.description = Some("x".repeat(1001));
        desired.display_name = Some("A".to_owned());
        desired.settings.insert("group".to_owned(), "x".to_owned());
        desired.rules.insert(Rule { effect: Effect::Deny, action: "SPACE_READ".to_owned(), resource: None });
        desired.rules.insert(Rule {
            effect: Effect::Allow,
            action: "SPACE_READ".to_owned(),
            resource: Some("space-1".to_owned()),
        });
        let faults = faults(desired);
        let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
        assert_eq!(
            fields,
            [
                "spec.name",
                "spec.description",
                "spec.displayName",
                "spec.arize.group",
                "spec.rules",
                "spec.rules",
                "spec.rules"
            ]
        );
        let messages: String = faults.into_iter().map(|fault| fault.message).collect();
        assert!(
            messages.contains("only allow")
                && messages.contains("space-1")
                && messages.contains("PROJECT_READ"),
            "{messages}"
        );
    }

    #[test]
    fn a_role_without_actions_is_a_fault() {
        assert_eq!(faults(Role { rules: BTreeSet::new(), ..role("x", &[]) })[0].field, "spec.rules");
    }

    #[test]
    fn the_key_of_a_grant_does_not_include_its_role() {
        let named = |level: Level, id: &str| Named::new(level, Id::new(id), id);
        let grant = |role: &str| {
            Body::Grant(Grant {
                role: RoleRef::Existing(named(Level::ROLE, role)),
                subject: named(Level::USER, "u"),
                scope: Some(named(SPACE, "s")),
            })
        };
        assert_eq!(ArizeDialect.key(&grant("a")), ArizeDialect.key(&grant("b")));
        assert_eq!(ArizeDialect.key(&grant("a")), Key::new([("subject", "u"), ("scope", "s")]));
        let restriction = Body::Restriction(Restriction::new(named(PROJECT, "p")));
        assert_eq!(ArizeDialect.key(&restriction), Key::new([("resource", "p")]));
        assert_eq!(ArizeDialect.key(&Body::Role(role("x", &[]))), Key::new([("name", "x")]));
    }
}
