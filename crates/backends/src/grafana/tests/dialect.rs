//! Grafana's pure part.

use super::{super::dialect::GrafanaDialect, *};
use rolewright_core::model::{Fault, IdentityRules, Key, Reach, SpecRules};

fn desired(name: &str) -> Role {
    let Body::Role(role) = role_body(name, &[("reports:read", Some("reports:*"))]) else { unreachable!() };
    Role { settings: BTreeMap::new(), ..role }
}

fn with(fields: &[(&str, &str)]) -> Role {
    let fields = fields.iter().map(|(field, value)| ((*field).to_owned(), (*value).to_owned()));
    Role { settings: fields.collect(), ..desired("writer") }
}

fn faults(role: Role) -> Vec<Fault> {
    GrafanaDialect.check_role(role).expect_err("faults")
}

fn fields(role: Role) -> Vec<String> {
    faults(role).into_iter().map(|fault| fault.field).collect()
}

#[test]
fn a_valid_role_is_returned_in_normal_form() {
    let mut role = with(&[("uid", "my_uid-1"), ("group", ""), ("hidden", "true"), ("global", "false")]);
    role.name = "custom:Bericht schreiben (EU)".to_owned();
    role.description = Some(String::new());
    role.display_name = Some(String::new());
    role.rules.insert(rule("licensing:read", Some("")));
    role.rules.insert(rule("licensing:read", None));
    let checked = GrafanaDialect.check_role(role).expect("no fault");
    assert_eq!((checked.description, checked.display_name), (None, None));
    assert_eq!(checked.rules.len(), 2, "an empty scope is none");
    let settings: Vec<&str> = checked.settings.keys().map(String::as_str).collect();
    assert_eq!(settings, ["global", "group", "hidden"], "the uid is the id, not a setting");
}

#[test]
fn initial_defaults_are_at_most_those_of_a_new_resource() {
    let is_initial = |resource: &str, whose: &str, permission: &str| {
        GrafanaDialect.is_initial_default(&Id::new(resource), whose, permission)
    };
    for resource in ["folder:sre", "dashboard:home"] {
        assert!(is_initial(resource, "Viewer", "View") && is_initial(resource, "Editor", "Edit"));
        for (whose, permission) in [("Viewer", "Edit"), ("Editor", "Admin"), ("Admin", "View"), ("", "View")]
        {
            assert!(!is_initial(resource, whose, permission), "{permission} for {whose}");
        }
    }
    assert!(
        is_initial("dataSource:loki", "Viewer", "Query") && !is_initial("dataSource:loki", "Editor", "Edit")
    );
    assert!(!is_initial("writer", "Viewer", "View"), "not a resource");
}

#[test]
fn a_reserved_name_is_a_fault() {
    for (name, description) in [
        ("fixed:reports:writer", "a fixed role"),
        ("plugins:app:reader", "a plugin's role"),
        ("basic:admin", "a basic role"),
        ("managed:users:1:permissions", "a managed role"),
        ("extsvc:x", "an external service's role"),
    ] {
        let faults = faults(desired(name));
        assert_eq!(faults[0].field, "spec.name");
        assert!(faults[0].message.contains(description), "{}", faults[0].message);
    }
    for name in ["fixed", "custom:fixed:x", "Fixed:x"] {
        assert!(GrafanaDialect.check_role(desired(name)).is_ok(), "{name}");
    }
}

#[test]
fn lengths_are_counted_in_characters() {
    let long = "é".repeat(191);
    let fits = "é".repeat(190);
    assert_eq!(fields(desired(&long)), ["spec.name"]);
    assert!(GrafanaDialect.check_role(desired(&fits)).is_ok());
    assert_eq!(fields(Role { display_name: Some(long.clone()), ..desired("x") }), ["spec.displayName"]);
    assert_eq!(fields(Role { description: Some("x".repeat(65_536)), ..desired("x") }), ["spec.description"]);
    assert_eq!(fields(with(&[("group", &long)])), ["spec.grafana.group"]);
    for long in [rule(&long, None), rule("a:b", Some(&long))] {
        assert_eq!(fields(Role { rules: BTreeSet::from([long]), ..desired("x") }), ["spec.rules"]);
    }
    assert!(GrafanaDialect.check_role(with(&[("group", &fits)])).is_ok());
}

