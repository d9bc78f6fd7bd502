//! What a Backend's status shows of its objects and of the account.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{World, binding, role};

const READ: &str = "PROJECT_READ";

#[tokio::test(flavor = "multi_thread")]
async fn counts_follow_objects_without_a_sweep() {
    let world = World::without_backend("counts").await;
    // Only the first sweep runs during this test.
    world.connect_with(json!({ "sweepInterval": "24h" })).await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.apply(binding("readers", "reader", &["alice@example.com"], json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world
        .until("Backend", "arize", "counting both objects", |backend| {
            let counts = &backend.data["status"]["counts"];
            (&counts["objects"], &counts["ready"]) == (&json!(2), &json!(2))
                && counts["held"] == json!({ "Grant": 1, "Role": 1 })
        })
        .await;
    world
        .until("Backend", "arize", "naming what no object manages", |backend| {
            let unmanaged = &backend.data["status"]["unmanaged"];
            unmanaged["Role"] == json!(["Legacy reviewer"])
                && unmanaged["Grant"].to_string().contains("carol@example.com as Legacy reviewer")
        })
        .await;
    world.delete_and_wait("RoleBinding", "readers").await;
    world
        .until("Backend", "arize", "counting the other object", |backend| {
            let counts = &backend.data["status"]["counts"];
            counts["objects"] == 1 && counts["held"] == json!({ "Role": 1 })
        })
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_new_objects_write_the_backend_rarely() {
    let world = World::without_backend("counts-storm").await;
    world.connect_with(json!({ "sweepInterval": "24h" })).await;
    world.ready("Backend", "arize").await;
    let (started, mut versions) = (Instant::now(), Vec::new());
    let mut note = async || {
        let version = world.get("Backend", "arize").await.metadata.resource_version.unwrap();
        if versions.last() != Some(&version) {
            versions.push(version);
        }
    };
    for number in 0..40 {
        world.apply(role(&format!("role-{number}"), &[READ], json!({}))).await;
        note().await;
    }
    loop {
        note().await;
        let counts = world.get("Backend", "arize").await.data["status"]["counts"].clone();
        if counts["ready"] == 40 {
            break;
        }
        assert!(started.elapsed() < Duration::from_secs(90), "{counts}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // The finalizer, the first sweep, and one write of counts in ten seconds.
    let most = 3 + usize::try_from(started.elapsed().as_secs() / 10).unwrap();
    assert!(versions.len() <= most + 1, "{} versions, at most {most} expected", versions.len());
}
