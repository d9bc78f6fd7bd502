//! Grafana servers that differ: generations, licences, and answers to what the contract leaves open.

use std::collections::BTreeMap;

use rolewright_simulators::grafana::{
    Grafana, Switches,
    basic_role::BasicRole::Viewer,
    managed::ResourceKind::Folders,
    switches::{DisplayNameFallback, DuplicatePermissions, Generation, Licence, PermissionOrder},
};
use serde_json::json;

use super::restrictions::{restricted, view_and_edit};
use crate::support::{
    World,
    grafana::{SUBJECTS, binding, restriction, role},
    managed_ids,
    servers::servers,
};

const OBJECTS: [(&str, &str); 3] =
    [("Role", "reader"), ("RoleBinding", "readers"), ("ResourceRestriction", "sre")];

servers! {
    Grafana, elsewhere: [
        "licence", "search_omits_users", "search_omits_teams", "missing_resources", "data_source_uids_are_per_type",
        "reserved_uids_are_refused",
    ];

    grafana_11_is_supported: |it| it.generation = Generation::V11 => lifecycle;

    grafana_12_is_supported: |it| it.generation = Generation::V12 => lifecycle;

    server_with_the_opposite_answers_is_supported: |it| {
        it.create_status = 200;
        it.duplicate_permissions = DuplicatePermissions::Refuse;
        it.permission_order = PermissionOrder::AsSent;
        it.display_name_fallback = DisplayNameFallback::AllRoles;
        it.zero_created = true;
        it.empty_texts_omitted = true;
        it.absent_texts_clear = true;
        it.absent_hidden_keeps = true;
        it.version_required = true;
        it.update_checks_global = false;
        it.assignments_take_other_orgs = true;
        it.deleted_users_stay_assigned = true;
        it.search_lists_unknown = true;
        it.permissions_are_replaced = true;
    } => lifecycle;

    server_with_other_statuses_is_supported: |it| {
        it.duplicate_role_status = 409;
        it.stale_version_status = 409;
        it.protected_role_status = 403;
        it.assigned_role_status = 409;
        it.global_mismatch_status = 400;
        it.repeated_user_assignment_status = 409;
        it.missing_user_assignment_status = 200;
        it.duplicate_group_mapping_status = 409;
        it.opaque_validation_errors = true;
        it.registry_message_ids = true;
        it.plain_unauthorized = true;
        it.development_mode = true;
        it.shuffle_seed = 41;
    } => lifecycle;

    server_with_other_actions_is_supported: |it| {
        it.permission_validation = false;
        it.extra_actions = [("rockets:launch".to_owned(), Default::default())].into();
        it.missing_actions = ["dashboards:delete".to_owned()].into();
        it.unlicensed_data_source_permissions = true;
        it.same_version_passes = true;
    } => lifecycle;

    revoked_grants_return_if_the_search_omits_subjects: |it| it.search_lists_roleless = false => revoked;

    cached_permissions_of_the_token_cause_no_changes: |it| it.permission_cache_ms = 60_000 => steady;

    made_up_display_name_is_no_drift: |it| {
        it.display_name_fallback = DisplayNameFallback::AllRoles;
        it.zero_created = true;
    } => steady;

    hidden_users_count_and_are_not_listed: |it| it.hidden_users = (3..8).collect() => steady;

    replacing_all_permissions_keeps_those_of_others: |it| it.permissions_are_replaced = true => replaced;
}

