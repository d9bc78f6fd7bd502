//! ZenML servers that differ: answers to what the contract leaves open.

use rolewright_simulators::{
    kit::log::Entry,
    zenml::{
        ADMIN, Grant, Options, Principal, Switches, Tenant, ZenMl,
        roles::Level,
        switches::{
            ClientSystemManaged, ForbiddenLists, LastRole, ListOrder, MemberEntries, PermissionForm,
            PermissionsShown, RoleDeletion, UnauthorizedForm,
        },
    },
};
use serde_json::json;

use super::main_job::client_backend;
use crate::support::{
    ADMIN_CREDENTIAL, Account, World,
    servers::servers,
    subject_status,
    zenml::{SUBJECTS, binding, external, role, verified_status},
};

const OBJECTS: [(&str, &str); 5] = [
    ("Role", "reader"),
    ("Role", "trainer"),
    ("RoleBinding", "readers"),
    ("RoleBinding", "trainers"),
    ("RoleBinding", "viewers"),
];

servers! {
    // The lifecycle sets `sessions_since` on every server. Without `project_paths`, it could not delete a project role.
    ZenMl, elsewhere: ["sessions_since", "project_paths"];

    server_with_other_forms_and_orders_is_supported: |it| {
        it.permission_form = PermissionForm::Pairs;
        it.permissions_shown = PermissionsShown::Always;
        it.update_requires_permissions = true;
        it.null_clears = true;
        it.unique_role_names = true;
        it.name_filter_takes_parts = true;
        it.list_order = ListOrder::Shuffled;
        it.shuffle_seed = 41;
        it.more_lists_paged = true;
        it.member_entries = MemberEntries::ServiceAccountsApart;
        it.unauthorized_form = UnauthorizedForm::Exception;
    } => lifecycle;

    server_that_answers_only_what_is_requested_is_supported: |it| {
        it.unscoped_lists_all = false;
        it.missing_scope_status = 200;
        it.role_deletion = RoleDeletion::Refuse;
        it.permissions_shown = PermissionsShown::OnSingleRoles;
        it.repeated_assignment_status = 200;
        it.missing_removal_status = 200;
        it.value_error_status = 422;
        it.list_order = ListOrder::NewestFirst;
        it.member_only_by_default = true;
    } => lifecycle;

    server_that_allows_more_is_supported: |it| {
        it.custom_organization_roles = true;
        it.client_system_managed = ClientSystemManaged::Store;
        it.system_roles_editable = true;
        it.permission_validation = false;
        it.extra_resources = ["rocket".to_owned()].into();
        it.extra_actions = ["launch".to_owned()].into();
        it.custom_role_limit = Some(100);
        it.roles_for_non_members = true;
        it.service_accounts_in_users = true;
        it.all_users_listed = false;
        it.inactive_users_pass_checks = false;
        it.membership_accepts_invitations = true;
    } => lifecycle;

    server_that_hides_and_protects_more_is_supported: |it| {
        it.raw_keys_as_bearer = false;
        it.audience = Some("cloud".to_owned());
        it.hidden_status = 404;
        it.forbidden_lists = ForbiddenLists::Own;
        it.last_role = LastRole::OfTheOrganization;
        it.last_role_protects_teams = true;
        it.roleless_service_accounts_listed = false;
        it.invitations_are_principals = false;
    } => lifecycle;

    server_that_ends_sessions_early_is_supported: |it| {
        it.session_seconds = 7200;
        it.session_ends_after_ms = Some(400);
    } => lifecycle;
}

/// Waits for the last writes, and asserts that nothing more is written.
async fn assert_steady(world: &World<ZenMl>) {
    world.full_sweep().await;
    for name in ["reader", "trainer"] {
        world.verified(name).await;
    }
    world.assert_steady().await;
}

