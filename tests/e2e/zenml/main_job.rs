//! The main job on ZenML Pro: custom roles of workspaces and projects, and their assignments, follow the objects.

use rolewright_simulators::zenml::{
    ADMIN, Grant, Options, Principal, ZenMl,
    roles::Level,
    switches::{MemberEntries, PermissionsShown},
};
use serde_json::{Value, json};

use crate::support::{
    ADMIN_CREDENTIAL, World, managed_ids, subject_status,
    zenml::{SUBJECTS, backend, binding, external, role},
};

const BOB: &[(&str, &str)] = &[("User", "bob@example.com")];

/// A world in which all subjects have the role `reader`, after the last write to the Role.
async fn with_readers(name: &str) -> World<ZenMl> {
    let world = World::zenml(name).await;
    world.apply_all(&[role("reader", json!({})), binding("readers", "reader", &SUBJECTS, json!({}))]).await;
    world.verified("reader").await;
    world.full_sweep().await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn objects_appear_in_the_account_and_are_deleted_with_yaml() {
    let world = World::zenml("zenml-main").await;
    let before = world.access();
    // The binding waits for its role.
    world.apply(binding("readers", "reader", &SUBJECTS, json!({}))).await;
    world.apply(role("reader", json!({ "description": "Reads" }))).await;
    world.ready("Role", "reader").await;
    let readers = world.ready("RoleBinding", "readers").await;
    assert_eq!(managed_ids(&readers).len(), 3);
    let id = world.role_id(Level::Workspace, "reader").unwrap();
    let production = Some(world.workspace_id("production"));
    let expected: Vec<_> = world.all_subjects().into_iter().map(|who| (who, production, None)).collect();
    assert_eq!(world.grants_of(id), expected);
    assert_eq!(world.permissions_of(id), json!({ "pipeline": ["read"] }));

    world.delete_all(&[("Role", "reader"), ("RoleBinding", "readers")]).await;
    assert_eq!(world.access(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_of_a_role_is_corrected_if_permissions_are_shown() {
    let world = World::zenml_with("zenml-drift", |it| it.permissions_shown = PermissionsShown::Always).await;
    world.apply(role("reader", json!({}))).await;
    world.ready("Role", "reader").await;
    let id = world.role_id(Level::Workspace, "reader").unwrap();
    world.full_sweep().await;
    world.sim.edit(|tenant| {
        let role = tenant.roles.get_mut(id).unwrap();
        role.permissions.clear();
        role.permissions.insert("secret".to_owned(), ["delete".to_owned()].into());
        role.name = Some("renamed".to_owned());
    });
    let note = world.event("reader", "DriftCorrected").await;
    assert!(note.contains("- delete on secret") && note.contains("+ read on pipeline"), "{note}");
    world
        .until_account("the name is restored", |tenant| {
            tenant.roles.get(id).unwrap().name.as_deref() == Some("reader")
        })
        .await;
    assert_eq!(world.permissions_of(id), json!({ "pipeline": ["read"] }));
}

#[tokio::test(flavor = "multi_thread")]
async fn grants_and_roles_deleted_by_hand_are_created_again() {
    let world = World::zenml("zenml-again").await;
    world
        .apply_all(&[role("reader", json!({})), binding("readers", "reader", &SUBJECTS[..1], json!({}))])
        .await;
    world.full_sweep().await;
    let id = world.role_id(Level::Workspace, "reader").unwrap();
    let grants = world.grants_of(id);
    world.revoke_all(id);
    world.event("readers", "DriftCorrected").await;
    world.ready("RoleBinding", "readers").await;
    assert_eq!(world.grants_of(id), grants);

    world.sim.edit(|tenant| {
        tenant.assignments.retain(|row| row.role_id != id);
        tenant.roles.remove(id);
    });
    world
        .until_account("the role exists again with a grant", |tenant| {
            let new = tenant.roles.iter().find(|role| role.name.as_deref() == Some("reader"));
            new.is_some_and(|role| tenant.assignments.iter().any(|row| row.role_id == role.id))
        })
        .await;
    world.ready("Role", "reader").await;
    world.ready("RoleBinding", "readers").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn predefined_roles_are_bound_at_the_level_of_their_scope() {
    let world = World::zenml("zenml-predefined").await;
    let bind = |binding: &str, role: &str, more| external(binding, json!({ "name": role }), BOB, more);
    let no_scope = || json!({ "scope": null });
    world
        .apply_all(&[
            bind("viewer", "Workspace Viewer", json!({})),
            bind("manager", "Organization Manager", no_scope()),
        ])
        .await;
    let (production, bob) = (Some(world.workspace_id("production")), world.user("bob"));
    let viewer = world.role_id(Level::Workspace, "Workspace Viewer").unwrap();
    assert!(world.grants_of(viewer).contains(&(bob, production, None)));
    let manager = world.role_id(Level::Organization, "Organization Manager").unwrap();
    let grants = world.grants_of(manager);
    assert!(grants.contains(&(bob, None, None)), "{manager}: {grants:?} without {bob:?}");

    world.apply(role("reader", json!({}))).await;
    world.ready("Role", "reader").await;
    let since = world.log_position();
    world.apply(bind("wrong", "Project Viewer", json!({}))).await;
    world.reports("RoleBinding", "wrong", "Invalid", &["spec.scope", "role of projects"]).await;
    world.apply(bind("wrong", "Workspace Viewer", no_scope())).await;
    world.reports("RoleBinding", "wrong", "Invalid", &["role of workspaces"]).await;
    // The role cannot be granted on a project, so no project is read.
    let project = json!({ "scope": { "workspace": "production", "project": "default" } });
    world.apply(binding("deep", "reader", BOB, project)).await;
    world.reports("RoleBinding", "deep", "Invalid", &["role of workspaces"]).await;
    assert!(!world.requests_since(since).iter().any(|entry| entry.path.ends_with("/projects")));
    world.apply(role("own", json!({ "name": "Workspace Viewer", "adopt": "Always" }))).await;
    world.reports("Role", "own", "Invalid", &["a predefined role"]).await;
    world.assert_no_writes(since);
}

#[tokio::test(flavor = "multi_thread")]
async fn name_of_several_roles_is_a_conflict_and_the_id_works() {
    let world = World::zenml("zenml-twins").await;
    let before = world.access();
    world.apply(role("pipeline-runner", json!({ "adopt": "Always" }))).await;
    world.reports("Role", "pipeline-runner", "Conflict", &[]).await;
    let alice = &SUBJECTS[..1];
    world.apply(external("runners", json!({ "name": "pipeline-runner" }), alice, json!({}))).await;
    world.reports("RoleBinding", "runners", "Invalid", &["pipeline-runner"]).await;
    assert_eq!(world.access(), before);
    let id = world.role_id(Level::Workspace, "pipeline-runner").unwrap();
    world.apply(external("runners", json!({ "id": id.to_string() }), alice, json!({}))).await;
    world.ready("RoleBinding", "runners").await;
    assert_eq!(world.grants_of(id).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn existing_role_is_adopted_on_request_or_if_shown_equal() {
    let rules = json!([{ "actions": ["read"], "resources": ["model", "pipeline_run"] }]);
    let legacy = || role("legacy-reviewer", json!({ "rules": rules, "deletionPolicy": "Retain" }));
    let world = World::zenml("zenml-adopt").await;
    let id = world.role_id(Level::Workspace, "legacy-reviewer").unwrap().to_string();
    world.apply(legacy()).await;
    world.reports("Role", "legacy-reviewer", "Conflict", &["legacy-reviewer"]).await;
    let mut always = legacy();
    always["spec"]["adopt"] = json!("Always");
    world.apply(always).await;
    assert_eq!(managed_ids(&world.ready("Role", "legacy-reviewer").await), std::slice::from_ref(&id));

    let world = World::zenml_with("zenml-adopt", |it| it.permissions_shown = PermissionsShown::Always).await;
    let since = world.log_position();
    world.apply(legacy()).await;
    let ready = world.ready("Role", "legacy-reviewer").await;
    assert_eq!(managed_ids(&ready), [id]);
    world.assert_no_writes(since);
}

#[tokio::test(flavor = "multi_thread")]
async fn subjects_are_found_by_exact_name_and_others_need_an_invite() {
    for (entries, paged) in [(MemberEntries::WithRoles, false), (MemberEntries::Plain, true)] {
        let world = World::zenml_with("zenml-names", |switches| {
            (switches.member_entries, switches.more_lists_paged) = (entries, paged);
        })
        .await;
        world.apply(role("reader", json!({}))).await;
        let Principal::Team(sre) = world.team("sre") else { unreachable!() };
        let by_id = format!("id:{sre}");
        let subjects = [
            ("User", "ann@example.com"),
            ("User", "Ivan"),
            ("User", "frank@example.com"),
            ("Team", by_id.as_str()),
            ("Team", "sre-on"),
            ("ServiceAccount", "alice"),
        ];
        world.apply(binding("readers", "reader", &subjects, json!({}))).await;
        let object = world.reports("RoleBinding", "readers", "NotFound", &["invite"]).await;
        for name in ["frank@example.com", "sre-on", "alice"] {
            assert_eq!(subject_status(&object, name).0, "NotFound", "{name}");
        }
        let id = world.role_id(Level::Workspace, "reader").unwrap();
        let mut expected = [world.user("ann"), world.user("ivan"), Principal::Team(sre)];
        expected.sort_unstable();
        assert_eq!(world.principals_of(id), expected, "{entries:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn role_with_a_grant_made_by_hand_is_not_deleted() {
    for unscoped in [true, false] {
        let world = World::zenml_with("zenml-by-hand", |it| it.unscoped_lists_all = unscoped).await;
        world.apply(role("reader", json!({}))).await;
        world.ready("Role", "reader").await;
        let id = world.role_id(Level::Workspace, "reader").unwrap();
        world.grant_by_hand(id, world.user("dave"), Some(world.workspace_id("staging")), None);
        world.full_sweep().await;
        world.delete("Role", "reader").await;
        world.reports("Role", "reader", "DeletionBlocked", &["dave@example.com"]).await;
        assert!(world.role_id(Level::Workspace, "reader").is_some());
        world.revoke_all(id);
        world.request_reconcile("Role", "reader", world.log_position()).await;
        world.wait_deleted("Role", "reader").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_revocation_blocks_the_deletion_and_says_why() {
    let world = World::zenml("zenml-owner").await;
    let before = world.access();
    let erin = &[("User", "erin@example.com")];
    let admin = json!({ "name": "Organization Admin" });
    world.apply(external("owners", admin, erin, json!({ "scope": null }))).await;
    world.ready("RoleBinding", "owners").await;
    world.delete("RoleBinding", "owners").await;
    world.reports("RoleBinding", "owners", "DeletionBlocked", &["IllegalOperationError"]).await;
    assert_eq!(world.access(), before);
    world.patch("RoleBinding", "owners", json!({ "spec": { "deletionPolicy": "Retain" } })).await;
    world.wait_deleted("RoleBinding", "owners").await;
    assert_eq!(world.access(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn plan_limit_and_unknown_actions_are_reported() {
    let world = World::zenml("zenml-limits").await;
    let odd = json!({ "rules": [{ "actions": ["launch"], "resources": ["rocket"] }] });
    world.apply(role("odd", odd)).await;
    world.reports("Role", "odd", "Invalid", &["422"]).await;
    world.set_switches(|switches| switches.custom_role_limit = Some(0));
    world.apply(role("reader", json!({}))).await;
    world.reports("Role", "reader", "Denied", &["402"]).await;
    world.ready("Backend", "zenml").await;
}

/// Admission cannot check this: a Role does not name its Backend's vendor.
#[tokio::test(flavor = "multi_thread")]
async fn role_without_a_level_is_invalid() {
    let world = World::zenml("zenml-no-level").await;
    let mut no_level = role("plain", json!({}));
    no_level["spec"].as_object_mut().unwrap().remove("zenml");
    world.apply(no_level).await;
    world.reports("Role", "plain", "Invalid", &["zenml: {level: Workspace}"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn restart_and_idle_sweeps_read_each_role_and_scope_once() {
    let mut world = World::zenml("zenml-idle").await;
    for number in 0..8 {
        world.apply(role(&format!("r{number}"), json!({}))).await;
        world.apply(binding(&format!("b{number}"), &format!("r{number}"), &SUBJECTS, json!({}))).await;
    }
    for number in 0..8 {
        world.ready("RoleBinding", &format!("b{number}")).await;
        world.verified(&format!("r{number}")).await;
    }
    world.full_sweep().await;
    world.operator.kill();
    let (versions, since) = (world.resource_versions().await, world.log_position());
    world.restart();
    world.full_sweep().await;
    world.operator.kill();
    let requests = world.requests_since(since);
    let count = |end: &str| requests.iter().filter(|it| it.path.ends_with(end)).count();
    let sweeps = count("/roles");
    assert!(count("/assignments") <= sweeps * 8, "{} in {sweeps} sweeps", count("/assignments"));
    // Five lists, each with one page.
    assert!(requests.len() <= 4 + sweeps * (8 + 5), "{} requests in {sweeps} sweeps", requests.len());
    assert_eq!(count("/auth/login"), 2, "one login for the probe, one for the session");
    assert_eq!(world.resource_versions().await, versions);
    world.assert_no_writes(since);
}

#[tokio::test(flavor = "multi_thread")]
async fn expired_api_key_concerns_the_backend_and_no_object() {
    let world = with_readers("zenml-expired").await;
    let (versions, access) = (world.resource_versions().await, world.access());
    world.expire_credential();
    world.sim.end_sessions();
    world.reports("Backend", "zenml", "Denied", &[]).await;
    assert_eq!((world.resource_versions().await, world.access()), (versions.clone(), access.clone()));
    world.revive_credential();
    world.ready("Backend", "zenml").await;
    world.full_sweep().await;
    assert_eq!((world.resource_versions().await, world.access()), (versions, access));
}

#[tokio::test(flavor = "multi_thread")]
async fn oauth_client_of_a_workspace_works() {
    let world: World<ZenMl> = World::unconnected("zenml-client", Options::new("unused-token")).await;
    let rights = Some(["*".to_owned()].into());
    let client_of = Some(world.workspace_id("production"));
    let grant = Grant { client_of, rights, ..Grant::default() };
    world.add_credential("client", &format!("ws-1:{ADMIN_CREDENTIAL}"), grant);
    world.apply_secret(ADMIN_CREDENTIAL).await;
    world.apply(client_backend(&world, "cloud")).await;
    world.ready("Backend", "zenml").await;
    world.apply_all(&[role("reader", json!({})), binding("readers", "reader", &SUBJECTS, json!({}))]).await;
    let id = world.role_id(Level::Workspace, "reader").unwrap();
    assert_eq!(world.principals_of(id).len(), 3);
}

/// A Backend with the credentials of the OAuth client `ws-1`.
pub fn client_backend(world: &World<ZenMl>, audience: &str) -> Value {
    let mut object = backend(&world.sim.url(), json!({}));
    object["spec"]["zenml"]["credentials"] = json!({
        "clientId": "ws-1", "audience": audience, "clientSecretRef": { "name": "zenml-key", "key": "key" },
    });
    object
}

#[tokio::test(flavor = "multi_thread")]
async fn path_prefix_works_and_another_organization_is_a_conflict() {
    let options = Options { prefix: "/pro/api/v1".to_owned(), ..Options::new(ADMIN_CREDENTIAL) };
    let world: World<ZenMl> = World::unconnected("zenml-path", options).await;
    world.apply_secret(ADMIN_CREDENTIAL).await;
    let host = world.sim.url();
    let connection = |organization: &str| {
        let mut object = backend(&format!("{host}/pro/api/v1/"), json!({}));
        object["spec"]["zenml"]["organization"] = json!(organization);
        object
    };
    world.apply(connection("acme")).await;
    world.apply_all(&[role("reader", json!({})), binding("readers", "reader", &SUBJECTS, json!({}))]).await;
    let admin = world.credential_grant();
    let partners = world.sim.edit(|tenant| tenant.organization_by_name("partners")).unwrap();
    let both = Grant {
        organizations: Some([world.organization_id(), partners].into()),
        rights: Some(["*".to_owned()].into()),
        ..admin
    };
    world.limit_credential(ADMIN, both);
    world.apply(connection("partners")).await;
    world.reports("Backend", "zenml", "Conflict", &[]).await;
    world.apply(connection("nobody")).await;
    world
        .until("Backend", "zenml", "naming the field", |it| {
            crate::support::ready_condition(it)["message"]
                .as_str()
                .is_some_and(|text| text.contains("spec.zenml.organization"))
        })
        .await;
}
