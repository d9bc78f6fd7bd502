//! What Grafana answers about things that do not exist, and to credentials that are narrower than they look.

use rolewright_simulators::grafana::{
    Grafana,
    managed::ResourceKind::{Dashboards, Datasources, Folders},
    rows::permissions::Permissions,
    switches::MissingResources,
};
use serde_json::{Value, json};

use super::restrictions::restricted;
use crate::support::{
    World,
    grafana::{SUBJECTS, binding, restriction, role},
};

const KIND: &str = "ResourceRestriction";

const ANSWERS: [MissingResources; 3] =
    [MissingResources::Empty, MissingResources::AdminsOnly, MissingResources::Refused];

/// Ids of a folder, a dashboard and a data source that do not exist, and of the root.
fn missing() -> [(&'static str, Value); 4] {
    [
        ("folder", json!({ "folder": "uid:nothing" })),
        ("dashboard", json!({ "id": "dashboard:nothing" })),
        ("data", json!({ "dataSource": "uid:nothing" })),
        ("typo", json!({ "id": "folder:SRE" })),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn resource_that_does_not_exist_is_not_closed() {
    for answer in ANSWERS {
        let world = World::grafana_with("grafana-missing", |it| it.missing_resources = answer).await;
        let (since, rows) = (world.log_position(), world.sim.edit(|tenant| tenant.managed_permissions.len()));
        for (name, resource) in missing() {
            world.apply(restriction(name, resource, json!({}))).await;
        }
        for (name, _) in missing() {
            world.reports(KIND, name, "NotFound", &["does not exist"]).await;
        }
        world.assert_no_writes_after_sweep(since).await;
        for (name, _) in missing() {
            world.delete_and_wait(KIND, name).await;
        }
        assert_eq!(world.sim.edit(|tenant| tenant.managed_permissions.len()), rows, "{answer:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn root_of_all_folders_cannot_be_closed() {
    let world = World::grafana("grafana-root").await;
    let since = world.log_position();
    for (name, resource) in
        [("name", json!({ "folder": "uid:general" })), ("id", json!({ "id": "folder:general" }))]
    {
        world.apply(restriction(name, resource, json!({}))).await;
        world
            .until(KIND, name, "refused", |it| {
                ["NotFound", "Invalid"].contains(&crate::support::reason(it).as_str())
            })
            .await;
        world.delete_and_wait(KIND, name).await;
    }
    world.assert_no_writes(since);
}

#[tokio::test(flavor = "multi_thread")]
async fn restriction_of_a_deleted_resource_can_be_deleted() {
    for answer in ANSWERS {
        let world = World::grafana_with("grafana-deleted", |it| it.missing_resources = answer).await;
        let resources = [
            ("folder", json!({ "folder": "SRE" }), Folders),
            ("home", json!({ "dashboard": "Home" }), Dashboards),
            ("metrics", json!({ "dataSource": "Prometheus" }), Datasources),
        ];
        for (name, resource, _) in &resources {
            world.apply(restriction(name, resource.clone(), json!({}))).await;
            world.ready(KIND, name).await;
        }
        world.sim.edit(|tenant| {
            let folder = tenant.folder(1, "sre").unwrap().clone();
            tenant.drop_folder(&folder);
            let (home, metrics) =
                (tenant.dashboard(1, "home").unwrap().id, tenant.data_sources.iter().next().unwrap().id);
            tenant.dashboards.remove(home);
            tenant.data_sources.remove(metrics);
            tenant.forget_resource(1, Dashboards, "home");
            tenant.forget_resource(1, Datasources, "prometheus-main");
        });
        for (name, ..) in &resources {
            world.until(KIND, name, "NotFound", |it| crate::support::reason(it) == "NotFound").await;
        }
        let rows = world.sim.edit(|tenant| tenant.managed_permissions.len());
        for (name, ..) in &resources {
            world.delete_and_wait(KIND, name).await;
        }
        assert_eq!(world.sim.edit(|tenant| tenant.managed_permissions.len()), rows, "{answer:?}");
    }
}

/// The permissions of the admin's credential, changed.
fn narrowed(world: &World<Grafana>, change: impl FnOnce(&mut Permissions)) {
    let mut grant = world.credential_grant();
    let account = grant.service_account_id.unwrap();
    let mut permissions = world
        .sim
        .edit(|tenant| rolewright_simulators::grafana::access::effective::permissions(tenant, account, 1));
    change(&mut permissions);
    grant.permissions = Some(permissions);
    world.limit_credential(rolewright_simulators::grafana::ADMIN, grant);
}

#[tokio::test(flavor = "multi_thread")]
async fn credential_that_sees_some_folders_proves_no_absence() {
    for action in ["folders:read", "folders.permissions:read"] {
        let world = restricted("grafana-some-folders").await;
        narrowed(&world, |permissions| {
            permissions.remove(action);
            permissions.add(action, "folders:uid:data");
        });
        world.full_sweep().await;
        world.sim.edit(|tenant| {
            let folder = tenant.folder(1, "sre").unwrap().clone();
            tenant.drop_folder(&folder);
        });
        world.full_sweep().await;
        world.delete(KIND, "sre").await;
        world.full_sweep().await;
        let object = world.get(KIND, "sre").await;
        assert!(crate::support::has_finalizer(&object), "{action}: released without a proof");
    }
}

/// The fixed roles for reading and writing roles, with the permissions to assign.
#[tokio::test(flavor = "multi_thread")]
async fn credential_with_the_fixed_roles_of_roles_can_manage_them() {
    let mut world = World::grafana("grafana-fixed-credential").await;
    narrowed(&world, |permissions| {
        permissions.remove("status:accesscontrol");
        assert!(permissions.cover("roles:read", "roles:uid:x"));
    });
    world.restart();
    world.apply_all(&[role("reader", json!({})), binding("readers", "reader", &SUBJECTS, json!({}))]).await;
    assert_eq!(world.subjects_of("reader"), world.all_subjects());
    world.full_sweep().await;
    world.assert_steady().await;
    // A role that was deleted by hand is created again: its absence is proven.
    world.sim.edit(|tenant| {
        let uid = tenant.role_by_name("reader").unwrap();
        let role = tenant.roles.iter().find(|it| it.uid == uid).unwrap().clone();
        tenant.drop_role(&role);
    });
    world.event("reader", "DriftCorrected").await;
    world.ready("RoleBinding", "readers").await;
    assert_eq!(world.subjects_of("reader"), world.all_subjects());
    world.delete_all(&[("RoleBinding", "readers"), ("Role", "reader")]).await;
    // Without the list of roles nothing shows that there are roles.
    narrowed(&world, |permissions| {
        permissions.remove("status:accesscontrol");
        permissions.remove("roles:read");
    });
    world.restart();
    world.reports("Backend", "grafana", "Denied", &["status:accesscontrol", "roles:read"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn shared_uid_of_data_sources_is_reported_and_changes_nothing() {
    let world = World::grafana_with("grafana-shared-uid", |it| it.data_source_uids_are_per_type = true).await;
    world.sim.edit(|tenant| {
        tenant.add_data_source(1, "prometheus-main", "Other", "mimir", None);
    });
    let since = world.log_position();
    world.apply(restriction("metrics", json!({ "dataSource": "uid:prometheus-main" }), json!({}))).await;
    world
        .until(KIND, "metrics", "refused", |it| {
            let condition = crate::support::ready_condition(it);
            condition["status"] == "False"
                && condition["message"].as_str().is_some_and(|text| text.contains("prometheus-main"))
        })
        .await;
    world.assert_no_writes_after_sweep(since).await;
}
