//! Arize credentials that lose rights: unknown is not absent. Nothing is created again, nothing is released, and the objects report it.

use rolewright_simulators::{
    arize::{ADMIN, AccountRole, Grant, permissions},
    kit::faults::Action,
};
use serde_json::json;

use crate::support::{World, backend, binding, has_finalizer, managed_ids, role};

const READ: &str = "PROJECT_READ";

/// The rights of a member with all permissions except these.
fn without(world: &World, lost: &[&str]) -> Grant {
    let all = permissions::ALL.iter().filter(|permission| !lost.contains(&permission.as_ref()));
    Grant {
        account_role: AccountRole::Member,
        permissions: Some(all.map(|permission| permission.to_string()).collect()),
        ..world.admin_grant()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn losing_read_access_to_bindings_changes_no_binding() {
    let world = World::in_sync("no-bindings").await;
    let (access, since) = (world.access(), world.log_position());
    let before = managed_ids(&world.get("RoleBinding", "readers").await);
    world.limit_credential(ADMIN, without(&world, &["ROLE_BINDING_READ"]));
    world.reports("RoleBinding", "readers", "Denied", &["is not visible", "lost read access"]).await;
    world.full_sweep().await;
    world.ready("Role", "reader").await;
    world.delete("RoleBinding", "readers").await;
    world
        .reports("RoleBinding", "readers", "DeletionBlocked", &["is not visible", "deletionPolicy: Retain"])
        .await;
    world.full_sweep().await;
    let deleting = world.get("RoleBinding", "readers").await;
    assert!(has_finalizer(&deleting));
    assert_eq!(managed_ids(&deleting), before);
    assert_eq!(world.access(), access);
    world.assert_no_writes(since);
    // Other objects are not affected.
    world.apply(role("another", &[READ], json!({}))).await;
    world.ready("Role", "another").await;
    world.limit_credential(ADMIN, world.admin_grant());
    world.wait_deleted("RoleBinding", "readers").await;
    assert!(world.roles_by_user("research").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn restored_read_access_finds_everything_unchanged() {
    let world = World::in_sync("widened").await;
    let (access, since) = (world.access(), world.log_position());
    world.limit_credential(ADMIN, without(&world, &["ROLE_BINDING_READ"]));
    world.reports("RoleBinding", "readers", "Denied", &[]).await;
    world.limit_credential(ADMIN, world.admin_grant());
    world.ready("RoleBinding", "readers").await;
    assert_eq!(world.access(), access);
    world.assert_no_writes(since);
}

#[tokio::test(flavor = "multi_thread")]
async fn losing_access_to_a_space_changes_nothing_in_it() {
    let world = World::in_sync("spaces").await;
    let (access, since) = (world.access(), world.log_position());
    let elsewhere = Grant { spaces: Some([world.space_id("storefront")].into()), ..without(&world, &[]) };
    world.limit_credential(ADMIN, elsewhere);
    world.reports("RoleBinding", "readers", "NotFound", &["research", "that the credential can see"]).await;
    world
        .reports("ResourceRestriction", "churn", "NotFound", &["research", "that the credential can see"])
        .await;
    let scope = json!({ "scope": { "space": "storefront" } });
    world.apply(binding("there", "reader", &["carol@example.com"], scope)).await;
    world.ready("RoleBinding", "there").await;
    world.delete("ResourceRestriction", "churn").await;
    world.reports("ResourceRestriction", "churn", "DeletionBlocked", &["is not visible"]).await;
    world.delete("RoleBinding", "readers").await;
    world.reports("RoleBinding", "readers", "DeletionBlocked", &["is not visible"]).await;
    world.full_sweep().await;
    assert_eq!(world.writes_since(since), ["POST /v2/role-bindings"]);
    assert_eq!(world.roles_by_user("research").len(), 2);
    assert_eq!(world.access()[2], access[2]);
    world.limit_credential(ADMIN, world.admin_grant());
    world.wait_deleted("ResourceRestriction", "churn").await;
    world.wait_deleted("RoleBinding", "readers").await;
    assert!(world.roles_by_user("research").is_empty());
    assert_eq!(world.roles_by_user("storefront").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn credential_without_any_space_keeps_its_backend_ready() {
    let world = World::in_sync("no-space").await;
    let (access, since) = (world.access(), world.log_position());
    world.limit_credential(ADMIN, Grant { spaces: Some([].into()), ..without(&world, &[]) });
    world.reports("RoleBinding", "readers", "NotFound", &["that the credential can see"]).await;
    world.request_reconcile("Backend", "arize", "now").await;
    world.full_sweep().await;
    world.ready("Backend", "arize").await;
    assert_eq!(world.access(), access);
    world.assert_no_writes(since);
    world.limit_credential(ADMIN, world.admin_grant());
    world.all_ready(&[("RoleBinding", "readers"), ("ResourceRestriction", "churn")]).await;
    world.assert_no_writes(since);
}

#[tokio::test(flavor = "multi_thread")]
async fn losing_read_access_to_roles_changes_no_role() {
    let world = World::in_sync("no-roles").await;
    let (access, since) = (world.access(), world.log_position());
    world.limit_credential(ADMIN, without(&world, &["ROLE_READ"]));
    world.reports("Role", "reader", "Denied", &["is not visible"]).await;
    world.full_sweep().await;
    world.ready("RoleBinding", "readers").await;
    world.apply(role("fresh", &[READ], json!({}))).await;
    world.delete("Role", "reader").await;
    world.delete_and_wait("RoleBinding", "readers").await;
    world.reports("Role", "reader", "DeletionBlocked", &["is not visible"]).await;
    world.full_sweep().await;
    assert_eq!(world.count_requests(since, "DELETE", "/v2/role-bindings"), 0);
    assert_eq!(world.access()[2], access[2]);
    assert_eq!(world.count_roles("reader"), 1);
    assert!(has_finalizer(&world.get("Role", "reader").await));
    world.limit_credential(ADMIN, world.admin_grant());
    world.wait_deleted("Role", "reader").await;
    world.ready("Role", "fresh").await;
    assert_eq!((world.count_roles("reader"), world.count_roles("fresh")), (0, 1));
}

/// A world whose credential is a member's: it can write bindings but no roles, and no audit log proves what it can read.
async fn with_member_credential(name: &str, users: &[&str]) -> World {
    let world = World::without_backend(name).await;
    let member = Grant { account_role: AccountRole::Member, ..world.admin_grant() };
    world.add_credential("member", "member-key", member);
    world.apply_secret("member-key").await;
    world.apply(backend(&world.sim.url(), json!({}))).await;
    let external = json!({ "roleRef": { "external": { "name": "Project Viewer" } } });
    world.apply(binding("viewers", "", users, external)).await;
    world.ready("RoleBinding", "viewers").await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn member_credential_corrects_drift_if_a_binding_is_visible() {
    let world = with_member_credential("witness", &["alice@example.com", "bob@example.com"]).await;
    world.revoke_by_hand("bob@example.com", "research");
    world.event("viewers", "DriftCorrected").await;
    world.ready("RoleBinding", "viewers").await;
    assert_eq!(world.roles_by_user("research").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn member_credential_does_not_trust_an_empty_space() {
    let world = with_member_credential("no-witness", &["alice@example.com"]).await;
    let since = world.log_position();
    world.revoke_by_hand("alice@example.com", "research");
    world.reports("RoleBinding", "viewers", "Denied", &["is not visible", "it was deleted"]).await;
    world.assert_no_writes_after_sweep(since).await;
    assert!(has_finalizer(&world.get("RoleBinding", "viewers").await));
}

#[tokio::test(flavor = "multi_thread")]
async fn rights_lost_during_a_sweep_prove_nothing() {
    let world = World::in_sync("mid-sweep").await;
    let (access, since) = (world.access(), world.log_position());
    world.inject_fault(&["GET"], "/v2/role-bindings", Action::Hold { after_work: false });
    // Before it reads lists, the sweep proves that the credential is an admin's.
    world
        .until_requests(since, "the list of bindings, on hold", |entries| {
            entries.iter().any(|entry| entry.path == "/v2/role-bindings" && entry.status.is_none())
        })
        .await;
    world.limit_credential(ADMIN, without(&world, &["ROLE_BINDING_READ"]));
    world.delete("RoleBinding", "readers").await;
    world
        .until_requests(since, "a read of the binding", |entries| {
            entries
                .iter()
                .any(|entry| entry.path.starts_with("/v2/role-bindings/") && entry.status == Some(404))
        })
        .await;
    world.clear_faults();
    world.reports("RoleBinding", "readers", "DeletionBlocked", &["is not visible"]).await;
    world.full_sweep().await;
    assert!(has_finalizer(&world.get("RoleBinding", "readers").await));
    assert_eq!(world.access(), access);
    world.limit_credential(ADMIN, world.admin_grant());
    world.wait_deleted("RoleBinding", "readers").await;
    assert!(world.roles_by_user("research").is_empty());
}
