//! Which role, subject or assignment an object means on Grafana: global roles, given uids, numbers, and assignments that exist already.

use rolewright_simulators::grafana::{
    Grafana,
    rows::{role_assignments::UserRole, roles::Role as Row},
};
use serde_json::{Value, json};

use crate::support::{
    World,
    grafana::{SUBJECTS, binding, role},
    managed_ids, subject_status,
};

/// Adds a role by hand: a copy of a seeded one.
fn add_role(world: &World<Grafana>, uid: &str, name: &str, org_id: i64) {
    world.sim.edit(|tenant| {
        let copied: Row = tenant.roles.iter().find(|it| it.uid == "legacy-reviewer").unwrap().clone();
        let id = tenant.roles.iter().map(|it| it.id).max().unwrap() + 1000;
        let (uid, name) = (uid.to_owned(), name.to_owned());
        tenant.roles.insert(Row { id, uid, name, org_id, description: String::new(), ..copied });
    });
}

/// The uids and organizations of the roles with this name.
fn named(world: &World<Grafana>, name: &str) -> Vec<(String, i64)> {
    let mut found: Vec<(String, i64)> = world.sim.edit(|tenant| {
        tenant.roles.iter().filter(|it| it.name == name).map(|it| (it.uid.clone(), it.org_id)).collect()
    });
    found.sort();
    found
}

fn external(name: &str, reference: Value, subjects: &[(&str, &str)], more: Value) -> Value {
    let mut object = binding(name, "", subjects, more);
    object["spec"]["roleRef"] = json!({ "external": reference });
    object
}

#[tokio::test(flavor = "multi_thread")]
async fn global_role_of_the_same_name_is_another_role() {
    let world = World::grafana("grafana-global").await;
    add_role(&world, "everywhere", "auditor", 0);
    let global = named(&world, "auditor");
    world.apply(role("auditor", json!({ "adopt": "Always" }))).await;
    let own = managed_ids(&world.ready("Role", "auditor").await).remove(0);
    let both = named(&world, "auditor");
    assert!(both.len() == 2 && both.contains(&(own.clone(), 1)) && both.contains(&global[0]), "{both:?}");
    // Each has its object.
    let more = json!({ "name": "auditor", "adopt": "Always", "grafana": { "global": true } });
    world.apply(role("auditor-everywhere", more)).await;
    assert_eq!(managed_ids(&world.ready("Role", "auditor-everywhere").await), ["everywhere"]);
    world.ready("Role", "auditor").await;
    world.full_sweep().await;
    world.assert_steady().await;
    // A name that two roles have means neither.
    world.apply(external("named", json!({ "name": "auditor" }), &SUBJECTS[..1], json!({}))).await;
    world.reports("RoleBinding", "named", "Invalid", &["more than one role", "everywhere", &own]).await;
    world.apply(external("by-id", json!({ "id": "everywhere" }), &SUBJECTS[..1], json!({}))).await;
    world.ready("RoleBinding", "by-id").await;
    world.delete_all(&[("RoleBinding", "by-id"), ("Role", "auditor")]).await;
    assert_eq!(named(&world, "auditor"), global);
}

