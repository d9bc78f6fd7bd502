//! Arize's pure part: its rules for roles, its natural keys, what its ids tell (contract 2.1, 3, 4).

use base64::{Engine, engine::general_purpose::STANDARD};

use rolewright_core::model::{
    Body, Capabilities, Dialect, Effect, Fault, Id, Key, Kind, ROLE, Role, Rule, SubjectKind,
};

/// The levels of things that have names or restrictions.
pub const ORGANIZATION: &str = "organization";
pub const SPACE: &str = "space";
pub const PROJECT: &str = "project";
pub const DASHBOARD: &str = "dashboard";
pub const PROMPT: &str = "prompt";
pub const USER: &str = "user";
pub const SERVICE_ACCOUNT: &str = "serviceAccount";

const LONGEST_NAME: usize = 255;
const LONGEST_DESCRIPTION: usize = 1000;
/// Beside letters, digits and space (contract 2.1).
const NAME_SIGNS: &str = "-_.,()[]'\"/:\\&@#$%!?+=";

static CAPABILITIES: Capabilities = Capabilities {
    kinds: &[Kind::Role, Kind::Grant, Kind::Restriction],
    subjects: &[SubjectKind::User, SubjectKind::ServiceAccount],
    levels: &[ORGANIZATION, SPACE, PROJECT],
    grant_levels: &[SPACE, PROJECT],
    scope_optional: false,
    group_members: &[],
    restriction_levels: &[PROJECT, DASHBOARD, PROMPT],
};

/// What is peculiar to Arize.
pub struct ArizeDialect;

impl Dialect for ArizeDialect {
    fn vendor(&self) -> &'static str {
        "arize"
    }

    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn check_role(&self, mut role: Role) -> Result<Role, Vec<Fault>> {
        let mut faults = Vec::new();
        faults.extend(name_fault(&role.name));
        role.description = role.description.filter(|text| !text.is_empty());
        let description = role.description.as_deref().unwrap_or_default();
        faults.extend(Fault::if_longer("spec.description", description, LONGEST_DESCRIPTION, "Arize"));
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

    fn key(&self, body: &Body) -> Key {
        match body {
            Body::Role(role) => Key::new([("name", &role.name)]),
            // One binding for a user and a resource, whatever the role (contract 2.2).
            Body::Grant(grant) => {
                let scope = grant.scope.as_ref().map_or("", |scope| scope.id.as_str());
                Key::new([("subject", grant.subject.id.as_str()), ("scope", scope)])
            }
            Body::Restriction(restriction) => Key::new([("resource", restriction.resource.id.as_str())]),
            Body::Group(group) => Key::new([("name", &group.name)]),
        }
    }

    fn id_of(&self, _: &str, text: &str) -> Option<Id> {
        decoded(text).map(|_| Id::new(text))
    }

    fn level_of(&self, id: &Id) -> Option<&'static str> {
        let decoded = decoded(id.as_str())?;
        // Projects and organizations go by two names each (contract 4).
        match decoded.split(':').next()? {
            "AccountOrganization" | "Organization" => Some(ORGANIZATION),
            "Space" => Some(SPACE),
            "Model" | "Project" => Some(PROJECT),
            "Dashboard" => Some(DASHBOARD),
            "Prompt" => Some(PROMPT),
            "User" => Some(USER),
            "Role" => Some(ROLE),
            _ => None,
        }
    }
}

/// What an id says inside: `<Type>:<number>:<suffix>`. Padded base64 only, as the SDKs have it: an unpadded one is a name
/// (contract 4, 6.14).
fn decoded(text: &str) -> Option<String> {
    String::from_utf8(STANDARD.decode(text).ok()?).ok().filter(|decoded| decoded.contains(':'))
}

fn name_fault(name: &str) -> Option<Fault> {
    let fault = |message: String| Some(Fault::new("spec.name", message));
    if let Some(sign) =
        name.chars().find(|c| !(c.is_ascii_alphanumeric() || *c == ' ' || NAME_SIGNS.contains(*c)))
    {
        return fault(format!(
            "Arize does not take {sign:?} in a role's name: letters and digits of ASCII, spaces and {NAME_SIGNS}"
        ));
    }
    if name.is_empty() {
        return fault("a role's name cannot be empty".to_owned());
    }
    Fault::if_longer("spec.name", name, LONGEST_NAME, "Arize")
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
            "Arize actions name what they act on themselves: leave out the resource {resource:?} of {action:?}"
        ));
    }
    if is_action(action) {
        return None;
    }
    let meant: String = action
        .trim()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_uppercase() } else { '_' })
        .collect();
    fault(if is_action(&meant) {
        format!("{action:?} is not an Arize permission; did you mean {meant}?")
    } else {
        format!("{action:?} is not an Arize permission: those are spelled like PROJECT_READ")
    })
}

