//! Names and ids in specs: unknown, ambiguous, repeated, or now the name of something else.

use kube::api::DynamicObject;
use rolewright_simulators::arize::{Id, Kind};
use serde_json::{Value, json};

use crate::support::{World, binding, condition, managed_ids, restriction, role, subject_status};

const READ: &str = "PROJECT_READ";

/// A world with the role `reader`.
async fn with_reader(name: &str) -> World {
    let world = World::new(name).await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    world
}

fn state(object: &DynamicObject, name: &str) -> String {
    subject_status(object, name).0
}

#[tokio::test(flavor = "multi_thread")]
async fn binding_that_waits_for_a_user_is_ready() {
    let world = with_reader("missing-subjects").await;
    let wait = json!({ "missingSubjects": "Wait" });
    world.apply(binding("readers", "reader", &["alice@example.com", "zoe@example.com"], wait)).await;
    let waiting = world.reports("RoleBinding", "readers", "MissingSubjects", &["zoe@example.com"]).await;
    assert_eq!(condition(&waiting, "Ready")["status"], "True");
    assert_eq!(condition(&waiting, "Stalled"), Value::Null);
    assert_eq!(
        (state(&waiting, "zoe@example.com"), &waiting.data["status"]["granted"]),
        ("NotFound".to_owned(), &json!("1/2"))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_user_leaves_others_granted_until_it_exists() {
    let world = with_reader("unknown-user").await;
    let users = ["alice@example.com", "zoe@example.com", "ann@example.com"];
    world.apply(binding("readers", "reader", &users, json!({}))).await;
    let found = world
        .reports(
            "RoleBinding",
            "readers",
            "NotFound",
            &["1 of 3", "zoe@example.com", "that the credential can see"],
        )
        .await;
    assert_eq!(users.map(|user| state(&found, user)), ["Granted", "NotFound", "Granted"]);
    assert_eq!(found.data["status"]["granted"], "2/3");
    let granted = world.roles_by_user("research");
    assert_eq!(granted.len(), 2);
    assert!(granted.contains_key(&world.user_id("ann")), "joann was granted instead of ann");
    world.add_user("zoe@example.com");
    world.ready("RoleBinding", "readers").await;
    assert_eq!(world.roles_by_user("research").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_subject_is_revoked_while_others_are_unresolved() {
    let world = with_reader("dropped").await;
    let users = |users: &[&str]| binding("readers", "reader", users, json!({}));
    world.apply(users(&["alice@example.com", "bob@example.com"])).await;
    world.ready("RoleBinding", "readers").await;
    world.sim.edit(|tenant| {
        let bob = tenant.user_by_email("bob@example.com").unwrap();
        tenant.users.get_mut(bob).unwrap().email = "robert@example.com".to_owned();
    });
    let found = world.reports("RoleBinding", "readers", "NotFound", &["bob@example.com"]).await;
    assert_eq!(state(&found, "alice@example.com"), "Granted");
    world.apply(users(&["bob@example.com"])).await;
    world.until_account("alice is revoked", |tenant| tenant.role_bindings.len() == 2).await;
    world.reports("RoleBinding", "readers", "NotFound", &["bob@example.com"]).await;
    assert!(!world.roles_by_user("research").contains_key(&world.user_id("alice")));
    assert_eq!(world.roles_by_user("research").len(), 1, "bob keeps the role");
    // The same while the scope cannot be resolved.
    world.apply(users(&["carol@example.com", "dave@example.com"])).await;
    world.ready("RoleBinding", "readers").await;
    let nowhere = json!({ "scope": { "space": "laboratory" } });
    world.apply(binding("readers", "reader", &["dave@example.com"], nowhere)).await;
    world.reports("RoleBinding", "readers", "NotFound", &["laboratory"]).await;
    let dave = world.user_id("dave");
    world.until_account("carol is revoked", |tenant| tenant.role_bindings.len() == 2).await;
    assert!(world.roles_by_user("research").contains_key(&dave), "dave keeps the role");
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_names_are_reported_until_they_exist() {
    let world = with_reader("unknown-names").await;
    let user = &["alice@example.com"];
    let project = json!({ "scope": { "space": "research", "project": "churn-v3" } });
    world.apply(binding("project", "reader", user, project)).await;
    world.apply(binding("space", "reader", user, json!({ "scope": { "space": "laboratory" } }))).await;
    let external = json!({ "roleRef": { "external": { "name": "Project Watcher" } } });
    world.apply(binding("external", "", user, external)).await;
    world.apply(binding("waiting", "writer", &["bob@example.com"], json!({}))).await;
    world.apply(restriction("restricted", "churn-v3", json!({}))).await;
    world
        .reports("RoleBinding", "project", "NotFound", &["spec.scope.project", "churn-v3", "research"])
        .await;
    world.reports("RoleBinding", "space", "NotFound", &["spec.scope.space", "laboratory"]).await;
    world
        .reports("RoleBinding", "external", "NotFound", &["spec.roleRef.external.name", "Project Watcher"])
        .await;
    world.reports("RoleBinding", "waiting", "DependencyNotReady", &["Role writer"]).await;
    world
        .reports("ResourceRestriction", "restricted", "NotFound", &["spec.resource.project", "churn-v3"])
        .await;
    assert!(world.roles_by_user("research").is_empty());
    world.sim.edit(|tenant| {
        let space = tenant.space_by_name("research").unwrap();
        let old = tenant.project_by_name(space, "churn-v2").unwrap();
        tenant.projects.get_mut(old).unwrap().name = "churn-v3".to_owned();
        let space = tenant.space_by_name("storefront").unwrap();
        tenant.spaces.get_mut(space).unwrap().name = "laboratory".to_owned();
        let role = tenant.role_by_name("Legacy reviewer").unwrap();
        tenant.roles.get_mut(role).unwrap().name = "Project Watcher".to_owned();
    });
    world.apply(role("writer", &["PROJECT_UPDATE"], json!({}))).await;
    for name in ["project", "space", "external", "waiting"] {
        world.ready("RoleBinding", name).await;
    }
    world.ready("ResourceRestriction", "restricted").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ambiguous_space_needs_its_organization_or_id() {
    let world = with_reader("ambiguous").await;
    let user = &["alice@example.com"];
    world.apply(binding("some", "reader", user, json!({ "scope": { "space": "sandbox" } }))).await;
    world
        .reports(
            "RoleBinding",
            "some",
            "Invalid",
            &["2 spaces are named \"sandbox\"", "name the thing that contains it"],
        )
        .await;
    let ids: Vec<_> = world.sim.edit(|tenant| {
        tenant.spaces.iter().filter(|space| space.name == "sandbox").map(|space| space.id).collect()
    });
    let named = json!({ "scope": { "organization": "Platform", "space": "sandbox" } });
    world.apply(binding("some", "reader", user, named)).await;
    world.ready("RoleBinding", "some").await;
    world.apply(binding("other", "reader", user, json!({ "scope": { "id": ids[0].to_string() } }))).await;
    world.ready("RoleBinding", "other").await;
    world.sim.edit(|tenant| {
        let bound = |id| tenant.role_bindings.iter().filter(|one| one.resource_id == id).count();
        assert_eq!((bound(ids[0]), bound(ids[1])), (1, 1));
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn ids_work_like_names() {
    let world = with_reader("ids").await;
    let (user, bot, space, project, viewer) = world.sim.edit(|tenant| {
        let space = tenant.space_by_name("research").unwrap();
        let bot = tenant.user_by_email("nightly-evaluation@bots.invalid").unwrap();
        let project = tenant.project_by_name(space, "churn").unwrap();
        let viewer = tenant.role_by_name("Project Viewer").unwrap();
        (tenant.user_by_email("carol@example.com").unwrap(), bot, space, project, viewer)
    });
    let external = json!({ "external": { "id": viewer.to_string() } });
    let more = json!({ "roleRef": external, "scope": { "id": project.to_string() } });
    world.apply(binding("by-id", "", &[&user.to_string()], more)).await;
    world.ready("RoleBinding", "by-id").await;
    let subjects = json!([
        { "kind": "User", "name": "CAROL@Example.COM" },
        { "kind": "ServiceAccount", "name": "nightly-evaluation" },
    ]);
    let more = json!({ "subjects": subjects, "scope": { "space": space.to_string() } });
    world.apply(binding("by-name", "reader", &[], more)).await;
    let found = world.ready("RoleBinding", "by-name").await;
    assert_eq!(state(&found, "nightly-evaluation"), "Granted");
    let reader = world.role_id("reader").unwrap();
    let granted = world.roles_by_user("research");
    assert_eq!((granted.get(&user), granted.get(&bot)), (Some(&reader), Some(&reader)));
    world.sim.edit(|tenant| {
        let bindings = tenant.role_bindings.iter().filter(|one| one.resource_id == project);
        assert_eq!(bindings.map(|one| (one.user_id, one.role_id)).collect::<Vec<_>>(), [(user, viewer)]);
    });
    let resource = json!({ "resource": { "id": project.to_string() } });
    world.apply(restriction("by-id", "", resource)).await;
    world.ready("ResourceRestriction", "by-id").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_user_id_is_refused_by_the_account() {
    let world = with_reader("unknown-id").await;
    let nobody = Id::issue(Kind::User, 999).to_string();
    world.apply(binding("readers", "reader", &[&nobody, "alice@example.com"], json!({}))).await;
    let found = world.reports("RoleBinding", "readers", "NotFound", &["not in this account"]).await;
    assert_eq!(state(&found, "alice@example.com"), "Granted");
    assert_eq!(state(&found, &nobody), "Refused");
    world.delete_and_wait("RoleBinding", "readers").await;
    assert!(world.roles_by_user("research").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn address_that_moved_to_another_user_is_a_conflict() {
    let world = with_reader("moved-address").await;
    world.apply(binding("readers", "reader", &["alice@example.com", "bob@example.com"], json!({}))).await;
    let before = managed_ids(&world.ready("RoleBinding", "readers").await);
    let granted = world.roles_by_user("research");
    let alice = world.user_id("alice");
    world.sim.edit(|tenant| tenant.users.get_mut(alice).unwrap().email = "old@example.com".to_owned());
    world.add_user("alice@example.com");
    let words = ["alice@example.com", "now refers to", "nothing was changed"];
    let found = world.reports("RoleBinding", "readers", "Conflict", &words).await;
    assert_eq!(state(&found, "alice@example.com"), "Conflict");
    assert_eq!(state(&found, "bob@example.com"), "Granted");
    world.full_sweep().await;
    assert_eq!(world.roles_by_user("research"), granted);
    assert_eq!(managed_ids(&world.get("RoleBinding", "readers").await), before);
    // The remedy in the message works.
    world.apply(binding("readers", "reader", &["bob@example.com"], json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.apply(binding("readers", "reader", &["alice@example.com", "bob@example.com"], json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    let now = world.roles_by_user("research");
    assert!(now.contains_key(&world.user_id("alice")) && !now.contains_key(&alice));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_names_of_one_user_are_granted_once() {
    let world = with_reader("twice").await;
    let id = world.user_id("alice").to_string();
    let users = ["alice@example.com", "Alice@example.com", &id, "bob@example.com"];
    world.apply(binding("readers", "reader", &users, json!({}))).await;
    let found = world
        .reports("RoleBinding", "readers", "Invalid", &["2 of 4", "the same account", "list it once"])
        .await;
    assert_eq!(state(&found, "bob@example.com"), "Granted");
    assert_eq!(world.roles_by_user("research").len(), 2);
    world.apply(binding("readers", "reader", &["bob@example.com", &id], json!({}))).await;
    let since = world.log_position();
    world.ready("RoleBinding", "readers").await;
    world.assert_no_writes(since);
    assert_eq!(world.roles_by_user("research").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn role_renamed_by_hand_is_renamed_back() {
    let world = with_reader("renamed").await;
    world.apply(binding("readers", "reader", &["alice@example.com"], json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    let before = managed_ids(&world.get("Role", "reader").await);
    let since = world.log_position();
    world.sim.edit(|tenant| {
        let id = tenant.role_by_name("reader").unwrap();
        tenant.roles.get_mut(id).unwrap().name = "renamed".to_owned();
    });
    world.event("reader", "DriftCorrected").await;
    world.full_sweep().await;
    assert_eq!(managed_ids(&world.ready("Role", "reader").await), before);
    assert_eq!(world.writes_since(since), [format!("PATCH /v2/roles/{}", before[0])]);
    assert_eq!((world.count_roles("reader"), world.count_roles("renamed")), (1, 0));
    world.ready("RoleBinding", "readers").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_name_and_description_are_one_patch() {
    let world = World::new("rename").await;
    world.apply(role("reader", &[READ], json!({ "description": "Reads" }))).await;
    world.apply(binding("readers", "reader", &["alice@example.com"], json!({}))).await;
    let before = managed_ids(&world.ready("Role", "reader").await);
    world.ready("RoleBinding", "readers").await;
    let since = world.log_position();
    world.apply(role("reader", &[READ], json!({ "name": "Readers of projects" }))).await;
    assert_eq!(managed_ids(&world.ready("Role", "reader").await), before);
    world.full_sweep().await;
    world.ready("RoleBinding", "readers").await;
    assert_eq!(world.writes_since(since), [format!("PATCH /v2/roles/{}", before[0])]);
    world.sim.edit(|tenant| {
        let role = tenant.roles.get(tenant.role_by_name("Readers of projects").unwrap()).unwrap();
        assert_eq!(role.description, None);
        assert_eq!(role.permissions, [READ]);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn name_of_another_role_is_a_conflict() {
    let world = with_reader("name-taken").await;
    let access = world.access();
    world.apply(role("reader", &[READ], json!({ "name": "Legacy reviewer" }))).await;
    world.reports("Role", "reader", "Conflict", &["Legacy reviewer", "already the name of another"]).await;
    world.apply(role("viewer", &[READ], json!({ "name": "Project Viewer" }))).await;
    world
        .reports("Role", "viewer", "Invalid", &["Project Viewer", "predefined", "choose another name"])
        .await;
    world.full_sweep().await;
    assert_eq!(world.access(), access);
}

#[tokio::test(flavor = "multi_thread")]
async fn binding_to_a_role_of_another_backend_is_invalid() {
    let world = World::new("other-backend").await;
    world.apply(role("theirs", &[READ], json!({ "backendRef": { "name": "other" } }))).await;
    let readers = binding("readers", "theirs", &["alice@example.com"], json!({}));
    world.apply_invalid(readers, &["spec.roleRef.name", "Backend other", "Backend arize"]).await;
    world.assert_no_writes_after_sweep(0).await;
}