/// A role, its assignments and a restriction are created, corrected, changed and deleted. In between nothing is written.
async fn lifecycle(switches: fn(&mut Switches)) {
    let world = World::grafana_with("grafana-servers", switches).await;
    let before = (world.access(), world.default_permissions(Folders, "sre"));
    let display = json!({ "displayName": "Reader", "grafana": { "group": "Reports" } });
    world
        .apply_all(&[
            role("reader", display),
            binding("readers", "reader", &SUBJECTS, json!({})),
            restriction("sre", json!({ "folder": "SRE" }), json!({})),
        ])
        .await;
    let read = [("reports:read".to_owned(), "reports:*".to_owned())];
    assert_eq!(world.subjects_of("reader"), world.all_subjects());
    assert_eq!(world.permissions_of("reader"), read);
    assert!(world.default_permissions(Folders, "sre").0.is_empty());
    world.assert_steady().await;

    revoke_all(&world);
    world.sim.edit(|tenant| {
        let role = tenant.roles.iter_mut().find(|role| role.name == "reader").unwrap();
        role.permissions.clear();
        role.version += 1;
    });
    world.event("reader", "DriftCorrected").await;
    world.event("readers", "DriftCorrected").await;
    world.all_ready(&OBJECTS).await;
    assert_eq!(world.subjects_of("reader"), world.all_subjects());
    assert_eq!(world.permissions_of("reader"), read);

    let rules = json!([{ "actions": ["reports:read", "reports:write"], "resources": ["reports:*"] }]);
    world
        .apply_all(&[
            role("reader", json!({ "description": "Writes", "rules": rules })),
            binding("readers", "reader", &[("Team", "sre-oncall")], json!({})),
        ])
        .await;
    assert_eq!(world.subjects_of("reader"), (Vec::new(), vec![world.team_id("sre-oncall")]));
    assert_eq!(world.permissions_of("reader").len(), 2);
    world.assert_steady().await;

    world.delete_all(&OBJECTS).await;
    assert_eq!((world.access(), world.default_permissions(Folders, "sre")), before);
}

/// Removes all assignments of the role `reader` by hand.
fn revoke_all(world: &World<Grafana>) {
    world.sim.edit(|tenant| {
        let uid = tenant.role_by_name("reader").unwrap();
        tenant.user_roles.retain(|it| it.role_uid != uid);
        tenant.team_roles.retain(|it| it.role_uid != uid);
    });
}

async fn revoked(switches: fn(&mut Switches)) {
    let world = with_readers("grafana-revoked", switches).await;
    let subjects = world.subjects_of("reader");
    revoke_all(&world);
    world.event("readers", "DriftCorrected").await;
    world.ready("RoleBinding", "readers").await;
    assert_eq!(world.subjects_of("reader"), subjects);
}

/// In steady state nothing is written, and the objects can be deleted.
async fn steady(switches: fn(&mut Switches)) {
    let world = with_readers("grafana-steady", switches).await;
    world.full_sweep().await;
    let (versions, checkpoint) = (world.resource_versions().await, world.checkpoint());
    world.full_sweep().await;
    assert_eq!(world.resource_versions().await, versions);
    world.assert_unchanged(&checkpoint, "a sweep in steady state");
    world.delete_all(&[("RoleBinding", "readers"), ("Role", "reader")]).await;
}

