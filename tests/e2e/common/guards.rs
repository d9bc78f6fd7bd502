//! Guards: how much is removed without an approval.

use jiff::{SignedDuration, Timestamp};
use kube::api::DynamicObject;
use rolewright_simulators::{arize::Arize, grafana::Grafana, lenses::Lenses, zenml::ZenMl};
use serde_json::{Value, json};

use crate::support::{
    World, WorldBuilder, binding, condition, managed_ids,
    manifests::kind_and_name,
    plan, role,
    trial::{Trial, settled},
};

const READ: &str = "PROJECT_READ";
const WRITE: &str = "PROJECT_UPDATE";

fn guards(max_removals: i64) -> Value {
    json!({ "guards": { "maxRemovals": max_removals, "maxRemovalPercent": 0 } })
}

/// A world whose Backend allows so many removals, with a role that so many users have.
async fn with_readers(name: &str, max_removals: i64, count: usize) -> World {
    let world = WorldBuilder::new(name).listening().build().await;
    (0..count).for_each(|number| world.add_user(&user(number)));
    world.connect_with(guards(max_removals)).await;
    world.apply_all(&[role("reader", &[READ], json!({})), readers(0..count)]).await;
    world
}

fn user(number: usize) -> String {
    format!("user-{number}@example.com")
}

/// The binding of these users.
fn readers(users: impl IntoIterator<Item = usize>) -> Value {
    let users: Vec<String> = users.into_iter().map(user).collect();
    binding("readers", "reader", &users.iter().map(String::as_str).collect::<Vec<_>>(), json!({}))
}

