//! Bad days of Arize: those of every vendor, and short lists.

use rolewright_simulators::{
    arize::{AccountRole, Arize, Grant, Tenant, permissions},
    kit::{faults::Action, log::Entry},
};
use serde_json::{Value, json};

use crate::support::{
    World, backend,
    bad_days::bad_days,
    binding, managed_ids, restriction, role,
    trial::{Call, Creations, ShortList, Trial, settled},
};

const READ: &str = "PROJECT_READ";
const WRITE: &str = "PROJECT_UPDATE";

/// The objects of the lifecycle, bindings before their roles.
const OBJECTS: [(&str, &str); 4] =
    [("RoleBinding", "readers"), ("Role", "reader"), ("Role", "writer"), ("ResourceRestriction", "churn")];

impl Trial for Arize {
    const WRITES: &'static [Call] = &[
        ("POST", "/v2/roles"),
        ("POST", "/v2/role-bindings"),
        ("POST", "/v2/resource-restrictions"),
        ("PATCH", "/v2/roles/*"),
        ("PATCH", "/v2/role-bindings/*"),
        ("DELETE", "/v2/roles/*"),
        ("DELETE", "/v2/role-bindings/*"),
        ("DELETE", "/v2/resource-restrictions/*"),
    ];

    const READS: &'static [Call] = &[
        ("GET", "/v2/roles"),
        ("GET", "/v2/role-bindings"),
        ("GET", "/v2/resource-restrictions"),
        ("GET", "/v2/users"),
        ("GET", "/v2/spaces"),
        ("GET", "/v2/projects"),
        ("GET", "/v2/audit-logs"),
        ("GET", "/v2/roles/*"),
        ("GET", "/v2/role-bindings/*"),
    ];

    const LISTS: [&'static str; 4] =
        ["/v2/role-bindings", "/v2/roles", "/v2/users", "/v2/resource-restrictions"];

    const SHORT_LISTS: &'static [ShortList] = &[
        ShortList::new("/v2/roles", 0),
        ShortList { path: "/v2/roles", keep: 7, can_report: false },
        ShortList::new("/v2/role-bindings", 0),
        ShortList { path: "/v2/role-bindings", keep: 1, can_report: false },
    ];

    const BROKEN: Call = ("GET", "/v2/resource-restrictions");

    const CREATIONS: &'static [Creations] = &[
        (|path| path == "/v2/roles", 2),
        (|path| path == "/v2/role-bindings", 2),
        (|path| path == "/v2/resource-restrictions", 1),
    ];

    fn objects() -> Vec<Value> {
        vec![
            role("reader", &[READ], json!({})),
            role("writer", &[WRITE], json!({})),
            binding("readers", "reader", &["alice@example.com", "bob@example.com"], json!({})),
            restriction("churn", "churn", json!({})),
        ]
    }

    fn changed_objects() -> Vec<Value> {
        vec![
            role("reader", &[READ, WRITE], json!({})),
            binding("readers", "writer", &["alice@example.com"], json!({})),
        ]
    }

    fn assert_applied(world: &World) {
        assert_eq!((world.count_roles("reader"), world.count_roles("writer")), (1, 1));
        assert_eq!(world.roles_by_user("research").len(), 2);
        // The seed has one restriction and one binding.
        assert_eq!(world.sim.edit(|tenant| tenant.restrictions.len()), 2);
        assert_eq!(world.sim.edit(|tenant| tenant.role_bindings.len()), 3);
    }

    fn assert_changed(world: &World) {
        let writer = world.role_id("writer").unwrap();
        assert_eq!(world.roles_by_user("research"), [(world.user_id("alice"), writer)].into());
        assert_eq!(world.permissions_of("reader"), [READ, WRITE]);
    }

    fn drift(tenant: &mut Tenant) {
        let reader = tenant.role_by_name("reader").unwrap();
        tenant.role_bindings.retain(|binding| binding.role_id != reader);
    }

    fn has_drift(tenant: &Tenant) -> bool {
        let reader = tenant.role_by_name("reader").unwrap();
        !tenant.role_bindings.iter().any(|binding| binding.role_id == reader)
    }

    fn role_id(tenant: &Tenant, name: &str) -> Option<String> {
        tenant.role_by_name(name).map(|id| id.to_string())
    }

    /// A deleted role remains as a row.
    fn lasting_access(tenant: &Tenant) -> Value {
        let live: Vec<_> = tenant.roles.iter().filter(|role| role.deleted_at.is_none()).collect();
        json!([live, tenant.role_bindings, tenant.restrictions])
    }
}

bad_days!(Arize);

#[tokio::test(flavor = "multi_thread")]
async fn deletion_removes_things_that_a_short_list_omits() {
    let world = World::new("arize-short-deletion").await;
    let before = world.lasting_access();
    world.settle().await;
    for (path, keep) in [("/v2/role-bindings", 1), ("/v2/roles", 7)] {
        world.inject_fault(&["GET"], path, Action::ShortPage { keep, last: true });
    }
    world.full_sweep().await;
    world.full_sweep().await;
    world.delete_all(&OBJECTS).await;
    assert_eq!(world.lasting_access(), before);
}

/// A restriction has no address of its own to read it by, and a repeated request changes nothing (contract 2.3).
#[tokio::test(flavor = "multi_thread")]
async fn restriction_that_a_list_omits_is_requested_again() {
    let world = settled::<Arize>("short-restrictions").await;
    let (access, since) = (world.access(), world.log_position());
    let short = Action::ShortPage { keep: 0, last: true };
    world.inject_fault_times(&["GET"], "/v2/resource-restrictions", short, 2);
    world.until_requests(since, "the restriction", |entries| entries.iter().any(Entry::is_write)).await;
    world.full_sweep().await;
    world.all_ready(&OBJECTS).await;
    assert_eq!(world.access(), access);
    assert_eq!(world.writes_since(since), ["POST /v2/resource-restrictions"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_of_a_role_that_a_list_omits_is_corrected() {
    let world = World::new("arize-short-drift").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    let id = managed_ids(&world.ready("Role", "reader").await);
    world.inject_fault(&["GET"], "/v2/roles", Action::ShortPage { keep: 7, last: true });
    world.add_permission("reader", WRITE);
    world.event("reader", "DriftCorrected").await;
    world.clear_faults();
    assert_eq!(managed_ids(&world.ready("Role", "reader").await), id);
    assert_eq!(world.count_roles("reader"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn short_and_empty_pages_are_read_to_the_end() {
    let world = World::without_backend("arize-pages").await;
    let before = world.lasting_access();
    world.set_switches(|switches| switches.longest_page = Some(1));
    // The seeded restriction is in a space that this credential cannot manage: its page is empty, and is not the last one.
    let grant = Grant {
        account_role: AccountRole::Member,
        spaces: Some([world.space_id("research")].into()),
        permissions: Some(permissions::ALL.clone()),
        ..world.admin_grant()
    };
    world.add_credential("narrow", "narrow-key", grant);
    world.apply_secret("narrow-key").await;
    world.apply(backend(&world.sim.url(), json!({}))).await;
    world.apply_all(&Arize::objects()).await;
    Arize::assert_applied(&world);
    world.assert_steady().await;
    world.delete_all(&OBJECTS).await;
    assert_eq!(world.lasting_access(), before);
}
