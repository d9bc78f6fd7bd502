//! ZenML's pure part.

use super::{super::dialect::ZenmlDialect, *};
use rolewright_core::model::{Fault, IdentityRules, SpecRules, SweepHints};

fn faults(role: Role) -> Vec<Fault> {
    ZenmlDialect.check_role(role).expect_err("faults")
}

#[test]
fn a_valid_role_is_returned_in_normal_form() {
    let mut desired = Role { name: "é".repeat(50), ..desired_role("", "project") };
    desired.description = Some(String::new());
    let checked = ZenmlDialect.check_role(desired.clone()).expect("no fault");
    assert_eq!(checked.description, None, "the server refuses an empty description, but not a missing one");
    let copied = Some("Reads [rolewright:0123456789abcdef]".to_owned());
    let copied = ZenmlDialect.check_role(Role { description: copied, ..desired.clone() }).expect("no fault");
    assert_eq!(copied.description.as_deref(), Some("Reads"), "a copied mark is no part of the description");
    assert_eq!((checked.name, checked.rules), (desired.name, desired.rules));
    let mut desired = desired_role("Rules + signs (EU)", "workspace");
    desired.description = Some("é".repeat(226));
    assert!(ZenmlDialect.check_role(desired).is_ok());
}

#[test]
fn all_faults_are_reported_at_once() {
    let mut desired = desired_role(&"x".repeat(51), "planet");
    desired.description = Some("x".repeat(257));
    desired.display_name = Some("X".to_owned());
    desired.settings.insert("group".to_owned(), "x".to_owned());
    desired.rules = rules(&[("read", "pipeline/x"), ("", "model")]);
    desired.rules.insert(Rule { effect: Effect::Deny, action: "delete".to_owned(), resource: None });
    desired.rules.insert(Rule { effect: Effect::Allow, action: "create".to_owned(), resource: None });
    let faults = faults(desired);
    let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    let expected =
        ["spec.name", "spec.description", "spec.displayName", "spec.zenml.level", "spec.zenml.group"];
    assert_eq!(fields[..5], expected);
    assert_eq!(fields[5..], ["spec.rules"; 4]);
    let messages: String = faults.into_iter().map(|fault| fault.message).collect();
    for part in [
        "51 characters",
        "257 characters",
        "{level: Organization}",
        "pipeline/x",
        "cannot be denied",
        "such as [pipeline]",
    ] {
        assert!(messages.contains(part), "{part}: {messages}");
    }
}

#[test]
fn a_role_has_a_name_a_level_and_rules() {
    let mut desired = desired_role("", "workspace");
    desired.settings.clear();
    desired.rules.clear();
    let fields: Vec<String> = faults(desired).into_iter().map(|fault| fault.field).collect();
    assert_eq!(fields, ["spec.name", "spec.zenml.level", "spec.rules"]);
}

#[test]
fn a_role_is_assigned_only_at_its_own_level() {
    let scopes = [("organization", None), ("workspace", Some("workspace")), ("project", Some("project"))];
    for (level, _) in &scopes {
        for (here, scope) in &scopes {
            let checked = ZenmlDialect.check_scope(&desired_role("r", level), scope.map(super::level));
            assert_eq!(checked.is_ok(), level == here, "{level} in {here}");
            if let Err(fault) = checked {
                assert_eq!(fault.field, "spec.scope");
                assert!(
                    fault.message.contains(&format!(
                        "role of {}",
                        if *level == "organization" {
                            "the organization".to_owned()
                        } else {
                            format!("{level}s")
                        }
                    )),
                    "{}",
                    fault.message
                );
            }
        }
    }
}

#[test]
fn the_key_of_a_role_is_its_level_and_name() {
    let key = |level: &str| ZenmlDialect.key(&Body::Role(desired_role("reader", level)));
    assert_ne!(key("workspace"), key("project"));
    assert_eq!(ZenmlDialect.role_key("reader", in_production().as_ref()), key("workspace"));
    assert_eq!(ZenmlDialect.role_key("reader", in_churn().as_ref()), key("project"));
    assert_eq!(ZenmlDialect.role_key("reader", None), key("organization"));
    let refuses = |kind| ZenmlDialect.capabilities().refuses_duplicates(kind);
    assert!(!refuses(Kind::Role) && refuses(Kind::Grant));
}

#[test]
fn the_key_of_a_grant_is_its_role_scope_and_principal() {
    let key = |body: &Body| ZenmlDialect.key(body);
    let one = grant(READER, &alice(), in_production());
    assert_eq!(key(&one).get("subject"), Some(alice().as_str()));
    assert_eq!(key(&one).place(), Some(Id::new(alice_as_reader())));
    assert_eq!(ZenmlDialect.hint(Kind::Grant, &key(&one), None), Some(Id::new(alice_as_reader())));
    let others = [
        grant(TRAINER, &alice(), in_production()),
        grant(READER, &format!("user:{BOB}"), in_production()),
        grant(READER, &alice(), in_churn()),
        grant(READER, &alice(), None),
    ];
    for other in &others {
        assert_ne!(key(other), key(&one));
    }
}

#[test]
fn an_id_in_a_spec_has_a_prefix() {
    let id_of = |level: Level, text: &str| ZenmlDialect.id_of(level, text).map(|id| id.to_string());
    let written = format!("id:{ALICE}");
    assert_eq!(id_of(Level::USER, &written), Some(alice()));
    assert_eq!(id_of(Level::SERVICE_ACCOUNT, &written), Some(alice()));
    assert_eq!(id_of(Level::USER, &alice()), Some(alice()));
    assert_eq!(id_of(Level::SERVICE_ACCOUNT, &alice()), Some(alice()));
    assert_eq!(id_of(Level::TEAM, &alice()), None);
    assert_eq!(id_of(Level::TEAM, &format!("id:{ML}")), Some(format!("team:{ML}")));
    assert_eq!(
        id_of(Level::new("workspace"), &format!("id:{PRODUCTION}")),
        Some(format!("workspace:{PRODUCTION}"))
    );
    assert_eq!(
        id_of(Level::new("project"), &format!("id:{CHURN}")),
        None,
        "it is looked up inside its workspace"
    );
    let project = format!("project:{PRODUCTION}:{CHURN}");
    assert_eq!(id_of(Level::new("project"), &project), Some(project.clone()));
    for text in [
        "alice",
        "alice@example.com",
        "id:alice",
        ALICE,
        "organization",
        &format!("invitation:{INVITED}:a@example.com"),
    ] {
        assert_eq!(id_of(Level::USER, text), None, "{text}");
    }
    for (id, level) in [
        (alice(), Some("user")),
        (format!("team:{ML}"), Some("team")),
        (format!("invitation:{INVITED}:dave@example.com"), Some("user")),
        (format!("workspace:{PRODUCTION}"), Some("workspace")),
        (project, Some("project")),
        (READER.to_owned(), Some("role")),
        ("organization".to_owned(), None),
        ("reader".to_owned(), None),
    ] {
        assert_eq!(ZenmlDialect.level_of(&Id::new(&id)).map(Level::as_str), level, "{id}");
    }
}

#[test]
fn an_external_role_has_a_uuid() {
    let role = |id: &str| RoleRef::Existing(named("role", id, "x"));
    assert!(ZenmlDialect.check_grantable(&role(VIEWER)).is_ok());
    assert!(ZenmlDialect.check_grantable(&RoleRef::Planned("reader".to_owned())).is_ok());
    let fault = ZenmlDialect.check_grantable(&role("Workspace Viewer")).expect_err("a fault");
    assert_eq!(fault.field, "spec.roleRef.external.id");
}
