//! Events: what they say, and that equal ones are counted.

use kube::api::{DynamicObject, ListParams};
use serde_json::json;

use crate::support::{World, binding, role};

const READ: &str = "PROJECT_READ";
const WRITE: &str = "PROJECT_UPDATE";

/// The Events of the core API with this reason.
async fn events(world: &World, reason: &str) -> Vec<DynamicObject> {
    let all = world.api("v1", "Event").list(&ListParams::default()).await.unwrap().items;
    all.into_iter().filter(|event| event.data["reason"] == reason).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_say_who_got_and_lost_what() {
    let world = World::new("event-texts").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    let users = ["alice@example.com", "bob@example.com"];
    world.apply(binding("readers", "reader", &users, json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.apply(binding("readers", "reader", &users[..1], json!({}))).await;
    let note = world.event("readers", "Revoked").await;
    assert_eq!(note, "bob@example.com lost the role reader on space research");
    let note = world.event("reader", "Created").await;
    assert_eq!(note, "the role reader was created: + PROJECT_READ");
    assert!(world.event("readers", "Granted").await.contains("got the role reader on space research"));

    let legacy = json!({ "name": "Legacy reviewer" });
    world.apply(role("legacy", &["PROJECT_READ", "PROJECT_SPAN_READ"], legacy)).await;
    let note = world.event("legacy", "Adopted").await;
    assert!(note.contains("the role Legacy reviewer existed already"), "{note}");
    world.patch("Role", "legacy", json!({ "spec": { "deletionPolicy": "Retain" } })).await;
    world.delete_and_wait("Role", "legacy").await;
    let note = world.event("legacy", "Released").await;
    assert!(note.contains("it stays as it is: Role Legacy reviewer"), "{note}");
}

#[tokio::test(flavor = "multi_thread")]
async fn equal_events_are_one_that_counts_them() {
    let world = World::new("event-series").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.ready("Role", "reader").await;
    for round in 1..=2 {
        world.add_permission("reader", WRITE);
        world.full_sweep().await;
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(60);
        loop {
            let found = events(&world, "DriftCorrected").await;
            assert!(found.len() <= 1, "equal Events are one");
            if found.first().is_some_and(|event| event.data["count"] == round) {
                break;
            }
            assert!(std::time::Instant::now() < deadline, "round {round}: {found:?}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
    let event = events(&world, "DriftCorrected").await.remove(0);
    let note = "the role reader was changed: - PROJECT_UPDATE (it was changed outside Rolewright)";
    assert_eq!(event.data["message"], note);
    assert_eq!(event.data["series"]["count"], 2);
    let (first, last) = (&event.data["firstTimestamp"], &event.data["lastTimestamp"]);
    assert!(first.is_string() && first.as_str() <= last.as_str(), "{event:?}");
    assert_eq!(event.metadata.managed_fields.unwrap()[0].manager.as_deref(), Some("rolewright"));
}
