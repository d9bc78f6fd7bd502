//! Names and ids in specs: what stands for nothing, for two things, for another than before, or for the same twice.

use kube::api::DynamicObject;
use rolewright_simulators::arize::{Kind, users::User};
use serde_json::{Value, json};

use crate::support::{World, binding, held_ids, restriction, role, subject};

const READ: &str = "PROJECT_READ";

async fn with_reader(name: &str) -> World {
    let world = World::new(name).await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    world
}

/// A user of this address joins the account.
fn join(world: &World, email: &str) {
    world.sim.edit(|tenant| {
        let like = tenant.users.iter().find(|user| user.email == "bob@example.com").unwrap().clone();
        let id = tenant.issue(Kind::User);
        tenant.users.insert(User { id, email: email.to_owned(), ..like });
    });
}

fn state(object: &DynamicObject, name: &str) -> String {
    subject(object, name).0
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_user_leaves_the_others_granted_and_is_granted_once_there() {
    let world = with_reader("nouser").await;
    let users = ["alice@example.com", "zoe@example.com", "ann@example.com"];
    world.apply(binding("readers", "reader", &users, json!({}))).await;
    let found = world
        .says("RoleBinding", "readers", "NotFound", &["1 of 3", "zoe@example.com", "that the key can see"])
        .await;
    assert_eq!(users.map(|user| state(&found, user)), ["Granted", "NotFound", "Granted"]);
    let granted = world.granted("research");
    assert_eq!(granted.len(), 2);
    assert!(granted.contains_key(&world.user("ann")), "ann is not joann");
    join(&world, "zoe@example.com");
    world.ready("RoleBinding", "readers").await;
    assert_eq!(world.granted("research").len(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_space_project_or_role_is_named_and_comes_right_by_itself() {
    let world = with_reader("noplace").await;
    let user = &["alice@example.com"];
    let project = json!({ "scope": { "space": "research", "project": "churn-v3" } });
    world.apply(binding("project", "reader", user, project)).await;
    world.apply(binding("space", "reader", user, json!({ "scope": { "space": "laboratory" } }))).await;
    let external = json!({ "roleRef": { "external": { "name": "Project Watcher" } } });
    world.apply(binding("external", "", user, external)).await;
    world.apply(binding("waiting", "writer", &["bob@example.com"], json!({}))).await;
    world.apply(restriction("restricted", "churn-v3", json!({}))).await;
    world.says("RoleBinding", "project", "NotFound", &["spec.scope.project", "churn-v3", "research"]).await;
    world.says("RoleBinding", "space", "NotFound", &["spec.scope.space", "laboratory"]).await;
    world
        .says("RoleBinding", "external", "NotFound", &["spec.roleRef.external.name", "Project Watcher"])
        .await;
    world.says("RoleBinding", "waiting", "DependencyNotReady", &["Role writer"]).await;
    world.says("ResourceRestriction", "restricted", "NotFound", &["spec.resource.project", "churn-v3"]).await;
    assert!(world.granted("research").is_empty());
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
async fn an_ambiguous_space_has_to_be_named_with_its_organization_or_by_id() {
    let world = with_reader("ambiguous").await;
    let user = &["alice@example.com"];
    world.apply(binding("some", "reader", user, json!({ "scope": { "space": "sandbox" } }))).await;
    world
        .says("RoleBinding", "some", "Invalid", &["2 spaces are called \"sandbox\"", "name what it lies in"])
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
async fn ids_stand_for_users_service_keys_spaces_projects_and_roles_as_names_do() {
    let world = with_reader("ids").await;
    let (user, bot, space, project, viewer) = world.sim.edit(|tenant| {
        let space = tenant.space_by_name("research").unwrap();
        let bot = tenant.user_by_email("nightly-evaluation@bots.invalid").unwrap();
        let project = tenant.project_by_name(space, "churn").unwrap();
        let viewer = tenant.role_by_name("Project Viewer").unwrap();
        (tenant.user_by_email("carol@example.com").unwrap(), bot, space, project, viewer)
    });
    let on = |more: Value| binding("by-id", "", &[&user.to_string()], more);
    let external = json!({ "external": { "id": viewer.to_string() } });
    world.apply(on(json!({ "roleRef": external, "scope": { "id": project.to_string() } }))).await;
    world.ready("RoleBinding", "by-id").await;
    let subjects = json!([
        { "kind": "User", "name": "CAROL@Example.COM" },
        { "kind": "ServiceAccount", "name": "nightly-evaluation" },
    ]);
    let more = json!({ "subjects": subjects, "scope": { "space": space.to_string() } });
    world.apply(binding("by-name", "reader", &[], more)).await;
    let found = world.ready("RoleBinding", "by-name").await;
    assert_eq!(state(&found, "nightly-evaluation"), "Granted");
    let reader = world.sim.edit(|tenant| tenant.role_by_name("reader")).unwrap();
    let granted = world.granted("research");
    assert_eq!((granted.get(&user), granted.get(&bot)), (Some(&reader), Some(&reader)));
    world.sim.edit(|tenant| {
        let there: Vec<_> = tenant.role_bindings.iter().filter(|one| one.resource_id == project).collect();
        assert_eq!(there.iter().map(|one| (one.user_id, one.role_id)).collect::<Vec<_>>(), [(user, viewer)]);
    });
    let resource = json!({ "resource": { "id": project.to_string() } });
    world.apply(restriction("by-id", "", resource)).await;
    world.ready("ResourceRestriction", "by-id").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_user_id_that_nobody_has_is_refused_by_the_account_and_said() {
    let world = with_reader("noid").await;
    let nobody = rolewright_simulators::arize::Id::issue(Kind::User, 999).to_string();
    world.apply(binding("readers", "reader", &[&nobody, "alice@example.com"], json!({}))).await;
    let found = world.says("RoleBinding", "readers", "NotFound", &["not in this account"]).await;
    assert_eq!(state(&found, "alice@example.com"), "Granted");
    assert_eq!(state(&found, &nobody), "Refused");
    world.delete("RoleBinding", "readers").await;
    world.gone("RoleBinding", "readers").await;
    assert!(world.granted("research").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_belongs_to_another_account_now_is_a_conflict_and_changes_nothing() {
    let world = with_reader("newowner").await;
    world.apply(binding("readers", "reader", &["alice@example.com", "bob@example.com"], json!({}))).await;
    let before = held_ids(&world.ready("RoleBinding", "readers").await);
    let granted = world.granted("research");
    let alice = world.user("alice");
    world.sim.edit(|tenant| tenant.users.get_mut(alice).unwrap().email = "old@example.com".to_owned());
    join(&world, "alice@example.com");
    let words = ["alice@example.com", "now refers to", "nothing was changed"];
    let found = world.says("RoleBinding", "readers", "Conflict", &words).await;
    assert_eq!(state(&found, "alice@example.com"), "Conflict");
    assert_eq!(state(&found, "bob@example.com"), "Granted");
    world.swept().await;
    assert_eq!(world.granted("research"), granted);
    assert_eq!(held_ids(&world.get("RoleBinding", "readers").await), before);
    // What the message says to do, works.
    world.apply(binding("readers", "reader", &["bob@example.com"], json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.apply(binding("readers", "reader", &["alice@example.com", "bob@example.com"], json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    let now = world.granted("research");
    assert!(now.contains_key(&world.user("alice")) && !now.contains_key(&alice));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_names_for_one_account_are_said_and_granted_once() {
    let world = with_reader("twice").await;
    let id = world.user("alice").to_string();
    let users = ["alice@example.com", "Alice@example.com", &id, "bob@example.com"];
    world.apply(binding("readers", "reader", &users, json!({}))).await;
    let found = world
        .says("RoleBinding", "readers", "Invalid", &["2 of 4", "the same account", "list it once"])
        .await;
    assert_eq!(state(&found, "bob@example.com"), "Granted");
    assert_eq!(world.granted("research").len(), 2);
    world.apply(binding("readers", "reader", &["bob@example.com", &id], json!({}))).await;
    let since = world.now();
    world.ready("RoleBinding", "readers").await;
    assert!(world.writes_since(since).is_empty());
    assert_eq!(world.granted("research").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_renamed_by_hand_is_the_same_role_and_is_renamed_back() {
    let world = with_reader("renamed").await;
    world.apply(binding("readers", "reader", &["alice@example.com"], json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    let before = held_ids(&world.get("Role", "reader").await);
    let since = world.now();
    world.sim.edit(|tenant| {
        let id = tenant.role_by_name("reader").unwrap();
        tenant.roles.get_mut(id).unwrap().name = "renamed".to_owned();
    });
    world.event("reader", "DriftCorrected").await;
    world.swept().await;
    assert_eq!(held_ids(&world.ready("Role", "reader").await), before);
    assert_eq!(world.writes_since(since), [format!("PATCH /v2/roles/{}", before[0])]);
    assert_eq!((world.roles_called("reader"), world.roles_called("renamed")), (1, 0));
    world.ready("RoleBinding", "readers").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_changed_in_the_spec_renames_the_role_and_a_description_left_out_is_cleared() {
    let world = World::new("rename").await;
    world.apply(role("reader", &[READ], json!({ "description": "Reads" }))).await;
    world.apply(binding("readers", "reader", &["alice@example.com"], json!({}))).await;
    let before = held_ids(&world.ready("Role", "reader").await);
    world.ready("RoleBinding", "readers").await;
    let since = world.now();
    world.apply(role("reader", &[READ], json!({ "name": "Readers of projects" }))).await;
    assert_eq!(held_ids(&world.ready("Role", "reader").await), before);
    world.swept().await;
    world.ready("RoleBinding", "readers").await;
    assert_eq!(world.writes_since(since), [format!("PATCH /v2/roles/{}", before[0])]);
    world.sim.edit(|tenant| {
        let role = tenant.roles.get(tenant.role_by_name("Readers of projects").unwrap()).unwrap();
        assert_eq!(role.description, None);
        assert_eq!(role.permissions, [READ]);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_that_another_role_has_is_a_conflict_and_the_roles_stay_as_they_are() {
    let world = with_reader("nametaken").await;
    let access = world.access();
    world.apply(role("reader", &[READ], json!({ "name": "Legacy reviewer" }))).await;
    world.says("Role", "reader", "Conflict", &["Legacy reviewer", "already the name of another"]).await;
    world.apply(role("viewer", &[READ], json!({ "name": "Project Viewer" }))).await;
    world.says("Role", "viewer", "Invalid", &["Project Viewer", "predefined", "choose another name"]).await;
    world.swept().await;
    assert_eq!(world.access(), access);
}