async fn replaced(switches: fn(&mut Switches)) {
    let world = World::grafana_with("grafana-replaced", switches).await;
    let before = world.default_permissions(Folders, "sre");
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({}))).await;
    world.ready("ResourceRestriction", "sre").await;
    assert_eq!(world.default_permissions(Folders, "sre"), (BTreeMap::new(), before.1));
    world.delete_and_wait("ResourceRestriction", "sre").await;
    assert_eq!(world.default_permissions(Folders, "sre"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn changed_role_is_one_put_in_every_generation() {
    for generation in [Generation::V11, Generation::V12, Generation::V13] {
        let world = World::grafana_with("grafana-put", |switches| switches.generation = generation).await;
        world.apply(role("reader", json!({}))).await;
        let before = managed_ids(&world.ready("Role", "reader").await);
        for description in ["one", "two"] {
            let since = world.log_position();
            world.apply(role("reader", json!({ "description": description }))).await;
            let after = world.ready("Role", "reader").await;
            assert_eq!(managed_ids(&after), before);
            let puts = world.writes_since(since);
            assert_eq!(puts, [format!("PUT /api/access-control/roles/{}", before[0])], "{generation:?}");
        }
    }
}

/// A world in which all subjects have the role `reader`.
async fn with_readers(name: &str, switches: fn(&mut Switches)) -> World<Grafana> {
    let world = World::grafana_with(name, switches).await;
    world.apply_all(&[role("reader", json!({})), binding("readers", "reader", &SUBJECTS, json!({}))]).await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn search_that_omits_subjects_with_roles_changes_nothing() {
    let world = with_readers("grafana-omits", |_| {}).await;
    world.full_sweep().await;
    let (alice, sre) = (world.user_id("alice"), world.team_id("sre"));
    let (versions, checkpoint) = (world.resource_versions().await, world.checkpoint());
    world.set_switches(|switches| {
        switches.search_omits_users.insert(alice);
        switches.search_omits_teams.insert(sre);
    });
    world.full_sweep().await;
    world.full_sweep().await;
    assert_eq!(world.resource_versions().await, versions);
    world.assert_unchanged(&checkpoint, "omitted subjects");
}

#[tokio::test(flavor = "multi_thread")]
async fn lapsed_licence_makes_objects_wait_and_removes_nothing() {
    for licence in [Licence::Disabled, Licence::Absent] {
        let world = with_readers("grafana-lapse", |_| {}).await;
        world.full_sweep().await;
        let (versions, access) = (world.resource_versions().await, world.access());
        world.set_switches(|switches| switches.licence = licence);
        world.reports("Backend", "grafana", "Unsupported", &["licence"]).await;
        let now = (world.resource_versions().await, world.access());
        assert_eq!(now, (versions.clone(), access.clone()), "{licence:?}");
        world.set_switches(|switches| switches.licence = Licence::Valid);
        world.ready("Backend", "grafana").await;
        world.full_sweep().await;
        assert_eq!((world.resource_versions().await, world.access()), (versions, access), "{licence:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lapsed_licence_leaves_restrictions_working_on_their_own() {
    let mut world = restricted("grafana-lapse-restricted").await;
    world.set_switches(|switches| switches.licence = Licence::Absent);
    world.restart();
    world.set_default_permission(Folders, "sre", Viewer, "View");
    world.event("sre", "DriftCorrected").await;
    let backend = world.ready("Backend", "grafana").await;
    assert_eq!(backend.data["status"]["capabilities"], json!(["Restriction"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn open_source_grafana_supports_restrictions_alone() {
    let world =
        World::grafana_with("grafana-open-source", |switches| switches.licence = Licence::Absent).await;
    let backend = world.ready("Backend", "grafana").await;
    assert_eq!(backend.data["status"]["capabilities"], json!(["Restriction"]));
    world.apply(role("reader", json!({}))).await;
    let words = &["Grafana Enterprise", "available: Restriction"];
    world.reports("Role", "reader", "Unsupported", words).await;
    world.apply(restriction("sre", json!({ "folder": "SRE" }), json!({}))).await;
    world.ready("ResourceRestriction", "sre").await;
    assert!(world.default_permissions(Folders, "sre").0.is_empty());
    world.set_default_permission(Folders, "sre", Viewer, "View");
    world.event("sre", "DriftCorrected").await;

    world.apply(restriction("metrics", json!({ "dataSource": "Prometheus" }), json!({}))).await;
    let words = &["no permissions of dataSource Prometheus"];
    world.reports("ResourceRestriction", "metrics", "NotFound", words).await;

    // A licence is installed, and a user requests a reconcile.
    world.set_switches(|switches| switches.licence = Licence::Valid);
    world.request_reconcile("Backend", "grafana", "now").await;
    world.ready("Role", "reader").await;
    world.ready("ResourceRestriction", "metrics").await;
    let backend = world.get("Backend", "grafana").await;
    assert_eq!(backend.data["status"]["capabilities"], json!(["Role", "Grant", "Restriction"]));
    world.delete_and_wait("ResourceRestriction", "sre").await;
    assert_eq!(world.default_permissions(Folders, "sre").0, view_and_edit());
}
