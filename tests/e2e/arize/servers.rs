//! Servers that differ: an old generation, and what the contract leaves open, turned.

use rolewright_simulators::arize::{
    Tenant,
    switches::{DuplicatePermissions, Generation, PermissionOrder, Switches},
};
use serde_json::json;

use crate::support::{KEY, World, backend, binding, held_ids, restriction, role};

const READ: &str = "PROJECT_READ";

/// The whole life of all kinds on a server with these switches.
async fn life(name: &str, turn: impl FnOnce(&mut Switches)) {
    let world = World::without_backend(name, &[]).await;
    world.sim.edit(|tenant: &mut Tenant| turn(&mut tenant.switches));
    let before = world.access();
    world.secret(KEY).await;
    world.apply(backend(&world.sim.url(), json!({}))).await;
    let reader = |more| role("reader", &["PROJECT_SPAN_READ", READ, READ], more);
    world.apply(reader(json!({ "description": "Reads" }))).await;
    world.apply(role("writer", &["PROJECT_UPDATE"], json!({ "name": "Writers (all)" }))).await;
    world.apply(binding("readers", "reader", &["alice@example.com", "bob@example.com"], json!({}))).await;
    let project = json!({ "scope": { "space": "research", "project": "churn" } });
    world.apply(binding("churners", "writer", &["carol@example.com"], project.clone())).await;
    world.apply(restriction("churn", "churn", json!({}))).await;
    let all_ready = || async {
        world.ready("Role", "reader").await;
        world.ready("Role", "writer").await;
        world.ready("RoleBinding", "readers").await;
        world.ready("RoleBinding", "churners").await;
        world.ready("ResourceRestriction", "churn").await;
    };
    all_ready().await;
    world.swept().await;
    let (versions, since) = (world.versions().await, world.now());
    world.swept().await;
    assert!(world.writes_since(since).is_empty(), "{:?}", world.writes_since(since));
    assert_eq!(world.versions().await, versions);

    let ids = held_ids(&world.get("RoleBinding", "readers").await);
    world.apply(reader(json!({}))).await;
    world.apply(binding("readers", "writer", &["alice@example.com", "bob@example.com"], json!({}))).await;
    all_ready().await;
    world.swept().await;
    assert_eq!(held_ids(&world.get("RoleBinding", "readers").await), ids);
    let mut writes = world.writes_since(since);
    writes.retain(|write| !write.starts_with("PATCH"));
    assert!(writes.is_empty(), "{writes:?}");
    let (versions, since) = (world.versions().await, world.now());
    world.swept().await;
    assert_eq!(world.versions().await, versions);
    assert!(world.writes_since(since).is_empty());

    for (kind, name) in [
        ("Role", "reader"),
        ("Role", "writer"),
        ("RoleBinding", "readers"),
        ("RoleBinding", "churners"),
        ("ResourceRestriction", "churn"),
    ] {
        world.delete(kind, name).await;
    }
    for (kind, name) in
        [("RoleBinding", "readers"), ("RoleBinding", "churners"), ("ResourceRestriction", "churn")]
    {
        world.gone(kind, name).await;
    }
    world.gone("Role", "reader").await;
    world.gone("Role", "writer").await;
    let after = world.access();
    assert_eq!((&after[1], &after[2]), (&before[1], &before[2]));
    assert_eq!((world.roles_called("reader"), world.roles_called("Writers (all)")), (0, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_before_11_40_is_served_alike() {
    life("before1140", |switches| switches.generation = Generation::Before1140).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_resolves_what_is_open_the_other_way_is_served_alike() {
    life("turned", |switches| {
        switches.extra_permissions = ["QUANTUM_READ".to_owned()].into();
        switches.binding_update_moves_updated_at = true;
        switches.duplicate_permissions = DuplicatePermissions::Refuse;
        switches.permission_order = PermissionOrder::Reversed;
        switches.predefined_names_collide = false;
        switches.empty_role_description_refused = true;
        switches.bot_users_listed = true;
        switches.bot_users_in_key_list = false;
        switches.audit_logs = false;
        switches.longest_page = Some(3);
        switches.predefined_mutation_status = 422;
        switches.unknown_body_field_status = 422;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_keeps_duplicates_and_cascades_is_served_alike() {
    life("keeping", |switches| {
        switches.duplicate_permissions = DuplicatePermissions::Keep;
        switches.permission_order = PermissionOrder::AsSent;
        switches.role_names_case_sensitive = false;
        switches.role_deletion = Some(rolewright_simulators::arize::switches::RoleDeletion::Cascade);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_that_lag_behind_the_writes_double_nothing() {
    life("lagging", |switches| switches.list_lag_ms = 1500).await;
}
