//! Arize servers that differ: generations, and answers to what the contract leaves open.

use rolewright_simulators::arize::{
    Arize,
    switches::{DuplicatePermissions, Generation, PermissionOrder, ResourceType, RoleDeletion, Switches},
};
use serde_json::json;

use crate::support::{World, binding, managed_ids, restriction, role, servers::servers};

const READ: &str = "PROJECT_READ";
const USERS: [&str; 2] = ["alice@example.com", "bob@example.com"];
const OBJECTS: [(&str, &str); 5] = [
    ("Role", "reader"),
    ("Role", "writer"),
    ("RoleBinding", "readers"),
    ("RoleBinding", "churners"),
    ("ResourceRestriction", "churn"),
];

servers! {
    Arize, elsewhere: [];

    server_before_11_40_is_supported: |it| it.generation = Generation::Before1140 => lifecycle;

    server_with_the_opposite_answers_is_supported: |it| {
        it.extra_permissions = ["QUANTUM_READ".to_owned()].into();
        it.missing_permissions = ["DASHBOARD_READ".to_owned()].into();
        it.restrictable = [ResourceType::Project].into();
        it.binding_update_moves_updated_at = true;
        it.duplicate_permissions = DuplicatePermissions::Refuse;
        it.permission_order = PermissionOrder::Reversed;
        it.predefined_names_collide = false;
        it.deleted_role_names_stay_taken = true;
        it.empty_role_description_refused = true;
        it.predefined_memberships_are_bindings = true;
        it.bot_users_listed = true;
        it.bot_users_in_key_list = false;
        it.audit_logs = false;
        it.cursor_bound_to_filters = false;
        it.longest_page = Some(3);
        it.predefined_mutation_status = 422;
        it.unknown_body_field_status = 422;
        it.id_kind_mismatch_status = 404;
        it.empty_update_status = 400;
        it.not_restrictable_status = 400;
        it.self_deletion_status = 403;
    } => lifecycle;

    server_that_keeps_duplicates_and_cascades_is_supported: |it| {
        it.duplicate_permissions = DuplicatePermissions::Keep;
        it.permission_order = PermissionOrder::AsSent;
        it.role_names_case_sensitive = false;
        it.role_texts_are_trimmed = true;
        it.role_deletion = Some(RoleDeletion::Cascade);
    } => lifecycle;

    lists_that_lag_behind_writes_create_nothing_twice: |it| it.list_lag_ms = 1500 => lifecycle;

    account_without_an_audit_log_is_supported: |it| it.audit_logs = false => created_and_deleted;
}

/// All kinds of objects are created, changed by PATCH alone, and deleted. In between nothing is written.
async fn lifecycle(switches: fn(&mut Switches)) {
    let world = World::with_switches("arize-servers", switches).await;
    let before = world.access();
    let reader = |more| role("reader", &["PROJECT_SPAN_READ", READ, READ], more);
    let project = json!({ "scope": { "space": "research", "project": "churn" } });
    world
        .apply_all(&[
            reader(json!({ "description": "Reads\n" })),
            role("writer", &["PROJECT_UPDATE"], json!({ "name": "Writers (all)" })),
            binding("readers", "reader", &USERS, json!({})),
            binding("churners", "writer", &["carol@example.com"], project),
            restriction("churn", "churn", json!({})),
        ])
        .await;
    world.full_sweep().await;
    let (versions, since) = (world.resource_versions().await, world.log_position());
    world.assert_no_writes_after_sweep(since).await;
    assert_eq!(world.resource_versions().await, versions);

    let ids = managed_ids(&world.get("RoleBinding", "readers").await);
    world.apply(reader(json!({}))).await;
    world.apply(binding("readers", "writer", &USERS, json!({}))).await;
    world.all_ready(&OBJECTS).await;
    world.full_sweep().await;
    assert_eq!(managed_ids(&world.get("RoleBinding", "readers").await), ids);
    let mut writes = world.writes_since(since);
    writes.retain(|write| !write.starts_with("PATCH"));
    assert!(writes.is_empty(), "{writes:?}");
    let (versions, since) = (world.resource_versions().await, world.log_position());
    world.assert_no_writes_after_sweep(since).await;
    assert_eq!(world.resource_versions().await, versions);

    world.delete_all(&OBJECTS).await;
    let after = world.access();
    assert_eq!((&after[1], &after[2]), (&before[1], &before[2]));
    assert_eq!((world.count_roles("reader"), world.count_roles("Writers (all)")), (0, 0));
}

/// Objects are deleted one after the other, so that the last one of a kind leaves an empty list.
async fn created_and_deleted(switches: fn(&mut Switches)) {
    let world = World::with_switches("arize-audit", switches).await;
    world
        .apply_all(&[
            role("reader", &[READ], json!({})),
            binding("readers", "reader", &USERS[..1], json!({})),
            restriction("churn", "churn", json!({})),
        ])
        .await;
    for object in [("ResourceRestriction", "churn"), ("RoleBinding", "readers"), ("Role", "reader")] {
        world.delete_all(&[object]).await;
    }
    assert!(world.roles_by_user("research").is_empty());
    assert_eq!(world.count_roles("reader"), 0);
}
