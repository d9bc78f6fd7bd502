//! Somebody changes by hand what an object holds: it is put back, with one call, and only that.

use rolewright_simulators::arize::role_bindings;
use serde_json::json;

use crate::support::{World, held_ids, role};

const READ: &str = "PROJECT_READ";
const WRITE: &str = "PROJECT_UPDATE";

async fn in_sync(name: &str) -> World {
    let world = World::in_sync(name).await;
    world.swept().await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_deleted_by_hand_is_made_again_with_its_grants() {
    let world = in_sync("roledrift").await;
    let (before, since) = (held_ids(&world.get("Role", "reader").await), world.now());
    world.sim.edit(|tenant| {
        let id = tenant.role_by_name("reader").unwrap();
        tenant.role_bindings.retain(|binding| binding.role_id != id);
        tenant.roles.get_mut(id).unwrap().deleted_at = Some(rolewright_simulators::arize::state::now());
    });
    let note = world.event("reader", "DriftCorrected").await;
    assert!(note.contains("had been removed"), "{note}");
    world.account("both have it again", |tenant| tenant.role_bindings.len() == 3).await;
    world.swept().await;
    let role = world.ready("Role", "reader").await;
    assert_ne!(held_ids(&role), before);
    let ready = world.ready("RoleBinding", "readers").await;
    assert_eq!(held_ids(&ready).len(), 2);
    assert_eq!(world.roles_called("reader"), 1);
    let now = world.sim.edit(|tenant| tenant.role_by_name("reader")).unwrap();
    assert!(world.granted("research").values().all(|role| *role == now));
    assert_eq!(world.count(since, "POST", "/v2/roles"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_binding_deleted_by_hand_is_granted_again_and_a_changed_one_put_back_with_one_patch() {
    let world = in_sync("bindingdrift").await;
    let since = world.now();
    let (alice, bob, space) = (world.user("alice"), world.user("bob"), world.space("research"));
    let bobs = world.sim.edit(|tenant| {
        let id = role_bindings::held(tenant, alice, space).unwrap().id;
        tenant.role_bindings.remove(id);
        let viewer = tenant.role_by_name("Project Admin").unwrap();
        role_bindings::set(tenant, bob, space, viewer);
        role_bindings::held(tenant, bob, space).unwrap().id
    });
    let reader = world.sim.edit(|tenant| tenant.role_by_name("reader")).unwrap();
    world
        .account("both have the role again", |tenant| {
            [alice, bob].iter().all(|user| {
                role_bindings::held(tenant, *user, space).is_some_and(|binding| binding.role_id == reader)
            })
        })
        .await;
    world.swept().await;
    world.ready("RoleBinding", "readers").await;
    let mut writes = world.writes_since(since);
    writes.sort();
    assert_eq!(writes, [format!("PATCH /v2/role-bindings/{bobs}"), "POST /v2/role-bindings".to_owned()]);
    let note = world.event("readers", "DriftCorrected").await;
    assert!(note.contains("example.com"), "{note}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restriction_lifted_by_hand_is_put_back() {
    let world = in_sync("lifted").await;
    let since = world.now();
    world.sim.edit(|tenant| {
        let space = tenant.space_by_name("research").unwrap();
        let project = tenant.project_by_name(space, "churn").unwrap();
        tenant.restrictions.remove(project);
    });
    world.event("churn", "DriftCorrected").await;
    world.ready("ResourceRestriction", "churn").await;
    world.swept().await;
    assert_eq!(world.writes_since(since), ["POST /v2/resource-restrictions"]);
    assert_eq!(world.sim.edit(|tenant| tenant.restrictions.len()), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_people_grant_by_hand_beside_it_is_never_touched() {
    let world = in_sync("byhand").await;
    let since = world.now();
    let (carol, dave) = (world.user("carol"), world.user("dave"));
    let space = world.space("research");
    world.sim.edit(|tenant| {
        let reader = tenant.role_by_name("reader").unwrap();
        let viewer = tenant.role_by_name("Project Viewer").unwrap();
        role_bindings::set(tenant, carol, space, reader);
        role_bindings::set(tenant, dave, space, viewer);
    });
    let access = world.access();
    world.swept().await;
    world.swept().await;
    assert_eq!(world.access(), access);
    assert!(world.writes_since(since).is_empty());
    world.delete("RoleBinding", "readers").await;
    world.gone("RoleBinding", "readers").await;
    let left: Vec<_> = world.granted("research").into_keys().collect();
    assert_eq!(left, [carol, dave]);
    // A grant that nobody holds keeps the role from going.
    world.delete("Role", "reader").await;
    world.says("Role", "reader", "DeletionBlocked", &["carol@example.com", "deletionPolicy: Retain"]).await;
    world.sim.edit(|tenant| {
        let id = role_bindings::held(tenant, carol, space).unwrap().id;
        tenant.role_bindings.remove(id);
    });
    world.gone("Role", "reader").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_third_correction_makes_it_contested_and_ends_corrections_at_once() {
    let world = in_sync("contested").await;
    let spoil = || {
        world.sim.edit(|tenant| {
            let id = tenant.role_by_name("reader").unwrap();
            tenant.roles.get_mut(id).unwrap().permissions.push(WRITE.to_owned());
        });
    };
    let since = world.now();
    let patches = || world.writes_since(since).len();
    for round in 1..=3 {
        spoil();
        world
            .until_asked(since, "a correction", |entries| {
                entries.iter().filter(|entry| entry.is_write() && entry.status == Some(200)).count() == round
            })
            .await;
        world.swept().await;
    }
    world.says("Role", "reader", "Contested", &["three times within an hour", "Find who"]).await;
    world.event("reader", "Contested").await;
    spoil();
    let plan = world
        .until("Role", "reader", "showing the fourth", |object| !object.data["status"]["plan"].is_null())
        .await;
    assert_eq!(plan.data["status"]["plan"]["summary"], "+0 ~1 -0");
    world.swept().await;
    let versions = world.versions().await;
    world.swept().await;
    world.swept().await;
    assert_eq!(patches(), 3);
    assert_eq!(world.versions().await, versions);
    assert_eq!(world.events("reader", "Contested").await, 1);
    assert_eq!(world.events("reader", "DriftCorrected").await, 3);
    // The others are none of its concern.
    world.ready("RoleBinding", "readers").await;
    // A change of the spec is no correction, and is made.
    world.apply(role("reader", &[READ, WRITE, "PROJECT_DELETE"], json!({}))).await;
    world
        .account("the change of the spec is made", |tenant| {
            let id = tenant.role_by_name("reader").unwrap();
            tenant.roles.get(id).unwrap().permissions.len() == 3
        })
        .await;
}
