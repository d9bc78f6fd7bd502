//! Bad days of Lenses HQ: those of every vendor, a narrowed token, and groups whose creation was not answered or not recorded.

use rolewright_simulators::{
    kit::faults::Action,
    lenses::{Lenses, Tenant, groups::Group, switches::Lists},
};
use serde_json::{Value, json};

use crate::support::{
    World,
    bad_days::bad_days,
    condition, html_page, http_status,
    lenses::{binding, role},
    managed_ids,
    trial::{Call, Creations, ShortList, Trial, settled},
};

/// A user and a service account.
const MEMBERS: [(&str, &str); 2] = [("User", "alice@example.com"), ("ServiceAccount", "nightly-reports")];

impl Trial for Lenses {
    const WRITES: &'static [Call] = &[
        ("POST", "/api/v1/roles"),
        ("PATCH", "/api/v1/roles/*"),
        ("DELETE", "/api/v1/roles/*"),
        ("POST", "/api/v1/groups"),
        ("PATCH", "/api/v1/groups/*"),
        ("DELETE", "/api/v1/groups/*"),
    ];

    const READS: &'static [Call] = &[
        ("GET", "/api/v1/roles"),
        ("GET", "/api/v1/roles/*"),
        ("GET", "/api/v1/groups"),
        ("GET", "/api/v1/groups/*"),
        ("GET", "/api/v1/users"),
        ("GET", "/api/v1/service-accounts"),
    ];

    const RARE_READS: &'static [Call] = &[("GET", "/api/v1/permissions/definitions")];

    const LISTS: [&'static str; 4] =
        ["/api/v1/roles", "/api/v1/groups", "/api/v1/users", "/api/v1/service-accounts"];

    const SHORT_LISTS: &'static [ShortList] = &[
        ShortList::new("/api/v1/roles", 0),
        ShortList::new("/api/v1/groups", 0),
        ShortList::new("/api/v1/users", 0),
        ShortList::new("/api/v1/service-accounts", 0),
    ];

    const BROKEN: Call = ("GET", "/api/v1/service-accounts");

    const CREATIONS: &'static [Creations] =
        &[(|path| path == "/api/v1/roles", 1), (|path| path == "/api/v1/groups", 1)];

    fn objects() -> Vec<Value> {
        vec![
            role("reader", json!({})),
            binding("readers", "reader", &MEMBERS, json!({})),
            binding("teams", "reader", &[("Group", "sre")], json!({})),
        ]
    }

    fn changed_objects() -> Vec<Value> {
        vec![
            role("reader", json!({ "description": "changed" })),
            binding("readers", "reader", &[("User", "peggy")], json!({})),
        ]
    }

    fn assert_applied(world: &World<Self>) {
        let group = world.owned_group("readers").unwrap().name;
        assert_eq!(world.members(&group), ["alice@example.com", "nightly-reports"]);
        assert_eq!(world.roles_of("sre"), ["reader", "topic-reader"].map(str::to_owned).into());
    }

    fn assert_changed(world: &World<Self>) {
        assert_eq!(world.members(&world.owned_group("readers").unwrap().name), ["peggy"]);
    }

    fn drift(tenant: &mut Tenant) {
        let owned = tenant.groups.iter().find(|group| group.name.starts_with("rw-readers-")).unwrap();
        let name = owned.name.clone();
        tenant.groups.get_mut(&name).unwrap().roles.clear();
    }

    fn has_drift(tenant: &Tenant) -> bool {
        let owned = tenant.groups.iter().find(|group| group.name.starts_with("rw-readers-"));
        owned.is_none_or(|group| group.roles.is_empty())
    }

    /// The name and the id, as the status records them.
    fn role_id(tenant: &Tenant, name: &str) -> Option<String> {
        tenant.roles.get(name).map(|role| format!("{name}#{}", role.id))
    }

    fn foreign_answers() -> Vec<Action> {
        let text = "Not what you are looking for";
        vec![html_page(200, text, false), html_page(404, text, false), http_status(404)]
    }
}

bad_days!(Lenses);

