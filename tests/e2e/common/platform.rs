//! Kubernetes versions and features that differ.

use serde_json::json;

use crate::support::{WorldBuilder, binding, control_plane_with_gates, role};

const READ: &str = "PROJECT_READ";

/// The feature is off by default in Kubernetes 1.33.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_watch_list_feature_lists_are_used() {
    let plane = control_plane_with_gates("no-watch-list", &["WatchList=false"]).await;
    let mut world = WorldBuilder::new("no-watch-list").on(&plane).build_connected(json!({})).await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.apply(binding("readers", "reader", &["alice@example.com"], json!({}))).await;
    world.all_ready(&[("Role", "reader"), ("RoleBinding", "readers")]).await;
    // The first list of the new process finds the objects.
    world.restart();
    world.full_sweep().await;
    world.delete_all(&[("RoleBinding", "readers"), ("Role", "reader")]).await;
    assert!(world.role_id("reader").is_none());
}
