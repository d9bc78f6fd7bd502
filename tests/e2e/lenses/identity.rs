//! Identity on Lenses HQ, whose API uses names: roles and groups that a user deleted and created again, and names that others use.

use kube::api::DynamicObject;
use rolewright_simulators::lenses::{Lenses, groups::Group, principals::Principal};
use serde_json::json;

use crate::support::{
    World,
    lenses::{GROUPS, binding, role},
    managed_ids, subject_status,
};

/// Two users.
const MEMBERS: [(&str, &str); 2] = [("User", "alice@example.com"), ("User", "peggy")];

/// A world in which the role `reader` is granted to the members, after a sweep.
async fn with_readers(name: &str) -> World<Lenses> {
    let world = World::lenses(name).await;
    world.apply_all(&[role("reader", json!({})), binding("readers", "reader", &MEMBERS, json!({}))]).await;
    world.full_sweep().await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn recreated_role_with_another_policy_is_a_conflict() {
    let world = World::lenses("lenses-recreated").await;
    world.apply(role("reader", json!({}))).await;
    let first = managed_ids(&world.ready("Role", "reader").await);
    world.full_sweep().await;
    let since = world.log_position();
    world.recreate_role("reader", "legacy-auditor");
    world.reports("Role", "reader", "Conflict", &["audit:List*"]).await;
    world.full_sweep().await;
    assert_eq!(world.writes_since(since), [""; 0]);
    // The object is deleted, and the role that it never managed stays.
    world.delete_and_wait("Role", "reader").await;
    assert!(world.has_role("reader"));
    // `Always` adopts the new role.
    world.apply(role("reader", json!({ "adopt": "Always" }))).await;
    assert_ne!(managed_ids(&world.ready("Role", "reader").await), first);
}

#[tokio::test(flavor = "multi_thread")]
async fn recreated_role_changes_no_grant_until_it_is_adopted() {
    let world = with_readers("lenses-recreated-grants").await;
    world.apply(binding("teams", "reader", &GROUPS, json!({}))).await;
    world.ready("RoleBinding", "teams").await;
    world.full_sweep().await;
    let (group, since) = (world.owned_group("readers").unwrap().name, world.log_position());
    world.recreate_role("reader", "legacy-auditor");
    world.reports("Role", "reader", "Conflict", &[]).await;
    world.apply(binding("late", "reader", &MEMBERS, json!({}))).await;
    for name in ["readers", "teams", "late"] {
        let words = &["another role has its name: see Role reader"];
        world.reports("RoleBinding", name, "DependencyNotReady", words).await;
    }
    // Some servers remove a deleted role from groups. One group keeps it here.
    world.sim.edit(|tenant| {
        for group in [group.as_str(), "sre"] {
            tenant.groups.get_mut(group).unwrap().roles.remove("reader");
        }
    });
    world.full_sweep().await;
    world.assert_no_writes(since);
    assert!(world.owned_group("late").is_none());
    assert!(world.roles_of("newcomers").contains("reader"));
    // After the adoption, the bindings grant the new role.
    world.apply(role("reader", json!({ "adopt": "Always" }))).await;
    for name in ["readers", "teams", "late"] {
        world.ready("RoleBinding", name).await;
    }
    assert!(world.roles_of(&group).contains("reader") && world.roles_of("sre").contains("reader"));
}

#[tokio::test(flavor = "multi_thread")]
async fn recreated_identical_role_is_adopted_with_its_grants() {
    let world = World::lenses("lenses-identical").await;
    world.apply(role("reader", json!({}))).await;
    world.apply(role("model", json!({}))).await;
    world.apply(binding("readers", "reader", &MEMBERS, json!({}))).await;
    world.apply(binding("teams", "reader", &[("Group", "sre")], json!({}))).await;
    for (kind, name) in [("Role", "model"), ("RoleBinding", "readers"), ("RoleBinding", "teams")] {
        world.ready(kind, name).await;
    }
    let first = managed_ids(&world.get("Role", "reader").await);
    world.full_sweep().await;
    let since = world.log_position();
    world.recreate_role("reader", "model");
    let adopted = |object: &DynamicObject| {
        managed_ids(object) != first && object.data["status"]["held"][0]["origin"] == "Adopted"
    };
    world.until("Role", "reader", "managing the new role", adopted).await;
    world.ready("RoleBinding", "readers").await;
    world.ready("RoleBinding", "teams").await;
    world.full_sweep().await;
    world.assert_no_writes(since);
}

#[tokio::test(flavor = "multi_thread")]
async fn recreated_group_is_a_conflict_and_keeps_the_role() {
    let world = World::lenses("lenses-recreated-group").await;
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("teams", "reader", &GROUPS, json!({}))).await;
    world.ready("RoleBinding", "teams").await;
    world.full_sweep().await;
    let since = world.log_position();
    // The new group has the role too, granted by hand.
    world.recreate_group("sre", |_| {});
    let object = world
        .until("RoleBinding", "teams", "in conflict for one group", |object| {
            subject_status(object, "sre").0 == "Conflict"
        })
        .await;
    assert_eq!(subject_status(&object, "newcomers").0, "Granted");
    world.full_sweep().await;
    world.assert_no_writes(since);
    world.delete_and_wait("RoleBinding", "teams").await;
    assert!(world.roles_of("sre").contains("reader"), "the binding does not manage it");
    assert!(!world.roles_of("newcomers").contains("reader"));
}

type Change = fn(&mut Group);

/// A world in which a user deleted the group of the binding `readers`, created another with its name, and changed it.
async fn with_recreated_group(name: &str, change: Change) -> World<Lenses> {
    let world = with_readers(name).await;
    let group = world.owned_group("readers").unwrap().name;
    world.recreate_group(&group, change);
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn recreated_owned_group_is_a_conflict_until_it_is_adopted() {
    let change: Change = |group| group.members.extend([Principal::user("joann@example.com")]);
    let world = with_recreated_group("lenses-group", change).await;
    let since = world.log_position();
    world.reports("RoleBinding", "readers", "Conflict", &["joann@example.com"]).await;
    world.full_sweep().await;
    world.assert_no_writes(since);
    world.apply(binding("readers", "reader", &MEMBERS, json!({ "adopt": "Always" }))).await;
    world.ready("RoleBinding", "readers").await;
    let group = world.owned_group("readers").unwrap();
    assert_eq!(world.members(&group.name), ["alice@example.com", "peggy"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_member_leaves_while_others_are_unresolved() {
    let world = with_readers("lenses-dropped").await;
    let group = world.owned_group("readers").unwrap().name;
    let unknown = ("User", "zoe@example.com");
    let all = [&MEMBERS[..], &[unknown]].concat();
    world.apply(binding("readers", "reader", &all, json!({}))).await;
    world.reports("RoleBinding", "readers", "NotFound", &["zoe@example.com"]).await;
    world.apply(binding("readers", "reader", &[unknown], json!({}))).await;
    world
        .until_account("nobody is in it", |tenant| tenant.groups.get(&group).unwrap().members.is_empty())
        .await;
}
