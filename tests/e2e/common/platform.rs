//! Kubernetes versions and features that differ.

use serde_json::json;

use crate::support::{Setting, binding, own_plane_with, role};

const READ: &str = "PROJECT_READ";

/// The feature is off by default in Kubernetes 1.33.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_watch_list_feature_lists_are_used() {
    let plane = own_plane_with("no-watch-list", &["WatchList=false"]).await;
    let world = Setting::new("nowatchlist").on(&plane).connected(json!({})).await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.apply(binding("readers", "reader", &["alice@example.com"], json!({}))).await;
    world.ready("Role", "reader").await;
    world.ready("RoleBinding", "readers").await;
    // A list that begins after the objects exist.
    let mut world = world;
    world.restart();
    world.swept().await;
    world.delete("RoleBinding", "readers").await;
    world.delete("Role", "reader").await;
    assert!(world.role_id("reader").is_none());
}
