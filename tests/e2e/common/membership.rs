//! Authoritative membership: a RoleBinding that decides alone who has its role.

use rolewright_simulators::{arize::Arize, grafana::Grafana, lenses::Lenses, zenml::ZenMl};
use serde_json::{Value, json};

use crate::support::{
    World, binding, managed_ids,
    manifests::kind_and_name,
    plan, role, subject_status,
    trial::{Trial, vendor_name},
};

const READ: &str = "PROJECT_READ";
const ALICE: &str = "alice@example.com";
const BOB: &str = "bob@example.com";

fn authoritative(subjects: &[&str]) -> Value {
    binding("readers", "reader", subjects, json!({ "membership": "Authoritative" }))
}

/// A world in which Alice and Bob have a role, and no object manages their grants.
async fn with_unmanaged_grants(name: &str) -> World {
    let world = World::new(name).await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    for user in [ALICE, BOB] {
        world.grant_by_hand(user, "reader", "research");
    }
    world.full_sweep().await;
    world
}

async fn unmanaged_grants_are_revoked<V: Trial>(subjects: Option<Value>) {
    let world = World::<V>::with_switches(&vendor_name::<V>("authoritative"), |_| {}).await;
    let objects = V::objects();
    let (_, role) = kind_and_name(&objects[0]);
    world.apply_all(&objects[..1]).await;
    let mut binding = objects.iter().find(|object| object["kind"] == "RoleBinding").unwrap().clone();
    let (_, name) = kind_and_name(&binding);
    let name = name.to_owned();
    if let Some(subjects) = subjects {
        binding["spec"]["subjects"] = subjects;
    }
    // Its grants stay, and nobody manages them.
    binding["spec"]["deletionPolicy"] = json!("Retain");
    world.apply(binding.clone()).await;
    let count = managed_ids(&world.ready("RoleBinding", &name).await).len();
    assert!(count > 1, "{binding}");
    world.delete_and_wait("RoleBinding", &name).await;

    binding["spec"]["membership"] = json!("Authoritative");
    binding["spec"]["subjects"] = json!([binding["spec"]["subjects"][0]]);
    binding["spec"]["mode"] = json!("Plan");
    let since = world.log_position();
    world.apply(binding.clone()).await;
    let planned = world.reports("RoleBinding", &name, "Planned", &[&format!("revoke {role} from")]).await;
    assert_eq!(plan(&planned)["summary"], json!(format!("+0 ~0 -{}, adopts 1", count - 1)));
    assert!(managed_ids(&planned).is_empty());
    world.assert_no_writes_after_sweep(since).await;
    binding["spec"]["mode"] = Value::Null;
    world.patch("RoleBinding", &name, json!({ "spec": { "mode": null } })).await;
    assert_eq!(managed_ids(&world.ready("RoleBinding", &name).await).len(), 1);
    let writes = world.writes_since(since);
    assert_eq!(writes.len(), count - 1, "{writes:?}\n{}", world.operator.log_tail());
    world.full_sweep().await;
    world.assert_steady().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unmanaged_grants_are_revoked_on_arize() {
    unmanaged_grants_are_revoked::<Arize>(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unmanaged_grants_are_revoked_on_grafana() {
    unmanaged_grants_are_revoked::<Grafana>(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unmanaged_grants_are_revoked_on_lenses() {
    let groups = json!([{ "kind": "Group", "name": "sre" }, { "kind": "Group", "name": "data-platform" }]);
    unmanaged_grants_are_revoked::<Lenses>(Some(groups)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unmanaged_grants_are_revoked_on_zenml() {
    unmanaged_grants_are_revoked::<ZenMl>(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn grant_by_hand_is_revoked_within_the_guards() {
    let world = with_unmanaged_grants("authority-guarded").await;
    let none = json!({ "guards": { "maxRemovals": 0, "maxRemovalPercent": 0 } });
    world.patch("Backend", "arize", json!({ "spec": none })).await;
    world.apply(authoritative(&[ALICE])).await;
    let words = ["1 removal more", "revoke reader from bob@example.com"];
    let waiting = world.reports("RoleBinding", "readers", "ApprovalRequired", &words).await;
    // Alice's grant is adopted; Bob's is not managed while it waits.
    assert_eq!(managed_ids(&waiting).len(), 1);
    let hash = plan(&waiting)["hash"].as_str().unwrap().to_owned();
    world.approve("one", "RoleBinding", "readers", &hash).await;
    world.ready("RoleBinding", "readers").await;
    assert_eq!(world.grants_of(BOB).iter().filter(|(_, role)| role == "reader").count(), 0);
    // Later grants by hand wait, too.
    world.grant_by_hand(BOB, "reader", "research");
    world.reports("RoleBinding", "readers", "ApprovalRequired", &words).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_removed_while_a_subject_is_unresolved() {
    let world = with_unmanaged_grants("authority-unresolved").await;
    world.apply(authoritative(&[ALICE, "nobody@example.com"])).await;
    let words = ["1 of 2 subjects: ", "nobody@example.com", "until every subject is found"];
    let waiting = world.reports("RoleBinding", "readers", "NotFound", &words).await;
    assert_eq!(subject_status(&waiting, ALICE).0, "Granted");
    world.full_sweep().await;
    assert_eq!(world.grants_of(BOB).iter().filter(|(_, role)| role == "reader").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn authoritative_beside_additive_is_a_conflict() {
    let world = World::new("authority-mixed").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.apply(binding("others", "reader", &[BOB], json!({}))).await;
    world.ready("RoleBinding", "others").await;
    world.apply(authoritative(&[ALICE])).await;
    let words = ["RoleBinding authority-mixed", "grants the same role"];
    let conflict = world.reports("RoleBinding", "readers", "Conflict", &words).await;
    assert_eq!(subject_status(&conflict, ALICE).0, "Granted");
    world.full_sweep().await;
    world.ready("RoleBinding", "others").await;
    world.delete_and_wait("RoleBinding", "others").await;
    world.ready("RoleBinding", "readers").await;
}