#[tokio::test(flavor = "multi_thread")]
async fn given_uid_does_not_mean_a_role_of_the_same_name() {
    let world = World::grafana("grafana-given-uid").await;
    let since = world.log_position();
    let more = json!({ "name": "Legacy reviewer", "adopt": "Always", "grafana": { "uid": "reviewer" } });
    world.apply(role("reviewer", more)).await;
    world
        .reports(
            "Role",
            "reviewer",
            "Conflict",
            &["Legacy reviewer", "legacy-reviewer", "the spec names the id reviewer"],
        )
        .await;
    world.assert_no_writes_after_sweep(since).await;
    world.delete_and_wait("Role", "reviewer").await;
    assert_eq!(named(&world, "Legacy reviewer"), [("legacy-reviewer".to_owned(), 1)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn uid_with_a_prefix_of_grafanas_roles_can_be_a_custom_role() {
    let world = World::grafana_with("grafana-uid-prefix", |it| it.reserved_uids_are_refused = false).await;
    add_role(&world, "plugins_team", "team roles", 1);
    world.apply(external("bound", json!({ "name": "team roles" }), &SUBJECTS, json!({}))).await;
    world.ready("RoleBinding", "bound").await;
    assert_eq!(world.subjects_of("team roles"), world.all_subjects());
    world.delete_and_wait("RoleBinding", "bound").await;
    let more = json!({ "name": "team roles", "adopt": "Always", "grafana": { "uid": "plugins_team" } });
    world.apply(role("team", more)).await;
    assert_eq!(managed_ids(&world.ready("Role", "team").await), ["plugins_team"]);
    world.apply(role("new", json!({ "grafana": { "uid": "managed_by_me" } }))).await;
    assert_eq!(managed_ids(&world.ready("Role", "new").await), ["managed_by_me"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn role_without_permissions_is_managed() {
    let world = World::grafana("grafana-no-permissions").await;
    world.apply(role("empty", json!({ "rules": [], "grafana": {} }))).await;
    world.ready("Role", "empty").await;
    assert_eq!(world.permissions_of("empty"), []);
    world.full_sweep().await;
    world.assert_steady().await;
    let refused = world.try_apply(role("nothing", json!({ "rules": [] }))).await.unwrap_err().to_string();
    assert!(refused.contains("rules can be empty only on Grafana"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn number_of_a_service_account_is_not_a_user() {
    let world = World::grafana("grafana-numbers").await;
    world.apply(role("reader", json!({}))).await;
    world.ready("Role", "reader").await;
    let since = world.log_position();
    let (account, alice) = (world.service_account_id("nightly-reports"), world.user_id("alice"));
    let (as_user, as_account) = (format!("id:{account}"), format!("id:{alice}"));
    let subjects = [("User", as_user.as_str()), ("ServiceAccount", as_account.as_str())];
    world.apply(binding("readers", "reader", &subjects, json!({}))).await;
    let object = world.reports("RoleBinding", "readers", "Invalid", &[]).await;
    let (state, message) = subject_status(&object, &as_user);
    assert!(state == "Refused" && message.contains("kind: ServiceAccount"), "{state} {message}");
    let (state, message) = subject_status(&object, &as_account);
    assert!(state == "Refused" && message.contains("no service account"), "{state} {message}");
    assert_eq!(world.writes_since(since), [""; 0]);
    assert_eq!(world.subjects_of("reader"), (Vec::new(), Vec::new()));
}

#[tokio::test(flavor = "multi_thread")]
async fn login_is_found_in_any_case_unless_two_differ_in_case() {
    let world = World::grafana("grafana-login").await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &[("User", "login:IVAN")], json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    let ivan = world.user_id("Ivan");
    assert_eq!(world.subjects_of("reader").0, [ivan]);
    world.full_sweep().await;
    world.assert_steady().await;
    // A server before version 11 has two.
    world.sim.edit(|tenant| {
        let (created, role) = (tenant.users.get(ivan).unwrap().created, tenant.org_users[0].role);
        tenant.add_user("ivan", "ivan2@example.com", "Another Ivan", 1, role, created);
    });
    world.full_sweep().await;
    world.apply(binding("exact", "reader", &[("User", "login:ivan")], json!({}))).await;
    world.ready("RoleBinding", "exact").await;
    let second = world.user_id("ivan");
    assert_eq!(world.subjects_of("reader").0, [ivan, second]);
    world.apply(binding("either", "reader", &[("User", "login:iVAN")], json!({}))).await;
    let words = &[format!("user:{ivan}"), format!("user:{second}")];
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    world.reports("RoleBinding", "either", "Invalid", &words).await;
}

/// A search that omits alice hides that she has the role. Grafana answers the second assignment like the first.
#[tokio::test(flavor = "multi_thread")]
async fn hidden_assignment_of_others_is_not_taken_for_a_new_one() {
    let world = World::grafana("grafana-assigned").await;
    let alice = world.user_id("alice");
    world.set_switches(|it| it.search_omits_users = [alice].into());
    world.sim.edit(|tenant| {
        let uid = tenant.role_by_name("fixed:reports:reader").unwrap();
        tenant.user_roles.push(UserRole { org_id: 1, user_id: alice, role_uid: uid, mapped: false });
    });
    world.full_sweep().await;
    let since = world.log_position();
    let fixed = json!({ "name": "fixed:reports:reader" });
    world.apply(external("never", fixed.clone(), &SUBJECTS[..1], json!({ "adopt": "Never" }))).await;
    world.reports("RoleBinding", "never", "Conflict", &["spec.adopt: Never"]).await;
    world.delete_and_wait("RoleBinding", "never").await;
    world.assert_no_writes(since);
    assert_eq!(world.subjects_of("fixed:reports:reader").0, [alice]);
    world.apply(external("adopts", fixed, &SUBJECTS[..1], json!({}))).await;
    let object = world.ready("RoleBinding", "adopts").await;
    assert_eq!(object.data["status"]["held"][0]["origin"], "Adopted");
    world.assert_no_writes(since);
}

#[tokio::test(flavor = "multi_thread")]
async fn assignments_for_all_organizations_are_not_managed() {
    let world = World::grafana("grafana-everywhere").await;
    let maintainer = json!({ "name": "fixed:organization:maintainer" });
    world
        .apply_invalid(external("maintainer", maintainer, &SUBJECTS[..1], json!({})), &["all organizations"])
        .await;
    // An assignment for all organizations looks like one of this organization.
    let alice = world.user_id("alice");
    world.sim.edit(|tenant| {
        let uid = tenant.role_by_name("fixed:reports:reader").unwrap();
        tenant.user_roles.push(UserRole { org_id: 0, user_id: alice, role_uid: uid, mapped: false });
    });
    world.full_sweep().await;
    let fixed = json!({ "name": "fixed:reports:reader" });
    world.apply(external("readers", fixed.clone(), &SUBJECTS[..1], json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.delete("RoleBinding", "readers").await;
    let words = &["all organizations", "spec.deletionPolicy: Retain"];
    world.reports("RoleBinding", "readers", "DeletionBlocked", words).await;
    let retained = external("readers", fixed, &SUBJECTS[..1], json!({ "deletionPolicy": "Retain" }));
    world.apply(retained).await;
    world.wait_deleted("RoleBinding", "readers").await;
    assert_eq!(world.subjects_of("fixed:reports:reader").0, [alice]);
}

#[tokio::test(flavor = "multi_thread")]
async fn grant_is_one_call_unless_an_existing_one_must_not_be_adopted() {
    let world = World::grafana("grafana-one-call").await;
    world.apply(role("reader", json!({}))).await;
    world.ready("Role", "reader").await;
    for (name, adopt, looks) in [("adopts", "IfIdentical", 0), ("never", "Never", 3)] {
        let since = world.log_position();
        world.apply(binding(name, "reader", &SUBJECTS, json!({ "adopt": adopt }))).await;
        world.ready("RoleBinding", name).await;
        assert_eq!(world.subjects_of("reader"), world.all_subjects());
        let requests = world.requests_since(since);
        let count = |method: &str| {
            let of_subject = |path: &str| path.ends_with("/roles") && path != "/api/access-control/roles";
            requests.iter().filter(|it| it.method == method && of_subject(&it.path)).count()
        };
        assert_eq!((count("POST"), count("GET")), (3, looks), "{adopt}");
        world.delete_and_wait("RoleBinding", name).await;
    }
}
