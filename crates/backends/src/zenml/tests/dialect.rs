//! What is peculiar to ZenML, without any call.

use super::{super::dialect::ZenmlDialect, *};
use rolewright_core::model::{Dialect, Fault};

fn faults(role: Role) -> Vec<Fault> {
    ZenmlDialect.check_role(role).expect_err("faults")
}

#[test]
fn a_role_that_zenml_takes_comes_back_in_normal_form() {
    let mut wanted = Role { name: "é".repeat(50), ..wish("", "project") };
    wanted.description = Some(String::new());
    let checked = ZenmlDialect.check_role(wanted.clone()).expect("no fault");
    assert_eq!(checked.description, None, "an empty description is refused, none is not");
    assert_eq!((checked.name, checked.rules), (wanted.name, wanted.rules));
    let mut wanted = wish("Rules + signs (EU)", "workspace");
    wanted.description = Some("é".repeat(256));
    assert!(ZenmlDialect.check_role(wanted).is_ok());
}

#[test]
fn all_faults_are_told_at_once() {
    let mut wanted = wish(&"x".repeat(51), "organization");
    wanted.description = Some("x".repeat(257));
    wanted.display_name = Some("X".to_owned());
    wanted.settings.insert("group".to_owned(), "x".to_owned());
    wanted.rules = rules(&[("read", "pipeline/x"), ("", "model")]);
    wanted.rules.insert(Rule { effect: Effect::Deny, action: "delete".to_owned(), resource: None });
    wanted.rules.insert(Rule { effect: Effect::Allow, action: "create".to_owned(), resource: None });
    let faults = faults(wanted);
    let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    let expected =
        ["spec.name", "spec.description", "spec.displayName", "spec.zenml.level", "spec.zenml.group"];
    assert_eq!(fields[..5], expected);
    assert_eq!(fields[5..], ["spec.rules"; 4]);
    let said: String = faults.into_iter().map(|fault| fault.message).collect();
    for part in [
        "51 characters",
        "257 characters",
        "lets nobody make roles of the organization",
        "pipeline/x",
        "cannot be denied",
        "such as [pipeline]",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
}

#[test]
fn a_role_without_a_level_a_name_or_rules_is_told_what_is_missing() {
    let mut wanted = wish("", "workspace");
    wanted.settings.clear();
    wanted.rules.clear();
    let fields: Vec<String> = faults(wanted).into_iter().map(|fault| fault.field).collect();
    assert_eq!(fields, ["spec.name", "spec.zenml.level", "spec.rules"]);
}

#[test]
fn a_role_is_held_at_its_own_level_and_nowhere_else() {
    let scopes = [("organization", None), ("workspace", Some("workspace")), ("project", Some("project"))];
    for (level, _) in &scopes {
        for (here, scope) in &scopes {
            let checked = ZenmlDialect.check_scope(&wish("r", level), *scope);
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
fn roles_are_told_apart_by_level_and_name_and_found_by_the_scope_of_their_binding() {
    let key = |level: &str| ZenmlDialect.key(&Body::Role(wish("reader", level)));
    assert_ne!(key("workspace"), key("project"));
    assert_eq!(ZenmlDialect.role_key("reader", in_production().as_ref()), key("workspace"));
    assert_eq!(ZenmlDialect.role_key("reader", in_churn().as_ref()), key("project"));
    assert_eq!(ZenmlDialect.role_key("reader", None), key("organization"));
    assert!(!ZenmlDialect.refuses_duplicates(Kind::Role) && ZenmlDialect.refuses_duplicates(Kind::Grant));
}

#[test]
fn a_grant_is_known_by_role_principal_and_scope_and_proven_by_itself() {
    let key = |body: &Body| ZenmlDialect.key(body);
    let one = grant(READER, &alice(), in_production());
    assert_eq!(key(&one).get("subject"), Some(alice().as_str()));
    assert_eq!(key(&one).place(), Some(Id::new(alice_reads())));
    assert_eq!(ZenmlDialect.asked_for(Kind::Grant, &key(&one), None), Some(Id::new(alice_reads())));
    let others = [
        grant(TRAINER, &alice(), in_production()),
        grant(READER, &format!("user:{BOB}"), in_production()),
        grant(READER, &alice(), in_churn()),
        grant(READER, &alice(), None),
    ];
    for other in &others {
        assert_ne!(key(other), key(&one));
    }
    let asked = ZenmlDialect.asked_for(Kind::Role, &key(&Body::Role(wish("reader", "workspace"))), None);
    assert_eq!(asked, Some(Id::new("role:workspace:reader")));
}

#[test]
fn ids_are_uuids_that_say_so_and_service_accounts_are_users() {
    let id_of = |level: &str, text: &str| ZenmlDialect.id_of(level, text).map(|id| id.to_string());
    let given = format!("id:{ALICE}");
    assert_eq!(id_of("user", &given), Some(alice()));
    assert_eq!(id_of("serviceAccount", &given), Some(alice()));
    assert_eq!(id_of("user", &alice()), Some(alice()));
    assert_eq!(id_of("serviceAccount", &alice()), Some(alice()));
    assert_eq!(id_of("team", &alice()), None);
    assert_eq!(id_of("team", &format!("id:{ML}")), Some(format!("team:{ML}")));
    assert_eq!(id_of("workspace", &format!("id:{PRODUCTION}")), Some(format!("workspace:{PRODUCTION}")));
    assert_eq!(id_of("project", &format!("id:{CHURN}")), None, "it is looked up inside its workspace");
    let project = format!("project:{PRODUCTION}:{CHURN}");
    assert_eq!(id_of("project", &project), Some(project.clone()));
    for text in [
        "alice",
        "alice@example.com",
        "id:alice",
        ALICE,
        "organization",
        &format!("invitation:{INVITED}:a@example.com"),
    ] {
        assert_eq!(id_of("user", text), None, "{text}");
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
        assert_eq!(ZenmlDialect.level_of(&Id::new(&id)), level, "{id}");
    }
}

#[test]
fn an_external_role_is_named_by_its_uuid() {
    let role = |id: &str| RoleRef::Existing(named("role", id, "x"));
    assert!(ZenmlDialect.check_grantable(&role(VIEWER)).is_ok());
    assert!(ZenmlDialect.check_grantable(&RoleRef::Planned("reader".to_owned())).is_ok());
    let fault = ZenmlDialect.check_grantable(&role("Workspace Viewer")).expect_err("a fault");
    assert_eq!(fault.field, "spec.roleRef.external.id");
}