/// The snapshot from before the creation does not contain the group.
#[tokio::test(flavor = "multi_thread")]
async fn group_of_an_unanswered_creation_is_deleted_with_its_binding() {
    let world = settled::<Lenses>("unanswered").await;
    world.inject_fault_times(&["POST"], "/api/v1/groups", Action::AnswerLost, 1);
    world.inject_fault(&["GET"], "/api/v1/groups", http_status(503));
    world.inject_fault(&["GET"], "/api/v1/groups/*", http_status(503));
    world.apply(binding("others", "reader", &MEMBERS, json!({}))).await;
    let created = |group: &Group| group.name.starts_with("rw-others-");
    world.until_account("the group is created", |tenant| tenant.groups.iter().any(created)).await;
    world.delete("RoleBinding", "others").await;
    world.clear_faults();
    world.wait_deleted("RoleBinding", "others").await;
    assert!(world.owned_group("others").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn crash_before_recording_a_new_group_leaves_one_group() {
    let mut world = World::lenses("lenses-crash-group").await;
    world.apply_all(&[role("reader", json!({ "adopt": "Never" }))]).await;
    let readers = binding("readers", "reader", &MEMBERS, json!({ "adopt": "Never" }));
    let created = |tenant: &Tenant| tenant.groups.iter().any(|group| group.name.starts_with("rw-readers-"));
    world
        .killed_before_recording(vec![readers], "/api/v1/groups", created, |_| {}, ("RoleBinding", "readers"))
        .await;
}

/// A policy for a token that can list roles and groups, and read one of each. It can read its own account, and not the policy of that.
fn narrow_policy() -> Value {
    json!([
        { "effect": "allow", "action": "iam:*", "resource": [
            "iam:role:legacy-auditor", "iam:group:finance", "iam:user:*", "iam:service-account:rolewright",
        ] },
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn narrowed_token_changes_nothing() {
    for lists in [Lists::SomeOrForbidden, Lists::Filtered, Lists::AllOrForbidden] {
        let world = settled::<Lenses>("narrowed").await;
        world.set_switches(|switches| switches.lists = lists);
        let (checkpoint, since) = (world.checkpoint(), world.log_position());
        world.limit_token(Some(narrow_policy()));
        world.until_requests(since, "30 requests", |entries| entries.len() > 30).await;
        world.assert_unchanged(&checkpoint, &format!("{lists:?}"));
        // A deletion in the meantime does not release things that are not visible.
        world.delete("RoleBinding", "readers").await;
        let deleting = world.get("RoleBinding", "readers").await;
        assert!(deleting.metadata.deletion_timestamp.is_some());
        let since = world.log_position();
        world.until_requests(since, "10 requests", |entries| entries.len() > 10).await;
        assert_eq!(managed_ids(&world.get("RoleBinding", "readers").await).len(), 1);
        assert!(world.owned_group("readers").is_some());
        world.limit_token(None);
        world.wait_deleted("RoleBinding", "readers").await;
        assert!(world.owned_group("readers").is_none());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn policy_decides_if_forbidden_looks_like_absent() {
    let world = settled::<Lenses>("hidden").await;
    let checkpoint = world.checkpoint();
    world.set_switches(|switches| (switches.denied_read_status, switches.lists) = (404, Lists::Filtered));
    world.limit_token(Some(narrow_policy()));
    world.full_sweep().await;
    world.full_sweep().await;
    world.assert_unchanged(&checkpoint, "hidden roles and groups");
    world.delete("RoleBinding", "readers").await;
    world.reports("RoleBinding", "readers", "DeletionBlocked", &[]).await;
    world.limit_token(None);
    world.wait_deleted("RoleBinding", "readers").await;
    assert!(world.owned_group("readers").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn group_that_hides_members_keeps_them() {
    let world = settled::<Lenses>("hidden-members").await;
    let shape = || world.owned_group("readers").map(|group| (group.roles, group.members));
    let before = shape();
    world.set_switches(|switches| switches.hidden_members = true);
    world.limit_token(Some(json!([
        { "effect": "allow", "action": "*", "resource": "*" },
        { "effect": "deny", "action": "iam:*", "resource": "iam:user:alice@example.com" },
    ])));
    world.apply(role("writer", json!({}))).await;
    world.ready("Role", "writer").await;
    world.full_sweep().await;
    world.full_sweep().await;
    assert_eq!(shape(), before);
    let group = world.owned_group("readers").unwrap().name;
    let backend = world.get("Backend", "lenses").await;
    let synced = condition(&backend, "Synced");
    assert_eq!(synced["reason"], "PartlyRead", "{synced}");
    assert!(synced["message"].as_str().unwrap().contains(&group), "{synced}");
    world.limit_token(None);
    world.ready("RoleBinding", "readers").await;
    world.full_sweep().await;
    assert_eq!(shape(), before, "members are added and removed one by one, so hidden ones stay");
}