#[test]
fn a_uid_is_short_plain_and_not_of_grafanas_roles() {
    for uid in ["", "a b", "a:b", "ä", "a.b", &"x".repeat(41), "basic_x", "extsvc_x"] {
        assert_eq!(fields(with(&[("uid", uid)])), ["spec.grafana.uid"], "{uid}");
    }
    for uid in ["a", "XvHQJq57z", "_-", &"x".repeat(40), "fixedly_x", "fixed_x", "plugins_x", "managed_x"] {
        assert!(GrafanaDialect.check_role(with(&[("uid", uid)])).is_ok(), "{uid}");
    }
}

#[test]
fn global_belongs_to_the_identity_of_a_role() {
    let checked = GrafanaDialect.check_role(desired("writer")).expect("no fault");
    assert_eq!(checked.settings["global"], "false", "absent means false");
    let key = |role: Role| GrafanaDialect.key(&Body::Role(role));
    let own = key(checked);
    assert_eq!((key(desired("writer")), &own), (own.clone(), &Key::new([("name", "writer")])));
    let global = key(with(&[("global", "true")]));
    assert_ne!(global, own);
    assert_eq!(GrafanaDialect.role_keys("writer", None), [own, global]);
}

#[test]
fn role_that_works_only_everywhere_is_not_granted() {
    let granted = |name: &str, id: &str| {
        GrafanaDialect.check_grantable(&RoleRef::Existing(named("role", id, name))).is_ok()
    };
    assert!(
        !granted("fixed:organization:maintainer", "fixed_x")
            && granted("fixed:organization:reader", "fixed_y")
    );
    // A custom role can have a uid like those of Grafana's roles. The uid of an unknown role decides.
    assert!(granted("team roles", "managed_x") && !granted("managed_x", "managed_x"));
    assert!(!granted("x", "basic_x") && !granted("x", "extsvc_x"));
}

#[test]
fn all_faults_of_a_role_are_reported_together() {
    let mut role = with(&[("uid", "a b"), ("hidden", "yes"), ("level", "x"), ("global", "")]);
    role.name = String::new();
    role.display_name = Some("x".repeat(191));
    role.rules = BTreeSet::from([rule("", None), Rule { effect: Effect::Deny, ..rule("a:b", Some("c:*")) }]);
    let expected = [
        "spec.name",
        "spec.displayName",
        "spec.grafana.uid",
        "spec.grafana.global",
        "spec.grafana.hidden",
        "spec.grafana.level",
        "spec.rules",
        "spec.rules",
    ];
    assert_eq!(fields(role), expected);
}

#[test]
fn a_uid_is_given_or_derived_from_the_owner_alone() {
    let given = GrafanaDialect.role_id(&with(&[("uid", "mine")]), "t\nns\nname").expect("an id");
    assert_eq!((given.id.as_str(), given.given), ("mine", true));
    let derived = |name: &str, owner: &str| {
        let chosen = GrafanaDialect.role_id(&desired(name), owner).expect("an id");
        assert!(!chosen.given);
        let uid = chosen.id.to_string();
        assert!(GrafanaDialect.check_role(with(&[("uid", &uid)])).is_ok(), "{uid}");
        uid
    };
    let uid = derived("a", "t\nns\nreports-writer");
    assert!(uid.starts_with("rw-reports-writer-") && uid.len() == "rw-reports-writer-".len() + 16, "{uid}");
    assert_eq!(derived("b", "t\nns\nreports-writer"), uid, "whatever the role's name");
    assert_ne!(derived("a", "t\nother\nreports-writer"), uid);
    assert_ne!(derived("a", "u\nns\nreports-writer"), uid);
    assert_eq!(derived("a", &format!("t\nns\n{}", "x.yz".repeat(80))).len(), 40);
    assert_eq!(derived("a", "t\nns\n...").len(), "rw-".len() + 16);
    assert_eq!(derived("a", "").len(), "rw-".len() + 16);
}

