//! Two namespaces on one account, each with its own credential: what one of them can keep the other from.

use rolewright_simulators::arize::{AccountRole, Grant, permissions};
use serde_json::{Value, json};

use crate::support::{
    ADMIN_CREDENTIAL, World, WorldBuilder, backend, binding, client, make_namespace, managed_ids, reason,
    role, shared,
};

const ALICE: &str = "alice@example.com";
const READ: &str = "PROJECT_READ";
const WRITE: &str = "PROJECT_UPDATE";
/// The name and the secret of the second team's credential.
const SECOND: (&str, &str) = ("second", "second-key-0123456789");

/// A world that is in one namespace at a time, and serves both.
struct Teams {
    world: World,
    first: String,
    second: String,
}

impl Teams {
    /// The first team has the admin's credential; the second one has all permissions except these.
    async fn new(name: &str, lost: &[&str]) -> Self {
        let builder = WorldBuilder::new(name);
        let first = builder.namespace().to_owned();
        let second = format!("{first}-second");
        make_namespace(&client(shared().await).await, &second).await;
        let namespaces = format!("{first},{second}");
        let world = builder.all_namespaces().args(["--namespaces", &namespaces]).build().await;
        let grant = member(&world, lost);
        world.add_credential(SECOND.0, SECOND.1, grant);
        let mut teams = Self { world, first, second };
        for (secret, is_second) in [(ADMIN_CREDENTIAL, false), (SECOND.1, true)] {
            let world = if is_second { teams.second() } else { teams.first() };
            world.apply_secret(secret).await;
            world.apply(backend(&world.sim.url(), json!({}))).await;
            world.ready("Backend", "arize").await;
        }
        teams
    }

    fn first(&mut self) -> &World {
        self.world.namespace.clone_from(&self.first);
        &self.world
    }

    fn second(&mut self) -> &World {
        self.world.namespace.clone_from(&self.second);
        &self.world
    }
}

/// The rights of a member with all permissions except these.
fn member(world: &World, lost: &[&str]) -> Grant {
    let all = permissions::ALL.iter().filter(|permission| !lost.contains(&permission.as_ref()));
    Grant {
        account_role: AccountRole::Member,
        permissions: Some(all.map(|permission| permission.to_string()).collect()),
        ..world.admin_grant()
    }
}

fn legacy_grant(name: &str, users: &[&str]) -> Value {
    binding(name, "", users, json!({ "roleRef": { "external": { "name": "Legacy reviewer" } } }))
}

fn viewer_grant(name: &str, users: &[&str]) -> Value {
    binding(name, "", users, json!({ "roleRef": { "external": { "name": "Project Viewer" } } }))
}