/// `^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$` (contract 3). Which of these exist changes every few weeks, and the server knows.
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
    use rolewright_core::model::{Grant, Named, Restriction, RoleRef};

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

    fn id(text: &str) -> Id {
        Id::new(STANDARD.encode(text))
    }

    #[test]
    fn a_role_that_arize_takes_comes_back_in_normal_form() {
        let mut wanted =
            role("Reports [writer] (EU) 50% #1", &["PROJECT_READ", "AI_PROVIDER_READ", "ML_MODEL2_READ"]);
        wanted.description = Some(String::new());
        let checked = ArizeDialect.check_role(wanted.clone()).expect("no fault");
        assert_eq!(checked.description, None);
        assert_eq!(checked.rules, wanted.rules);
    }

    #[test]
    fn a_name_is_told_which_character_offends() {
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
    fn an_action_in_another_spelling_is_told_the_right_one() {
        for action in ["project_read", "project:read", "Project-Read", " PROJECT_READ "] {
            let faults = faults(role("x", &[action]));
            assert_eq!(faults[0].field, "spec.rules");
            assert!(faults[0].message.contains("did you mean PROJECT_READ?"), "{}", faults[0].message);
        }
        for action in ["READ", "", "_READ", "PROJECT__READ", "PROJECT_", "1PROJECT_READ", "*"] {
            let faults = faults(role("x", &[action]));
            assert!(faults[0].message.contains("spelled like PROJECT_READ"), "{}", faults[0].message);
        }
    }

    #[test]
    fn all_faults_are_told_at_once() {
        let mut wanted = role("a*", &["project_read"]);
        wanted.description = Some("x".repeat(1001));
        wanted.display_name = Some("A".to_owned());
        wanted.settings.insert("group".to_owned(), "x".to_owned());
        wanted.rules.insert(Rule { effect: Effect::Deny, action: "SPACE_READ".to_owned(), resource: None });
        wanted.rules.insert(Rule {
            effect: Effect::Allow,
            action: "SPACE_READ".to_owned(),
            resource: Some("space-1".to_owned()),
        });
        let faults = faults(wanted);
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
        let said: String = faults.into_iter().map(|fault| fault.message).collect();
        assert!(
            said.contains("only allow") && said.contains("space-1") && said.contains("PROJECT_READ"),
            "{said}"
        );
    }

    #[test]
    fn a_role_without_actions_is_a_fault() {
        assert_eq!(faults(Role { rules: BTreeSet::new(), ..role("x", &[]) })[0].field, "spec.rules");
    }

    #[test]
    fn an_id_is_padded_base64_with_a_colon_inside() {
        for text in ["Um9sZToxOlY0S2E=", "VXNlcjoxMjM0NQ=="] {
            assert_eq!(ArizeDialect.id_of(USER, text), Some(Id::new(text)));
        }
        for text in [
            "",
            "Um9sZToxOlY0S2E",
            "VXNlcjoxMjM0NR==",
            "alice@example.com",
            "Project Viewer",
            "bmFtZQ==",
            "/////w==",
        ] {
            assert_eq!(ArizeDialect.id_of(USER, text), None, "{text}");
        }
    }

    #[test]
    fn an_id_tells_its_level() {
        for (text, level) in [
            ("AccountOrganization:45060:1xJ+", Some(ORGANIZATION)),
            ("Organization:1", Some(ORGANIZATION)),
            ("Space:47633:YwgK", Some(SPACE)),
            ("Model:121:aBcD", Some(PROJECT)),
            ("Project:121:aBcD", Some(PROJECT)),
            ("Dashboard:456:aBcD", Some(DASHBOARD)),
            ("Prompt:4:aBcD", Some(PROMPT)),
            ("User:12345", Some(USER)),
            ("Role:1:V4Ka", Some(ROLE)),
            ("Evaluator:1:V4Ka", None),
        ] {
            assert_eq!(ArizeDialect.level_of(&id(text)), level, "{text}");
        }
        assert_eq!(ArizeDialect.level_of(&Id::new("research")), None);
    }

    #[test]
    fn a_grant_is_the_same_grant_whatever_its_role() {
        let named =
            |level: &str, id: &str| Named { level: level.to_owned(), id: Id::new(id), name: id.to_owned() };
        let grant = |role: &str| {
            Body::Grant(Grant {
                role: RoleRef::Existing(named(ROLE, role)),
                subject: named(USER, "u"),
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