#[test]
fn a_role_that_cannot_be_assigned_is_a_fault() {
    let existing = |uid: &str, name: &str| RoleRef::Existing(named("role", uid, name));
    for (role, part) in [
        (existing("basic_admin", "basic:admin"), "role in the organization"),
        (existing("x", "basic:viewer"), "role in the organization"),
        (existing("basic_editor", "basic_editor"), "role in the organization"),
        (existing("x", "managed:users:1:permissions"), "permissions of the resource"),
        (existing("extsvc_x", "x"), "external service"),
        (RoleRef::Planned("basic:admin".to_owned()), "role in the organization"),
    ] {
        let fault = GrafanaDialect.check_grantable(&role).expect_err("a fault");
        assert_eq!(fault.field, "spec.roleRef");
        assert!(fault.message.contains(part), "{}", fault.message);
    }
    for role in [
        existing("fixed_x", "fixed:reports:reader"),
        existing("x", "plugins:app:reader"),
        existing("x", "custom:x"),
        RoleRef::Planned("basic".to_owned()),
    ] {
        assert!(GrafanaDialect.check_grantable(&role).is_ok(), "{role:?}");
    }
}

#[test]
fn the_key_of_a_grant_is_its_role_and_its_subject() {
    let key = Key::new([("role", "r1"), ("subject", "user:1")]);
    assert_eq!(GrafanaDialect.key(&grant("r1", "user:1")), key);
    assert_ne!(GrafanaDialect.key(&grant("r2", "user:1")), key);
    let Body::Grant(mut planned) = grant("r1", "user:1") else { unreachable!() };
    planned.role = RoleRef::Planned("writer".to_owned());
    let key = Key::new([("role", "writer"), ("subject", "user:1")]);
    assert_eq!(GrafanaDialect.key(&Body::Grant(planned)), key);
    assert_eq!(GrafanaDialect.key(&role_body("n", &[])), Key::new([("name", "n")]));
}

#[test]
fn an_id_has_a_prefix_and_a_name_does_not() {
    assert_eq!(GrafanaDialect.id_of(Level::USER, "id:12"), Some(Id::new("user:12")));
    assert_eq!(GrafanaDialect.id_of(Level::SERVICE_ACCOUNT, "id:12"), Some(Id::new("serviceAccount:12")));
    assert_eq!(GrafanaDialect.id_of(Level::TEAM, "id:3"), Some(Id::new("team:3")));
    for text in ["12", "id:", "id:x", "id:-1", "id:012", "login:12", "uid:12", "user:12", "alice@example.com"]
    {
        assert_eq!(GrafanaDialect.id_of(Level::USER, text), None, "{text}");
    }
    assert_eq!(GrafanaDialect.id_of(Level::ROLE, "id:12"), None);
    assert_eq!(GrafanaDialect.level_of(&Id::new("team:3")), Some(level("team")));
    assert_eq!(GrafanaDialect.level_of(&Id::new("rw-writer-0011")), Some(level("role")));
    assert_eq!(GrafanaDialect.level_of(&Id::new("space:3")), None);
}

#[test]
fn a_rule_reaches_the_resources_of_its_scope() {
    let reach = |action: &str, scope: Option<&str>| VENDOR.dialect.reach(&rule(action, scope));
    let one = |id: &str| vec![Reach::One(Id::new(id))];
    let [folder, dashboard, source] =
        ["folder", "dashboard", "dataSource"].map(|word| Reach::All(level(word)));
    for (action, scope, expected) in [
        ("dashboards:read", Some("folders:uid:sre"), one("folder:sre")),
        ("dashboards:read", Some("dashboards:uid:lat"), one("dashboard:lat")),
        ("datasources:query", Some("datasources:uid:prom"), one("dataSource:prom")),
        ("folders:read", Some("folders:*"), vec![folder.clone(), dashboard.clone()]),
        ("folders:read", Some("folders:uid:*"), vec![folder.clone(), dashboard.clone()]),
        ("folders.permissions:read", Some("*"), vec![folder.clone(), dashboard.clone()]),
        ("dashboards:read", Some("dashboards:*"), vec![dashboard.clone()]),
        ("datasources:query", Some("*"), vec![source.clone()]),
        ("folders:create", Some("folders:uid:general"), vec![]),
        ("folders:read", Some("folders:id:3"), vec![]),
        ("folders:read", Some("folders:uid:"), vec![]),
        ("reports:read", Some("reports:*"), vec![]),
        ("reports:read", Some("*"), vec![]),
        ("folders:create", None, vec![]),
    ] {
        assert_eq!(reach(action, scope), expected, "{action} {scope:?}");
    }
    let denied = Rule { effect: Effect::Deny, ..rule("folders:read", Some("folders:uid:sre")) };
    assert!(VENDOR.dialect.reach(&denied).is_empty());
}
