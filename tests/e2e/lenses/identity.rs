//! Identity on Lenses HQ, whose API uses names: roles and groups that a user deleted and created again, and names that others use.

use kube::api::DynamicObject;
use rolewright_simulators::lenses::{
    Lenses, groups::Group, principals::Principal, switches::Ids, users::User,
};
use serde_json::{Value, json};

use crate::support::{
    World,
    lenses::{GROUPS, binding, role},
    managed_ids, ready_condition, subject_status,
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
    for ids in [Ids::Text, Ids::Number, Ids::TimesOnly] {
        let world = World::lenses_with("lenses-recreated", json!({}), |switches| switches.ids = ids).await;
        world.apply(role("reader", json!({}))).await;
        let first = managed_ids(&world.ready("Role", "reader").await);
        world.full_sweep().await;
        let since = world.log_position();
        world.recreate_role("reader", "legacy-auditor");
        world.reports("Role", "reader", "Conflict", &["audit:List*"]).await;
        world.full_sweep().await;
        assert_eq!(world.writes_since(since), [""; 0], "{ids:?}");
        // The object is deleted, and the role that it never managed stays.
        world.delete_and_wait("Role", "reader").await;
        assert!(world.has_role("reader"), "{ids:?}");
        // `Always` adopts the new role.
        world.apply(role("reader", json!({ "adopt": "Always" }))).await;
        assert_ne!(managed_ids(&world.ready("Role", "reader").await), first);
    }
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

/// For each object: the last transition of its Ready condition, and the origin of the first thing that it manages.
async fn transitions(world: &World<Lenses>) -> Vec<(Value, Value)> {
    let mut all = Vec::new();
    for (kind, name) in OBJECTS.into_iter().chain([("Backend", "lenses")]) {
        let object = world.get(kind, name).await;
        let ready = ready_condition(&object)["lastTransitionTime"].clone();
        all.push((ready, object.data["status"]["held"][0]["origin"].clone()));
    }
    all
}

const OBJECTS: [(&str, &str); 3] = [("RoleBinding", "readers"), ("RoleBinding", "teams"), ("Role", "reader")];

#[tokio::test(flavor = "multi_thread")]
async fn recorded_names_become_ids_once_the_server_shows_ids() {
    let mut world = World::lenses_with("lenses-ids", json!({}), |switches| switches.ids = Ids::Absent).await;
    let before = world.access();
    world.apply(role("reader", json!({}))).await;
    world.apply(binding("readers", "reader", &MEMBERS, json!({}))).await;
    world.apply(binding("teams", "reader", &GROUPS, json!({}))).await;
    for (kind, name) in OBJECTS {
        let object = world.ready(kind, name).await;
        assert!(managed_ids(&object).iter().all(|id| !id.contains('#')), "{:?}", managed_ids(&object));
    }
    world.full_sweep().await;
    let (before_ids, since) = (transitions(&world).await, world.log_position());
    world.set_switches(|switches| switches.ids = Ids::Text);
    for (kind, name) in OBJECTS {
        let has_ids = |object: &DynamicObject| managed_ids(object).iter().all(|id| id.contains('#'));
        world.until(kind, name, "recorded by ids", has_ids).await;
    }
    world.full_sweep().await;
    let versions = world.resource_versions().await;
    world.full_sweep().await;
    assert_eq!(world.resource_versions().await, versions);
    // An operator that starts without seeing any id.
    world.set_switches(|switches| switches.ids = Ids::Absent);
    world.restart();
    world.full_sweep().await;
    assert_eq!((world.resource_versions().await, transitions(&world).await), (versions, before_ids));
    world.assert_no_writes(since);
    world.delete_all(&OBJECTS).await;
    assert_eq!(world.access(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn role_recorded_by_name_is_deleted_after_ids_appear() {
    let world = World::lenses_with("lenses-named", json!({}), |switches| switches.ids = Ids::Absent).await;
    world.apply(role("reader", json!({}))).await;
    world.ready("Role", "reader").await;
    world.full_sweep().await;
    world.set_switches(|switches| switches.ids = Ids::Text);
    world.delete_and_wait("Role", "reader").await;
    assert!(!world.has_role("reader"));
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
    let changes: [(Change, &str); 2] = [
        (|group| group.sso_name = "everyone".to_owned(), "everyone"),
        (|group| group.members.extend([Principal::user("joann@example.com")]), "joann@example.com"),
    ];
    for (change, named) in changes {
        let world = with_recreated_group("lenses-group", change).await;
        let since = world.log_position();
        world.reports("RoleBinding", "readers", "Conflict", &[named]).await;
        world.full_sweep().await;
        world.assert_no_writes(since);
        world.apply(binding("readers", "reader", &MEMBERS, json!({ "adopt": "Always" }))).await;
        world.ready("RoleBinding", "readers").await;
        let group = world.owned_group("readers").unwrap();
        assert!(group.sso_name.starts_with("rw-no-sso-"), "{}", group.sso_name);
        assert_eq!(world.members(&group.name), ["alice@example.com", "peggy"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_of_a_groups_sso_name_is_corrected() {
    let world = with_readers("lenses-sso-name").await;
    let before = world.owned_group("readers").unwrap();
    world.sim.edit(|tenant| tenant.groups.get_mut(&before.name).unwrap().sso_name = "everyone".to_owned());
    let note = world.event("readers", "DriftCorrected").await;
    assert!(note.contains("everyone"), "{note}");
    world.ready("RoleBinding", "readers").await;
    let after = world.owned_group("readers").unwrap();
    assert_eq!((after.sso_name, after.id, after.members), (before.sso_name, before.id, before.members));
}

#[tokio::test(flavor = "multi_thread")]
async fn name_of_a_user_and_a_service_account_is_invalid() {
    let world =
        World::lenses_with("lenses-twins", json!({}), |switches| switches.principals_share_names = false)
            .await;
    world.sim.edit(|tenant| {
        let user = tenant.users.get("peggy").unwrap().clone();
        tenant.users.insert(User { name: "nightly-reports".to_owned(), ..user });
    });
    world.apply(role("reader", json!({}))).await;
    for (name, kind) in [("user", "User"), ("account", "ServiceAccount")] {
        world.apply(binding(name, "reader", &[(kind, "nightly-reports")], json!({}))).await;
        let words = &["both a user and a service account"];
        world.reports("RoleBinding", name, "Invalid", words).await;
        assert!(world.owned_group(name).is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_member_keeps_nobody_else_in_or_out() {
    let world =
        World::lenses_with("lenses-refused", json!({}), |switches| switches.principals_share_names = false)
            .await;
    world.sim.edit(|tenant| {
        let user = tenant.users.get("peggy").unwrap().clone();
        tenant.users.insert(User { name: "nightly-reports".to_owned(), ..user });
    });
    world.apply(role("reader", json!({}))).await;
    let twin = ("User", "nightly-reports");
    world.apply(binding("readers", "reader", &[MEMBERS[0], twin], json!({}))).await;
    for (kept, members) in [(MEMBERS[0], [MEMBERS[0], twin]), (MEMBERS[1], [MEMBERS[1], twin])] {
        world.apply(binding("readers", "reader", &members, json!({}))).await;
        let words = &["both a user and a service account"];
        let object = world.reports("RoleBinding", "readers", "Invalid", words).await;
        let states = [kept.1, twin.1].map(|name| subject_status(&object, name).0);
        assert_eq!(states, ["Granted", "Refused"]);
        let group = world.owned_group("readers").unwrap().name;
        assert_eq!(world.members(&group), [kept.1]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_member_leaves_while_others_are_unresolved() {
    let world = with_readers("lenses-dropped").await;
    let group = world.owned_group("readers").unwrap().name;
    let unknown = ("User", "zoe@example.com");
    world.apply(binding("readers", "reader", &[unknown], json!({}))).await;
    world.reports("RoleBinding", "readers", "NotFound", &["zoe@example.com"]).await;
    world
        .until_account("nobody is in it", |tenant| tenant.groups.get(&group).unwrap().members.is_empty())
        .await;
}