/// Roles and bindings of all levels are created, corrected, changed and deleted.
async fn lifecycle(switches: fn(&mut Switches)) {
    let world = World::zenml_with("zenml-servers", switches).await;
    if world.sim.edit(|tenant| tenant.switches.permission_form) == PermissionForm::Pairs {
        set_form(&world, "Pairs").await;
    }
    let before = world.access();
    let churn = world.project_id("production", "churn");
    let in_churn = json!({ "scope": { "workspace": "production", "project": format!("id:{churn}") } });
    let bob = ("User", "bob@example.com");
    let viewer = json!({ "name": "Organization Viewer" });
    world
        .apply_all(&[
            role("reader", json!({ "description": "Reads" })),
            role("trainer", json!({ "zenml": { "level": "Project" } })),
            binding("readers", "reader", &SUBJECTS, json!({})),
            binding("trainers", "trainer", &SUBJECTS[..2], in_churn),
            external("viewers", viewer, &[bob], json!({ "scope": null })),
        ])
        .await;
    let (production, sre) = (Some(world.workspace_id("production")), world.team("sre"));
    let reader = world.role_id(Level::Workspace, "reader").unwrap();
    let trainer = world.role_id(Level::Project, "trainer").unwrap();
    let grants = |principals: &[Principal], project| {
        let mut all: Vec<_> = principals.iter().map(|who| (*who, production, project)).collect();
        all.sort_unstable();
        all
    };
    let trainers = grants(&[world.user("alice"), world.service_account("nightly-training")], Some(churn));
    assert_eq!(world.grants_of(reader), grants(&world.all_subjects(), None));
    assert_eq!(world.grants_of(trainer), trainers);
    assert_steady(&world).await;

    // Drift.
    world.sim.edit(|tenant| {
        tenant.assignments.retain(|row| row.role_id != trainer);
        tenant.roles.get_mut(reader).unwrap().name = Some("renamed".to_owned());
    });
    world.event("trainers", "DriftCorrected").await;
    world.event("reader", "DriftCorrected").await;
    world.all_ready(&OBJECTS).await;
    assert_eq!(world.grants_of(trainer), trainers);
    assert_eq!(world.role_id(Level::Workspace, "reader"), Some(reader));

    // A changed spec.
    let rules = json!([{ "actions": ["read", "create"], "resources": ["model"] }]);
    world.apply(role("reader", json!({ "description": "Writes", "rules": rules }))).await;
    world.apply(binding("readers", "reader", &[SUBJECTS[2], bob], json!({}))).await;
    world.all_ready(&OBJECTS).await;
    assert_eq!(world.permissions_of(reader), json!({ "model": ["create", "read"] }));
    assert_eq!(world.grants_of(reader), grants(&[sre, world.user("bob")], None));
    world.sim.end_sessions();
    assert_steady(&world).await;

    world.delete_all(&OBJECTS).await;
    assert_eq!(world.access(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn role_is_in_sync_whether_or_not_permissions_are_shown() {
    for shown in [PermissionsShown::Never, PermissionsShown::OnSingleRoles, PermissionsShown::Always] {
        let world = World::zenml_with("zenml-shown", |switches| switches.permissions_shown = shown).await;
        world.apply(role("reader", json!({}))).await;
        world.ready("Role", "reader").await;
        world.full_sweep().await;
        world.verified("reader").await;
        let status = verified_status(&world.get("Role", "reader").await);
        let expected = if shown == PermissionsShown::Always { None } else { Some("False") };
        assert_eq!(status.as_deref(), expected, "{shown:?}");
        world.assert_steady().await;
        let other = json!({ "rules": [{ "actions": ["read"], "resources": ["model"] }] });
        world.apply(role("reader", other)).await;
        world.ready("Role", "reader").await;
        let id = world.role_id(Level::Workspace, "reader").unwrap();
        assert_eq!(world.permissions_of(id), json!({ "model": ["read"] }), "{shown:?}");
        world.delete_and_wait("Role", "reader").await;
    }
}

/// The form is a setting of the Backend. Another one than the server's is refused, and nothing else is tried.
#[tokio::test(flavor = "multi_thread")]
async fn both_forms_of_permissions_are_supported() {
    for (form, word) in [(PermissionForm::Grouped, "Grouped"), (PermissionForm::Pairs, "Pairs")] {
        let world = World::zenml_with("zenml-form", |switches| switches.permission_form = form).await;
        let other = if word == "Pairs" { "Grouped" } else { "Pairs" };
        set_form(&world, other).await;
        world.apply(role("reader", json!({}))).await;
        world.reports("Role", "reader", "Invalid", &["422"]).await;
        set_form(&world, word).await;
        world.ready("Role", "reader").await;
        let other = json!({ "rules": [{ "actions": ["read", "create"], "resources": ["model"] }] });
        world.apply(role("reader", other)).await;
        world.ready("Role", "reader").await;
        let id = world.role_id(Level::Workspace, "reader").unwrap();
        assert_eq!(world.permissions_of(id), json!({ "model": ["create", "read"] }), "{form:?}");
    }
}

async fn set_form(world: &World<ZenMl>, form: &str) {
    world.patch("Backend", "zenml", json!({ "spec": { "zenml": { "permissionForm": form } } })).await;
    world.ready("Backend", "zenml").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn custom_role_of_the_organization_is_granted_or_refused() {
    for allowed in [true, false] {
        let world =
            World::zenml_with("zenml-organization-role", |it| it.custom_organization_roles = allowed).await;
        let before = world.access();
        world.apply(role("auditor", json!({ "zenml": { "level": "Organization" } }))).await;
        if !allowed {
            world.reports("Role", "auditor", "Denied", &["IllegalOperationError"]).await;
            continue;
        }
        world.apply(binding("auditors", "auditor", &SUBJECTS, json!({ "scope": null }))).await;
        world.all_ready(&[("Role", "auditor"), ("RoleBinding", "auditors")]).await;
        let id = world.role_id(Level::Organization, "auditor").unwrap();
        let expected: Vec<_> = world.all_subjects().into_iter().map(|who| (who, None, None)).collect();
        assert_eq!(world.grants_of(id), expected);
        world.apply(binding("auditors", "auditor", &SUBJECTS, json!({}))).await;
        world
            .reports("RoleBinding", "auditors", "Invalid", &["spec.scope", "role of the organization"])
            .await;
        world.delete_all(&[("RoleBinding", "auditors"), ("Role", "auditor")]).await;
        assert_eq!(world.access(), before);
    }
}

/// A cluster that is created again from Git: no status, and other uids. A Role has no annotation that could help.
#[tokio::test(flavor = "multi_thread")]
async fn objects_applied_anew_adopt_roles_with_hidden_permissions() {
    let mut world = World::zenml("zenml-anew").await;
    let objects = [
        role("reader", json!({ "description": "Reads" })),
        role("plain", json!({})),
        binding("readers", "reader", &SUBJECTS, json!({})),
    ];
    let names = [("Role", "reader"), ("Role", "plain"), ("RoleBinding", "readers")];
    world.apply_all(&objects).await;
    world.all_ready(&names).await;
    let (access, since) = (world.access(), world.log_position());
    world.restore_from_backup().await;
    world.all_ready(&names).await;
    assert_eq!(world.access(), access);
    // A second assignment is refused, which shows that it exists.
    let is_done = |it: &Entry| ZenMl::is_change(it) && it.status.is_none_or(|status| status < 400);
    assert_eq!(world.requests_since(since).iter().filter(|it| is_done(it)).count(), 0);
    let held = &world.get("Role", "reader").await.data["status"]["held"][0];
    assert_eq!(held["origin"], "Adopted");
    // A role that others created has no mark, and one that had another spec has another one.
    let id = world.role_id(Level::Workspace, "reader").unwrap();
    let mark = |tenant: &Tenant| tenant.roles.get(id).unwrap().description.clone().unwrap();
    let written = world.sim.edit(|tenant| mark(tenant));
    assert!(written.starts_with("Reads [rolewright:"), "{written}");
    for description in ["Reads", "Reads [rolewright:0123456789abcdef]"] {
        world.sim.edit(|tenant| tenant.roles.get_mut(id).unwrap().description = Some(description.to_owned()));
        world.restore_from_backup().await;
        world.reports("Role", "reader", "Conflict", &["adopt: Always"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn project_id_always_works_and_its_name_if_the_server_knows_it() {
    for paths in [false, true] {
        let world = World::zenml_with("zenml-project", |switches| switches.project_paths = paths).await;
        let churn = world.project_id("production", "churn");
        let scope = |project: &str| json!({ "scope": { "workspace": "production", "project": project } });
        world
            .apply_all(&[
                role("trainer", json!({ "zenml": { "level": "Project" } })),
                binding("by-id", "trainer", &SUBJECTS, scope(&format!("id:{churn}"))),
            ])
            .await;
        let id = world.role_id(Level::Project, "trainer").unwrap();
        let production = Some(world.workspace_id("production"));
        let grants = world.grants_of(id);
        assert_eq!(grants.len(), 3);
        for (_, workspace, project) in grants {
            assert_eq!((workspace, project), (production, Some(churn)));
        }
        world.apply(binding("by-name", "trainer", &[("User", "bob@example.com")], scope("churn"))).await;
        if paths {
            world.ready("RoleBinding", "by-name").await;
            assert_eq!(world.grants_of(id).len(), 4);
        } else {
            world.reports("RoleBinding", "by-name", "NotFound", &["id:"]).await;
        }
        world.assert_steady().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn short_and_ended_sessions_are_renewed() {
    let world = World::zenml_with("zenml-session", |switches| switches.session_seconds = 2).await;
    world.apply_all(&[role("reader", json!({})), binding("readers", "reader", &SUBJECTS, json!({}))]).await;
    world.verified("reader").await;
    world.full_sweep().await;
    let (versions, since) = (world.resource_versions().await, world.log_position());
    for _ in 0..2 {
        world.sim.end_sessions();
        world.full_sweep().await;
    }
    assert_eq!(world.resource_versions().await, versions);
    world.assert_no_writes(since);
    world.ready("Backend", "zenml").await;
    // A session token is a JWT: it begins with `eyJ`, the encoded start of its JSON header.
    let output = world.public_output().await;
    assert!(!output.contains(ADMIN_CREDENTIAL) && !output.contains("eyJ"), "a credential is in the output");
}

#[tokio::test(flavor = "multi_thread")]
async fn extra_actions_of_a_server_are_accepted() {
    let world = World::zenml_with("zenml-extra", |switches| {
        switches.extra_resources = ["rocket".to_owned()].into();
        switches.extra_actions = ["launch".to_owned()].into();
    })
    .await;
    let launch = |resource: &str| json!({ "rules": [{ "actions": ["launch"], "resources": [resource] }] });
    world.apply(role("launcher", launch("rocket"))).await;
    world.ready("Role", "launcher").await;
    world.apply(role("other", launch("boat"))).await;
    world.reports("Role", "other", "Invalid", &["Unknown permission"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn removed_description_is_cleared_if_the_server_can() {
    for clears in [true, false] {
        let world = World::zenml_with("zenml-null", |switches| {
            switches.null_clears = clears;
            switches.permissions_shown = PermissionsShown::Always;
        })
        .await;
        world.apply(role("reader", json!({ "description": "Reads" }))).await;
        world.ready("Role", "reader").await;
        world.apply(role("reader", json!({}))).await;
        if clears {
            world.ready("Role", "reader").await;
            let id = world.role_id(Level::Workspace, "reader").unwrap();
            assert_eq!(world.sim.edit(|tenant| tenant.roles.get(id).unwrap().description.clone()), None);
        } else {
            world.reports("Role", "reader", "Invalid", &["spec.description"]).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn protected_last_role_of_a_team_blocks_the_deletion() {
    let world = World::zenml_with("zenml-last-role", |it| it.last_role_protects_teams = true).await;
    world.apply_all(&[role("reader", json!({})), binding("readers", "reader", &SUBJECTS, json!({}))]).await;
    let id = world.role_id(Level::Workspace, "reader").unwrap();
    world.delete("RoleBinding", "readers").await;
    let words = &["The last role of an organization member"];
    world.reports("RoleBinding", "readers", "DeletionBlocked", words).await;
    assert_eq!(world.principals_of(id), [world.team("sre")]);
    world.patch("RoleBinding", "readers", json!({ "spec": { "deletionPolicy": "Retain" } })).await;
    world.wait_deleted("RoleBinding", "readers").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn user_outside_the_organization_is_granted_or_reported() {
    for allowed in [true, false] {
        let world = World::zenml_with("zenml-outside", |switches| {
            switches.roles_for_non_members = allowed;
            switches.last_role = LastRole::OfTheOrganization;
        })
        .await;
        let Principal::User(frank) = world.user("frank") else { unreachable!() };
        let by_id = format!("id:{frank}");
        world.apply(role("reader", json!({}))).await;
        world.apply(binding("readers", "reader", &[SUBJECTS[0], ("User", &by_id)], json!({}))).await;
        if allowed {
            world.ready("RoleBinding", "readers").await;
        } else {
            let object = world.reports("RoleBinding", "readers", "Denied", &["different organization"]).await;
            assert_eq!(subject_status(&object, &by_id).0, "Refused");
            assert_eq!(subject_status(&object, "alice@example.com").0, "Granted");
        }
        let id = world.role_id(Level::Workspace, "reader").unwrap();
        assert_eq!(world.grants_of(id).len(), 1 + usize::from(allowed));
        world.delete_and_wait("RoleBinding", "readers").await;
        assert_eq!(world.grants_of(id), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_audience_of_a_client_is_denied() {
    let options = Options::new("unused-token").switched(|it| it.audience = Some("cloud".to_owned()));
    let world: World<ZenMl> = World::unconnected("zenml-audience", options).await;
    let client_of = Some(world.workspace_id("production"));
    let grant = Grant { client_of, rights: Some(["*".to_owned()].into()), ..Grant::default() };
    world.add_credential("client", &format!("ws-1:{ADMIN_CREDENTIAL}"), grant);
    world.apply_secret(ADMIN_CREDENTIAL).await;
    world.apply(client_backend(&world, "another")).await;
    world.reports("Backend", "zenml", "Denied", &["Invalid audience"]).await;
    world.apply(client_backend(&world, "cloud")).await;
    world.ready("Backend", "zenml").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn role_granted_by_hand_in_a_project_is_not_deleted() {
    for (paths, words) in [(true, "dave@example.com"), (false, "does not show the projects")] {
        let world = World::zenml_with("zenml-project-grant", |switches| {
            switches.unscoped_lists_all = false;
            switches.project_paths = paths;
        })
        .await;
        world.apply(role("tester", json!({ "zenml": { "level": "Project" } }))).await;
        world.ready("Role", "tester").await;
        let id = world.role_id(Level::Project, "tester").unwrap();
        let (workspace, churn) = (world.workspace_id("production"), world.project_id("production", "churn"));
        world.grant_by_hand(id, world.user("dave"), Some(workspace), Some(churn));
        let access = world.access();
        world.delete("Role", "tester").await;
        world.reports("Role", "tester", "DeletionBlocked", &[words]).await;
        assert_eq!(world.access(), access);
        world.patch("Role", "tester", json!({ "spec": { "deletionPolicy": "Retain" } })).await;
        world.wait_deleted("Role", "tester").await;
        assert_eq!(world.access(), access);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn role_is_not_deleted_if_its_grants_are_hidden() {
    for lists in [ForbiddenLists::Empty, ForbiddenLists::Own] {
        let world = World::zenml_with("zenml-hidden-grants", |switches| {
            switches.forbidden_lists = lists;
            switches.hidden_status = 404;
        })
        .await;
        world.apply(role("reader", json!({}))).await;
        world.ready("Role", "reader").await;
        let id = world.role_id(Level::Workspace, "reader").unwrap();
        world.grant_by_hand(id, world.user("dave"), Some(world.workspace_id("staging")), None);
        let rights =
            ["organization:read", "role:*", "workspace:read", "member:read", "team:read", "user:read"];
        let rights = Some(rights.map(str::to_owned).into());
        world.limit_credential(ADMIN, Grant { rights, ..world.credential_grant() });
        let access = world.access();
        world.delete("Role", "reader").await;
        world.reports("Role", "reader", "DeletionBlocked", &["which other users have roles"]).await;
        assert_eq!(world.access(), access);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn binding_on_a_deleted_scope_can_be_deleted() {
    for (listed, status) in [(true, 404), (true, 200), (false, 404), (false, 200)] {
        let world = World::zenml_with("zenml-deleted", |it| it.missing_scope_status = status).await;
        let churn = world.project_id("staging", "churn");
        let in_churn = json!({ "scope": { "workspace": "staging", "project": format!("id:{churn}") } });
        world
            .apply_all(&[
                role("reader", json!({})),
                role("trainer", json!({ "zenml": { "level": "Project" } })),
                // More vanished grants would stop all writes until a user acknowledges them.
                binding("readers", "reader", &SUBJECTS[..1], json!({})),
                binding("trainers", "trainer", &SUBJECTS[..1], in_churn),
            ])
            .await;
        let (production, organization) = (world.workspace_id("production"), world.organization_id());
        world.sim.edit(|tenant| {
            tenant.delete_workspace(production, listed);
            tenant.delete_project(churn);
            // Another workspace gets the name, and no grants.
            tenant.add_workspace(organization, "production", jiff::Timestamp::now());
        });
        world.reports("RoleBinding", "readers", "Conflict", &["spec.scope.workspace"]).await;
        world.full_sweep().await;
        for (level, name) in [(Level::Workspace, "reader"), (Level::Project, "trainer")] {
            assert_eq!(world.grants_of(world.role_id(level, name).unwrap()), []);
        }
        world.delete_all(&[("RoleBinding", "readers"), ("RoleBinding", "trainers")]).await;
        world.delete_all(&[("Role", "reader"), ("Role", "trainer")]).await;
    }
}