/// The number of removals that a Backend recorded.
fn recorded(backend: &DynamicObject) -> i64 {
    let entries = backend.data["status"]["removals"].as_array();
    entries.into_iter().flatten().map(|entry| entry["count"].as_i64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn removals_past_the_limit_wait_for_an_approval() {
    let mut world = with_readers("guarded", 3, 10).await;
    world.apply(readers([0])).await;
    let words = [
        "6 removals more than spec.guards of Backend arize allow (3 or 0 % within 1h)",
        "revoke reader from",
    ];
    let waiting = world.reports("RoleBinding", "readers", "ApprovalRequired", &words).await;
    assert_eq!(plan(&waiting)["summary"], "+0 ~0 -6");
    assert_eq!((&plan(&waiting)["waiting"]["removals"], managed_ids(&waiting).len()), (&json!(6), 7));
    assert_eq!(condition(&waiting, "Stalled")["status"], "True");
    world.event("readers", "ApprovalRequired").await;
    assert_eq!(recorded(&world.get("Backend", "arize").await), 3);
    world.waiting("arize", &[("RoleBinding", "readers")]).await;
    let labels = format!(r#"{{namespace="{}",backend="arize"}}"#, world.namespace);
    let metric = format!("rolewright_waiting_removals{labels}");
    assert_eq!(world.operator.metric(&metric).await, Some(6.0));
    world.assert_steady().await;

    // Neither a restart nor another object makes room.
    world.restart();
    world.full_sweep().await;
    world.apply(role("other", &[READ, WRITE], json!({}))).await;
    world.ready("Role", "other").await;
    world.delete("Role", "other").await;
    world.reports("Role", "other", "ApprovalRequired", &["1 removal more"]).await;
    assert_eq!(managed_ids(&world.get("RoleBinding", "readers").await).len(), 7);
    assert_eq!(world.count_events("readers", "ApprovalRequired").await, 1);

    // A higher limit is a decision too.
    world.patch("Backend", "arize", json!({ "spec": guards(10) })).await;
    assert_eq!(managed_ids(&world.ready("RoleBinding", "readers").await).len(), 1);
    world.wait_deleted("Role", "other").await;
    assert_eq!(recorded(&world.get("Backend", "arize").await), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn percentage_of_what_is_managed_raises_the_limit() {
    let world = with_readers("percent", 1, 10).await;
    // Ten grants and one role are managed: 30 % are three.
    let more = json!({ "guards": { "maxRemovals": 1, "maxRemovalPercent": 30 } });
    world.patch("Backend", "arize", json!({ "spec": more })).await;
    world.apply(readers(0..4)).await;
    let waiting = world.reports("RoleBinding", "readers", "ApprovalRequired", &["30 %"]).await;
    assert_eq!(plan(&waiting)["summary"], "+0 ~0 -3");
}

#[tokio::test(flavor = "multi_thread")]
async fn replacement_counts_once_and_is_never_half_done() {
    let world = with_readers("replaced", 2, 4).await;
    world.apply(role("writer", &[READ, WRITE], json!({}))).await;
    world.ready("Role", "writer").await;
    let since = world.log_position();
    world.patch("RoleBinding", "readers", json!({ "spec": { "roleRef": { "name": "writer" } } })).await;
    let waiting = world.reports("RoleBinding", "readers", "ApprovalRequired", &["2 removals more"]).await;
    assert_eq!(plan(&waiting)["total"], 2);
    let roles: Vec<String> =
        (0..4).flat_map(|number| world.grants_of(&user(number))).map(|(_, role)| role).collect();
    assert_eq!(roles.len(), 4, "nobody has both, and nobody has none: {roles:?}");
    assert_eq!(roles.iter().filter(|role| *role == "writer").count(), 2);
    assert_eq!(world.writes_since(since).len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn permission_taken_from_holders_is_a_removal() {
    let world = with_readers("narrowed-role", 0, 1).await;
    world.apply(role("free", &[READ, WRITE], json!({}))).await;
    world.ready("Role", "free").await;
    // Nobody has this role.
    world.apply(role("free", &[READ], json!({}))).await;
    world.ready("Role", "free").await;
    world.apply(role("reader", &[READ, WRITE], json!({}))).await;
    world.ready("Role", "reader").await;
    world.apply(role("reader", &[WRITE], json!({ "description": "Writes" }))).await;
    let words = ["1 removal more", "- PROJECT_READ"];
    world.reports("Role", "reader", "ApprovalRequired", &words).await;
    assert_eq!(world.permissions_of("reader"), [READ, WRITE]);
    // Drift that gave more is corrected by a removal, too.
    world.add_permission("free", "DATASET_READ");
    world.reports("Role", "free", "InSync", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn protected_subjects_and_roles_need_an_approval() {
    let world = with_readers("protected", 100, 3).await;
    let protected = json!({ "guards": { "protectedSubjects": ["USER-1@*"], "protectedRoles": ["adm?n"] } });
    world.patch("Backend", "arize", json!({ "spec": protected })).await;
    world.apply(role("admin", &[READ], json!({}))).await;
    world.ready("Role", "admin").await;
    world.apply(readers([0])).await;
    let words = ["spec.guards.protectedSubjects of Backend arize has user-1@example.com"];
    let waiting = world.reports("RoleBinding", "readers", "ApprovalRequired", &words).await;
    assert_eq!(plan(&waiting)["summary"], "+0 ~0 -1", "user-2 is not protected");
    world.delete("Role", "admin").await;
    let words = ["spec.guards.protectedRoles of Backend arize has admin"];
    world.reports("Role", "admin", "ApprovalRequired", &words).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn misspelt_new_subject_keeps_the_old_one() {
    let world = with_readers("typo", 100, 2).await;
    let misspelt = ["user-0@example.com", "user-one@example.com"];
    world.apply(binding("readers", "reader", &misspelt, json!({}))).await;
    let words = ["user-one@example.com is not found", "misspelt"];
    let waiting = world.reports("RoleBinding", "readers", "ApprovalRequired", &words).await;
    assert_eq!(managed_ids(&waiting).len(), 2);
    world.apply(readers([0])).await;
    assert_eq!(managed_ids(&world.ready("RoleBinding", "readers").await).len(), 1);
}

async fn own_account_keeps_its_roles<V: Trial>() {
    let world = settled::<V>("own-account").await;
    let backend = world.get("Backend", V::NAME).await;
    let identity = backend.data["status"]["identity"].as_str().unwrap();
    let (_, own) = identity.split_once("service account ").unwrap_or_else(|| panic!("{identity}"));
    let own = own.split([',', ';']).next().unwrap();
    let mut binding = V::objects().into_iter().find(|object| object["kind"] == "RoleBinding").unwrap();
    let (_, name) = kind_and_name(&binding);
    let name = name.to_owned();
    let subjects = binding["spec"]["subjects"].clone();
    let own_subject = json!({ "kind": "ServiceAccount", "name": own });
    binding["spec"]["subjects"].as_array_mut().unwrap().push(own_subject);
    world.apply(binding.clone()).await;
    world.ready("RoleBinding", &name).await;
    binding["spec"]["subjects"] = subjects;
    let before = world.access();
    world.apply(binding).await;
    world.reports("RoleBinding", &name, "ApprovalRequired", &["with whose credential", own]).await;
    assert_eq!(world.access(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn own_account_keeps_its_roles_on_grafana() {
    own_account_keeps_its_roles::<Grafana>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn own_account_keeps_its_roles_on_lenses() {
    own_account_keeps_its_roles::<Lenses>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn own_account_keeps_its_roles_on_zenml() {
    own_account_keeps_its_roles::<ZenMl>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_an_end_that_was_known_before_is_exempt() {
    let world = with_readers("exempt", 0, 2).await;
    let at = |seconds: i64| json!((Timestamp::now() + SignedDuration::from_secs(seconds)).to_string());
    let ending = |end: Value| {
        let mut object = readers(0..2);
        object["spec"]["expiresAt"] = end;
        object
    };
    // Written today, it is a removal like any other.
    world.apply(ending(at(-3600))).await;
    world.reports("RoleBinding", "readers", "ApprovalRequired", &["2 removals more"]).await;
    world.apply(ending(at(3600))).await;
    world.ready("RoleBinding", "readers").await;
    world.assert_steady().await;
    // Far enough to be recorded before it comes, also on a busy machine.
    world.apply(ending(at(12))).await;
    assert_eq!(managed_ids(&world.reports("RoleBinding", "readers", "Expired", &[]).await), [""; 0]);
}

async fn nothing_is_removed_without_an_approval<V: Trial>() {
    let world = settled::<V>("no-removals").await;
    world.patch("Backend", V::NAME, json!({ "spec": guards(0) })).await;
    let before = world.access();
    let objects = V::objects();
    for object in objects.iter().rev() {
        let (kind, name) = kind_and_name(object);
        world.delete(kind, name).await;
    }
    // The first role waits for its grants.
    let (first, others) = objects.split_at(1);
    for (round, waiting) in [others, first].into_iter().enumerate() {
        let names: Vec<(&str, &str)> = waiting.iter().map(kind_and_name).collect();
        for (kind, name) in &names {
            world.reports(kind, name, "ApprovalRequired", &[]).await;
        }
        if round == 0 {
            assert_eq!(world.access(), before);
        }
        let shown = world.waiting(V::NAME, &names).await;
        let name = format!("round-{round}");
        world.approve(&name, "Backend", V::NAME, shown["plan"].as_str().unwrap()).await;
        world.decided(&name, "Executed").await;
        for (kind, name) in names {
            world.wait_deleted(kind, name).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_removed_without_an_approval_on_arize() {
    nothing_is_removed_without_an_approval::<Arize>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_removed_without_an_approval_on_grafana() {
    nothing_is_removed_without_an_approval::<Grafana>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_removed_without_an_approval_on_lenses() {
    nothing_is_removed_without_an_approval::<Lenses>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_removed_without_an_approval_on_zenml() {
    nothing_is_removed_without_an_approval::<ZenMl>().await;
}
