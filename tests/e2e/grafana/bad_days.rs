//! Bad days of Grafana: those of every vendor, and a narrowed token.

use std::collections::BTreeMap;

use rolewright_simulators::grafana::{ADMIN, Grafana, Grant, Tenant};
use serde_json::{Value, json};

use crate::support::{
    World,
    bad_days::bad_days,
    grafana::{SUBJECTS, binding, role},
    http_status, managed_ids,
    trial::{Call, Creations, ShortList, Trial, settled},
};

const ROLES: &str = "/api/access-control/roles";

impl Trial for Grafana {
    const WRITES: &'static [Call] = &[
        ("POST", "/api/access-control/roles"),
        ("PUT", "/api/access-control/roles/*"),
        ("DELETE", "/api/access-control/roles/*"),
        ("POST", "/api/access-control/users/*/roles"),
        ("DELETE", "/api/access-control/users/*/roles/*"),
        ("POST", "/api/access-control/teams/*/roles"),
        ("DELETE", "/api/access-control/teams/*/roles/*"),
    ];

    const READS: &'static [Call] = &[
        ("GET", "/api/access-control/status"),
        ("GET", "/api/access-control/roles"),
        ("GET", "/api/access-control/roles/*"),
        ("GET", "/api/access-control/user/permissions"),
        ("GET", "/api/org"),
        ("GET", "/api/org/users/search"),
        ("GET", "/api/teams/search"),
        ("GET", "/api/serviceaccounts/search"),
        ("POST", "/api/access-control/users/roles/search"),
        ("POST", "/api/access-control/teams/roles/search"),
    ];

    const LISTS: [&'static str; 4] =
        [ROLES, "/api/org/users/search", "/api/teams/search", "/api/serviceaccounts/search"];

    const SHORT_LISTS: &'static [ShortList] = &[
        ShortList::new(ROLES, 0),
        ShortList::new("/api/org/users/search", 0),
        ShortList::new("/api/teams/search", 0),
        ShortList::new("/api/serviceaccounts/search", 0),
    ];

    const BROKEN: Call = ("POST", "/api/access-control/teams/roles/search");

    const CREATIONS: &'static [Creations] =
        &[(|path| path == ROLES, 1), (|path| path != ROLES && path.ends_with("/roles"), 4)];

    fn objects() -> Vec<Value> {
        vec![role("reader", json!({})), binding("readers", "reader", &SUBJECTS, json!({}))]
    }

    fn changed_objects() -> Vec<Value> {
        vec![
            role("reader", json!({ "description": "changed" })),
            binding("readers", "reader", &[("Team", "sre-oncall")], json!({})),
        ]
    }

    fn assert_applied(world: &World<Self>) {
        assert_eq!(world.subjects_of("reader"), world.all_subjects());
    }

    fn assert_changed(world: &World<Self>) {
        assert_eq!(world.subjects_of("reader"), (Vec::new(), vec![world.team_id("sre-oncall")]));
    }

    fn drift(tenant: &mut Tenant) {
        let reader = tenant.role_by_name("reader");
        tenant.user_roles.retain(|it| Some(&it.role_uid) != reader.as_ref());
    }

    fn has_drift(tenant: &Tenant) -> bool {
        let reader = tenant.role_by_name("reader");
        !tenant.user_roles.iter().any(|it| Some(&it.role_uid) == reader.as_ref())
    }

    fn role_id(tenant: &Tenant, name: &str) -> Option<String> {
        tenant.role_by_name(name)
    }
}

bad_days!(Grafana);

#[tokio::test(flavor = "multi_thread")]
async fn role_renamed_before_its_record_is_found_by_its_uid() {
    let mut world = World::grafana("grafana-crash-rename").await;
    let reader = role("reader", json!({ "adopt": "Never" }));
    let is_created = |tenant: &Tenant| tenant.role_by_name("reader").is_some();
    let rename = |world: &World<Grafana>| {
        world.sim.edit(|tenant| {
            let role = tenant.roles.iter_mut().find(|role| role.name == "reader").unwrap();
            (role.name, role.version) = ("renamed".to_owned(), role.version + 1);
        });
    };
    let ready =
        world.killed_before_recording(vec![reader], ROLES, is_created, rename, ("Role", "reader")).await;
    let uid = world.sim.edit(|tenant| tenant.role_by_name("reader")).unwrap();
    assert_eq!(managed_ids(&ready), [uid]);
    assert!(world.sim.edit(|tenant| tenant.role_by_name("renamed")).is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn narrowed_token_changes_nothing() {
    let world = settled::<Grafana>("narrowed").await;
    let (checkpoint, all) = (world.checkpoint(), world.credential_grant());
    // The token can still list roles, and read one of them.
    let few: BTreeMap<&str, &[&str]> = [
        ("status:accesscontrol", &["services:accesscontrol"][..]),
        ("roles:read", &["roles:uid:legacy-reviewer"]),
        ("org.users:read", &["users:*"]),
    ]
    .into();
    let narrowed: Grant = serde_json::from_value(json!({ "permissions": few })).unwrap();
    world.limit_credential(ADMIN, narrowed);
    world.full_sweep().await;
    world.full_sweep().await;
    world.assert_unchanged(&checkpoint, "a narrowed token");
    // A deletion in the meantime does not release things that are not visible.
    world.delete("RoleBinding", "readers").await;
    world.reports("RoleBinding", "readers", "DeletionBlocked", &[]).await;
    world.limit_credential(ADMIN, all);
    world.wait_deleted("RoleBinding", "readers").await;
    assert_eq!(world.subjects_of("reader"), (Vec::new(), Vec::new()));
}

/// The list and the read by id differ, as with two servers behind one address.
#[tokio::test(flavor = "multi_thread")]
async fn listed_role_that_is_not_found_causes_no_endless_reads() {
    let world = World::grafana("grafana-listed-missing").await;
    world.full_sweep().await;
    world.inject_fault(&["GET"], "/api/access-control/roles/legacy-reviewer", http_status(404));
    let since = world.log_position();
    world.apply(role("reviewer", json!({ "name": "Legacy reviewer", "adopt": "Always" }))).await;
    world.reports("Role", "reviewer", "BackendError", &["does not find it"]).await;
    world.full_sweep().await;
    let tries = world.count_requests(since, "GET", "/api/access-control/roles/legacy-reviewer");
    let lists = world.count_requests(since, "GET", ROLES);
    // One complete read beside those of the sweeps. Before, each try caused one.
    assert!(lists <= 5, "{lists} complete reads, {tries} tries");
    world.clear_faults();
    world.ready("Role", "reviewer").await;
}
