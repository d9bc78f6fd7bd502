//! The main job on Grafana: roles and their assignments follow the objects.

use rolewright_simulators::grafana::{Grant, Options};
use serde_json::json;

use crate::support::{
    ADMIN_CREDENTIAL, World,
    grafana::{SUBJECTS, backend, binding, role},
    managed_ids, subject_status,
};

const READER: [(&str, &str); 2] = [("Role", "reader"), ("RoleBinding", "readers")];

#[tokio::test(flavor = "multi_thread")]
async fn objects_appear_in_the_account_and_are_deleted_with_yaml() {
    let world = World::grafana("grafana-main").await;
    let before = world.access();
    // The binding waits for its role.
    world.apply(binding("readers", "reader", &SUBJECTS, json!({}))).await;
    world.apply(role("reader", json!({ "displayName": "Reader", "grafana": { "group": "Reports" } }))).await;
    world.ready("Role", "reader").await;
    let readers = world.ready("RoleBinding", "readers").await;
    assert_eq!(managed_ids(&readers).len(), 3);
    assert_eq!(world.subjects_of("reader"), world.all_subjects());
    assert_eq!(world.permissions_of("reader"), [("reports:read".to_owned(), "reports:*".to_owned())]);

    world.delete_all(&READER).await;
    assert_eq!(world.access(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn uid_of_a_managed_role_is_a_conflict() {
    let world = World::grafana("grafana-uid").await;
    world.apply(role("reader", json!({}))).await;
    let uid = managed_ids(&world.ready("Role", "reader").await).remove(0);
    let since = world.log_position();
    let taking =
        json!({ "adopt": "Always", "rules": [{ "actions": ["teams:read"] }], "grafana": { "uid": uid } });
    world.apply(role("taker", taking)).await;
    world.reports("Role", "taker", "Conflict", &[&format!("Role {}/reader", world.namespace)]).await;
    world.assert_no_writes_after_sweep(since).await;
    world.ready("Role", "reader").await;
    world.delete_and_wait("Role", "taker").await;
    world.assert_no_writes(since);
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_of_permissions_is_found_by_the_version() {
    let world = World::grafana("grafana-drift").await;
    world.apply(role("reader", json!({}))).await;
    let uid = managed_ids(&world.ready("Role", "reader").await).remove(0);
    world.full_sweep().await;
    world.sim.edit(|tenant| {
        let id = tenant.roles.iter().find(|role| role.uid == uid).unwrap().id;
        let role = tenant.roles.get_mut(id).unwrap();
        role.permissions.clear();
        role.version += 1;
    });
    let note = world.event("reader", "DriftCorrected").await;
    assert!(note.contains("+ reports:read on reports:*"), "{note}");
    assert_eq!(world.permissions_of("reader"), [("reports:read".to_owned(), "reports:*".to_owned())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn permission_that_the_token_cannot_delegate_is_denied() {
    let world = World::grafana("grafana-delegation").await;
    world.apply(role("reader", json!({}))).await;
    let oncall = json!({ "rules": [{ "actions": ["grafana-oncall-app.schedules:read"] }] });
    world.apply(role("oncall", oncall)).await;
    world.ready("Role", "reader").await;
    world.reports("Role", "oncall", "Denied", &["grafana-oncall-app.schedules:read"]).await;
    world.ready("Backend", "grafana").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_action_is_reported_with_grafanas_message() {
    let world = World::grafana("grafana-unknown-action").await;
    world.apply(role("odd", json!({ "rules": [{ "actions": ["rockets:launch"] }] }))).await;
    let words = &["accesscontrol.permission-invalid-action", "rockets:launch"];
    world.reports("Role", "odd", "Invalid", words).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fixed_roles_can_be_bound_and_basic_roles_cannot() {
    let world = World::grafana("grafana-fixed").await;
    let bind = |name: &str, role: &str| {
        let mut object = binding(name, "", &SUBJECTS[..1], json!({}));
        object["spec"]["roleRef"] = json!({ "external": { "name": role } });
        object
    };
    world.apply(bind("fixed", "fixed:reports:reader")).await;
    world.ready("RoleBinding", "fixed").await;
    assert_eq!(world.subjects_of("fixed:reports:reader").0, [world.user_id("alice")]);
    world.apply(bind("basic", "basic:editor")).await;
    world.reports("RoleBinding", "basic", "Invalid", &["basic"]).await;
    for name in ["fixed:reports:reader", "basic:viewer", "plugins:x:y", "managed:users:1:permissions"] {
        let object = role("reserved", json!({ "name": name }));
        world.apply(object).await;
        world.reports("Role", "reserved", "Invalid", &[]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn subjects_are_found_by_exact_name_login_or_id() {
    let world = World::grafana("grafana-names").await;
    world.apply(role("reader", json!({}))).await;
    let sre = world.team_id("sre");
    let by_id = format!("id:{sre}");
    let subjects = [
        ("User", "ann@example.com"),
        ("User", "login:Ivan"),
        ("Team", by_id.as_str()),
        ("Team", "sre-on"),
        ("ServiceAccount", "sre"),
    ];
    world.apply(binding("readers", "reader", &subjects, json!({}))).await;
    world.reports("RoleBinding", "readers", "NotFound", &[]).await;
    let object = world.get("RoleBinding", "readers").await;
    assert_eq!(subject_status(&object, "sre-on").0, "NotFound");
    assert_eq!(subject_status(&object, "sre").0, "NotFound");
    let mut users = vec![world.user_id("ann"), world.user_id("Ivan")];
    users.sort_unstable();
    assert_eq!(world.subjects_of("reader"), (users, vec![sre]));
}

#[tokio::test(flavor = "multi_thread")]
async fn role_with_a_grant_made_by_hand_is_not_deleted() {
    let world = World::grafana("grafana-by-hand").await;
    world.apply(role("reader", json!({}))).await;
    let uid = managed_ids(&world.ready("Role", "reader").await).remove(0);
    let dave = world.user_id("dave");
    world.sim.edit(|tenant| {
        let mut by_hand = tenant.user_roles[0].clone();
        (by_hand.user_id, by_hand.role_uid) = (dave, uid);
        tenant.user_roles.push(by_hand);
    });
    world.delete("Role", "reader").await;
    world.reports("Role", "reader", "DeletionBlocked", &["dave@example.com"]).await;
    world.sim.edit(|tenant| tenant.user_roles.retain(|it| it.user_id != dave));
    world.wait_deleted("Role", "reader").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn existing_role_is_adopted_by_name_or_by_uid() {
    let world = World::grafana("grafana-adopt").await;
    let by_name = json!({
        "name": "Legacy reviewer",
        "description": "Reads what finance reports",
        "rules": [
            { "actions": ["reports:read"], "resources": ["reports:*"] },
            { "actions": ["dashboards:read"], "resources": ["folders:uid:finance"] },
        ],
        "deletionPolicy": "Retain",
    });
    world.apply(role("by-name", by_name)).await;
    assert_eq!(managed_ids(&world.ready("Role", "by-name").await), ["legacy-reviewer"]);
    world.delete_and_wait("Role", "by-name").await;

    let by_uid = json!({ "name": "Reviewer", "adopt": "Always", "grafana": { "uid": "legacy-reviewer" } });
    world.apply(role("by-uid", by_uid)).await;
    assert_eq!(managed_ids(&world.ready("Role", "by-uid").await), ["legacy-reviewer"]);
    assert_eq!(world.sim.edit(|tenant| tenant.role_by_name("Reviewer")).as_deref(), Some("legacy-reviewer"));
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_and_idle_sweeps_read_at_most_one_role_each() {
    let mut world = World::grafana("grafana-idle").await;
    let roles: Vec<_> = (0..12).map(|number| role(&format!("r{number}"), json!({}))).collect();
    world.apply_all(&roles).await;
    world.operator.kill();
    let (versions, since) = (world.resource_versions().await, world.log_position());
    world.restart();
    world.full_sweep().await;
    let requests = world.requests_since(since);
    let sweeps = requests.iter().filter(|entry| entry.path == "/api/access-control/roles").count();
    let reads = requests.iter().filter(|entry| entry.path.starts_with("/api/access-control/roles/")).count();
    assert!(reads <= sweeps, "{reads} roles were read in {sweeps} sweeps");
    assert_eq!(world.resource_versions().await, versions);
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_of_a_group_mapping_are_left_alone() {
    let world = World::grafana("grafana-mapping").await;
    // A hidden role is managed like any other.
    world.apply(role("reader", json!({ "grafana": { "hidden": true } }))).await;
    let uid = managed_ids(&world.ready("Role", "reader").await).remove(0);
    let (bob, dave) = (world.user_id("bob"), world.user_id("dave"));
    world.sim.edit(|tenant| {
        let mut mapped = tenant.user_roles[0].clone();
        (mapped.user_id, mapped.role_uid, mapped.mapped) = (dave, uid, true);
        tenant.user_roles.push(mapped);
    });
    let subjects = [("User", "bob@example.com"), ("User", "dave@example.com")];
    world.apply(binding("readers", "reader", &subjects, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.delete_and_wait("RoleBinding", "readers").await;
    let left = world.sim.edit(|tenant| {
        let rows = tenant.user_roles.iter().filter(|it| it.mapped || it.user_id == bob);
        rows.map(|it| (it.user_id, it.mapped)).collect::<Vec<_>>()
    });
    assert_eq!(left, [(dave, true)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_of_another_organization_is_denied() {
    let world = World::grafana("grafana-organization").await;
    world.ready("Backend", "grafana").await;
    let mut other = backend(&world.sim.url(), json!({}));
    other["metadata"]["name"] = json!("other");
    other["spec"]["grafana"]["orgId"] = json!(2);
    world.apply(other).await;
    world.reports("Backend", "other", "Denied", &["spec.grafana.orgId"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn password_and_path_prefix_work_in_any_organization() {
    let options = Options { prefix: "/grafana".to_owned(), ..Options::new("unused-token") };
    let world = World::unconnected("grafana-password", options).await;
    world.add_credential(
        "basic",
        &format!("admin:{ADMIN_CREDENTIAL}"),
        Grant::of_user(world.user_id("admin")),
    );
    world.apply_secret(ADMIN_CREDENTIAL).await;
    let connection = |organization: i64| {
        let block = json!({
            "url": format!("{}/grafana/", world.sim.url().trim_end_matches("/grafana")),
            "orgId": organization,
            "allowInsecure": true,
            "credentials": {
                "username": "admin",
                "passwordSecretRef": { "name": "grafana-token", "key": "token" },
            },
        });
        backend("", json!({ "grafana": block }))
    };
    world.apply(connection(2)).await;
    world.ready("Backend", "grafana").await;
    let subjects = [("User", "peggy@example.com"), ("Team", "sre")];
    world.apply_all(&[role("reader", json!({})), binding("readers", "reader", &subjects, json!({}))]).await;
    let organization =
        world.sim.edit(|tenant| tenant.roles.iter().find(|it| it.name == "reader").unwrap().org_id);
    assert_eq!(organization, 2);
    // Another organization is another account, and the objects manage things in the first.
    world.apply(connection(1)).await;
    world.reports("Backend", "grafana", "Conflict", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unsupported_fields_are_reported_by_name() {
    let world = World::grafana("grafana-invalid").await;
    let rules = json!([{ "actions": ["reports:read"], "resources": ["reports:*"], "effect": "Deny" }]);
    world.apply(role("deny", json!({ "rules": rules }))).await;
    world.reports("Role", "deny", "Invalid", &["spec.rules"]).await;
    let scope = json!({ "scope": { "space": "research" } });
    world.apply(binding("scoped", "deny", &[("Team", "sre")], scope)).await;
    world.reports("RoleBinding", "scoped", "Invalid", &["spec.scope"]).await;
    let changed = role("deny", json!({ "grafana": { "uid": "x" } }));
    let refused = world.try_apply(changed).await.unwrap_err().to_string();
    assert!(refused.contains("grafana.uid cannot be changed"), "{refused}");
    assert!(world.try_apply(role("fresh", json!({ "grafana": { "uid": "x y" } }))).await.is_err());
}