#[tokio::test(flavor = "multi_thread")]
async fn unproven_desire_elsewhere_stops_no_revocation() {
    let mut teams = Teams::new("veto", &["ROLE_BINDING_READ", "ROLE_BINDING_CREATE"]).await;
    let world = teams.first();
    world.apply(legacy_grant("readers", &[ALICE])).await;
    world.ready("RoleBinding", "readers").await;
    let world = teams.second();
    world.apply(legacy_grant("veto", &[ALICE])).await;
    world.reports("RoleBinding", "veto", "DependencyNotReady", &["an object in another namespace"]).await;
    let world = teams.first();
    world.delete_and_wait("RoleBinding", "readers").await;
    assert!(world.grants_of(ALICE).is_empty());
    teams.second().reports("RoleBinding", "veto", "Denied", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refused_create_elsewhere_blocks_no_grant() {
    let mut teams = Teams::new("squatter", &["ROLE_BINDING_CREATE"]).await;
    let world = teams.second();
    world.apply(legacy_grant("squatter", &[ALICE])).await;
    world.reports("RoleBinding", "squatter", "Denied", &["ROLE_BINDING_CREATE"]).await;
    let world = teams.first();
    world.apply(viewer_grant("viewers", &[ALICE])).await;
    world.ready("RoleBinding", "viewers").await;
    assert_eq!(world.grants_of(ALICE)[0].1, "Project Viewer");
    // Once the other team can, it still does not take over what the first one manages.
    let all = member(world, &[]);
    world.limit_credential(SECOND.0, all);
    let world = teams.second();
    world.request_reconcile("RoleBinding", "squatter", "now").await;
    let expected = ["an object in another namespace", "ask a cluster admin"];
    world.reports("RoleBinding", "squatter", "Conflict", &expected).await;
    assert_eq!(world.grants_of(ALICE)[0].1, "Project Viewer");
}

#[tokio::test(flavor = "multi_thread")]
async fn sharer_that_leaves_reports_who_keeps_the_role() {
    let mut teams = Teams::new("still-granted", &[]).await;
    let world = teams.second();
    world.apply(legacy_grant("elsewhere", &["bob@example.com"])).await;
    world.ready("RoleBinding", "elsewhere").await;
    let world = teams.first();
    world.apply(legacy_grant("one", &[ALICE])).await;
    world.ready("RoleBinding", "one").await;
    world.apply(legacy_grant("two", &[ALICE, "bob@example.com", "dave@example.com"])).await;
    world.ready("RoleBinding", "two").await;

    let kept = format!(
        "alice@example.com keeps the role Legacy reviewer on space research: RoleBinding {}/one grants it too",
        world.namespace
    );
    let since = world.log_position();
    world.apply(legacy_grant("two", &["bob@example.com", "dave@example.com"])).await;
    assert_eq!(world.event("two", "StillGranted").await, kept);
    world.assert_no_writes(since);
    assert_eq!(world.grants_of(ALICE).len(), 1);

    world.delete_and_wait("RoleBinding", "two").await;
    let elsewhere = "bob@example.com keeps the role Legacy reviewer on space research: an object in another namespace grants it too";
    let deadline = tokio::time::Instant::now() + std::time::Duration::from_secs(60);
    while !world.objects_and_events().await.contains(elsewhere) {
        assert!(tokio::time::Instant::now() < deadline, "{}", world.objects_and_events().await);
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(world.grants_of("dave@example.com").is_empty());
    assert_eq!(world.grants_of("bob@example.com").len(), 1);
    assert_eq!(world.count_events("two", "Released").await, 0, "it reports what stays, and why");
}

#[tokio::test(flavor = "multi_thread")]
async fn unready_backend_elsewhere_stops_no_deletion() {
    let mut teams = Teams::new("unready", &[]).await;
    let world = teams.first();
    world.apply(role("first", &[READ], json!({ "name": "shared name" }))).await;
    world.ready("Role", "first").await;
    world.apply(legacy_grant("readers", &[ALICE])).await;
    world.ready("RoleBinding", "readers").await;
    let world = teams.second();
    world.apply(role("heir", &[READ, WRITE], json!({ "name": "shared name" }))).await;
    world.reports("Role", "heir", "Conflict", &["an object in another namespace"]).await;
    world.apply(legacy_grant("sharers", &[ALICE])).await;
    let id = managed_ids(&world.ready("RoleBinding", "sharers").await);
    world.sim.world().credentials.expire(SECOND.0).unwrap();
    world.reports("Backend", "arize", "Denied", &[]).await;

    let world = teams.first();
    world.delete_and_wait("Role", "first").await;
    assert_eq!(world.role_id("shared name"), None);
    world.delete_and_wait("RoleBinding", "readers").await;
    assert_eq!(world.grants_of(ALICE)[0].0, id[0], "its record keeps the grant");

    let world = teams.second();
    world.sim.world().credentials.revive(SECOND.0).unwrap();
    world.ready("Role", "heir").await;
    world.delete_and_wait("RoleBinding", "sharers").await;
    assert!(world.grants_of(ALICE).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn role_and_bindings_move_without_a_loss_of_access() {
    let mut teams = Teams::new("move", &[]).await;
    for (number, order) in ["binding first", "role first", "new after the role"].into_iter().enumerate() {
        let name = format!("reader-{number}");
        let moved = role(&name, &[READ], json!({}));
        let readers = binding(&name, &name, &[ALICE], json!({}));
        let world = teams.first();
        world.apply_all(&[moved.clone(), readers.clone()]).await;
        let ids = managed_ids(&world.get("RoleBinding", &name).await);
        let since = world.log_position();
        if order == "new after the role" {
            world.delete("Role", &name).await;
            world.reports("Role", &name, "DeletionBlocked", &[]).await;
        }
        let world = teams.second();
        world.apply(moved).await;
        world.apply(readers).await;
        world.until("RoleBinding", &name, "shares the grant", |object| managed_ids(object) == ids).await;
        if order != "new after the role" {
            world.reports("RoleBinding", &name, "DependencyNotReady", &["takes over the role"]).await;
        }
        let world = teams.first();
        if order == "binding first" {
            world.delete_and_wait("RoleBinding", &name).await;
            assert_eq!(world.grants_of(ALICE).len(), 1, "{order}");
            world.delete_and_wait("Role", &name).await;
        } else {
            if order == "role first" {
                world.delete("Role", &name).await;
            }
            world.delete_and_wait("RoleBinding", &name).await;
            world.wait_deleted("Role", &name).await;
        }
        let world = teams.second();
        world.ready("Role", &name).await;
        assert_eq!(managed_ids(&world.ready("RoleBinding", &name).await), ids, "{order}");
        world.assert_no_writes(since);
        world.delete_all(&[("RoleBinding", &name), ("Role", &name)]).await;
        assert!(world.grants_of(ALICE).is_empty() && world.role_id(&name).is_none(), "{order}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn deleted_namespace_elsewhere_leaves_no_claim() {
    let mut teams = Teams::new("left", &[]).await;
    let world = teams.second();
    world.apply(legacy_grant("sharers", &[ALICE])).await;
    world.ready("RoleBinding", "sharers").await;
    let world = teams.first();
    world.apply(legacy_grant("readers", &[ALICE])).await;
    world.ready("RoleBinding", "readers").await;
    // Without finalizers, all of it vanishes at once.
    let world = teams.second();
    world.delete_secret().await;
    world.reports("Backend", "arize", "NotFound", &[]).await;
    for (kind, name) in [("RoleBinding", "sharers"), ("Backend", "arize")] {
        world.patch(kind, name, json!({ "metadata": { "finalizers": null } })).await;
        world.delete_and_wait(kind, name).await;
    }
    let world = teams.first();
    assert_eq!(reason(&world.get("RoleBinding", "readers").await), "InSync");
    world.delete_and_wait("RoleBinding", "readers").await;
    assert!(world.grants_of(ALICE).is_empty());
}
