//! Keys that see less than before: unknown is not absent. Nothing is made again, nothing let go, and the objects say so.

use rolewright_simulators::arize::{ADMIN, AccountRole, Grant, permissions, role_bindings};
use serde_json::json;

use crate::support::{World, binding, held_ids, kept, restriction, role, status};

const READ: &str = "PROJECT_READ";

/// A member's key with all permissions but these.
fn without(world: &World, lost: &[&str]) -> Grant {
    let all = permissions::ALL.iter().filter(|permission| !lost.contains(&permission.as_ref()));
    Grant {
        account_role: AccountRole::Member,
        permissions: Some(all.map(|permission| permission.to_string()).collect()),
        ..world.admin()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_read_no_bindings_any_more_makes_none_again_and_lets_none_go() {
    let world = World::in_sync("nobindings").await;
    world.swept().await;
    let (access, since) = (world.access(), world.now());
    let before = held_ids(&world.get("RoleBinding", "readers").await);
    world.narrow(ADMIN, without(&world, &["ROLE_BINDING_READ"]));
    world.says("RoleBinding", "readers", "Denied", &["is not visible", "lost read access"]).await;
    world.swept().await;
    world.ready("Role", "reader").await;
    world.delete("RoleBinding", "readers").await;
    world
        .says("RoleBinding", "readers", "DeletionBlocked", &["is not visible", "deletionPolicy: Retain"])
        .await;
    world.swept().await;
    let going = world.get("RoleBinding", "readers").await;
    assert!(kept(&going));
    assert_eq!(held_ids(&going), before);
    assert_eq!(world.access(), access);
    assert!(world.writes_since(since).is_empty(), "{:?}", world.writes_since(since));
    // The others go on.
    world.apply(role("another", &[READ], json!({}))).await;
    world.ready("Role", "another").await;
    world.narrow(ADMIN, world.admin());
    world.gone("RoleBinding", "readers").await;
    assert!(world.granted("research").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_widened_again_finds_all_as_it_was() {
    let world = World::in_sync("widened").await;
    world.swept().await;
    let (access, since) = (world.access(), world.now());
    world.narrow(ADMIN, without(&world, &["ROLE_BINDING_READ"]));
    world.says("RoleBinding", "readers", "Denied", &[]).await;
    world.narrow(ADMIN, world.admin());
    world.ready("RoleBinding", "readers").await;
    assert_eq!(world.access(), access);
    assert!(world.writes_since(since).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_limited_to_other_spaces_leaves_what_it_no_longer_sees_as_it_is() {
    let world = World::in_sync("spaces").await;
    world.swept().await;
    let (access, since) = (world.access(), world.now());
    let elsewhere = Grant { spaces: Some([world.space("storefront")].into()), ..without(&world, &[]) };
    world.narrow(ADMIN, elsewhere);
    world.says("RoleBinding", "readers", "NotFound", &["research", "that the key can see"]).await;
    world.says("ResourceRestriction", "churn", "NotFound", &["research", "that the key can see"]).await;
    world
        .apply(binding(
            "there",
            "reader",
            &["carol@example.com"],
            json!({ "scope": { "space": "storefront" } }),
        ))
        .await;
    world.ready("RoleBinding", "there").await;
    world.delete("ResourceRestriction", "churn").await;
    world.says("ResourceRestriction", "churn", "DeletionBlocked", &["is not visible"]).await;
    world.delete("RoleBinding", "readers").await;
    world.says("RoleBinding", "readers", "DeletionBlocked", &["is not visible"]).await;
    world.swept().await;
    assert_eq!(world.writes_since(since), ["POST /v2/role-bindings"]);
    assert_eq!(world.granted("research").len(), 2);
    assert_eq!(world.access()[2], access[2]);
    world.narrow(ADMIN, world.admin());
    world.gone("ResourceRestriction", "churn").await;
    world.gone("RoleBinding", "readers").await;
    assert!(world.granted("research").is_empty());
    assert_eq!(world.granted("storefront").len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_sees_no_space_at_all_is_still_the_key_of_its_account() {
    let world = World::in_sync("nospace").await;
    world.swept().await;
    let (access, since) = (world.access(), world.now());
    world.narrow(ADMIN, Grant { spaces: Some([].into()), ..without(&world, &[]) });
    world.says("RoleBinding", "readers", "NotFound", &["that the key can see"]).await;
    world.annotate("Backend", "arize", "rolewright.dev/reconcile-at", "now").await;
    world.swept().await;
    world.ready("Backend", "arize").await;
    assert_eq!(world.access(), access);
    assert!(world.writes_since(since).is_empty());
    world.narrow(ADMIN, world.admin());
    world.ready("RoleBinding", "readers").await;
    world.ready("ResourceRestriction", "churn").await;
    assert!(world.writes_since(since).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_may_read_no_roles_any_more_makes_none_again_and_lets_none_go() {
    let world = World::in_sync("noroles").await;
    world.swept().await;
    let (access, since) = (world.access(), world.now());
    world.narrow(ADMIN, without(&world, &["ROLE_READ"]));
    world.says("Role", "reader", "Denied", &["is not visible"]).await;
    world.swept().await;
    world.ready("RoleBinding", "readers").await;
    world.apply(role("fresh", &[READ], json!({}))).await;
    world.delete("Role", "reader").await;
    world.delete("RoleBinding", "readers").await;
    world.gone("RoleBinding", "readers").await;
    world.says("Role", "reader", "DeletionBlocked", &["is not visible"]).await;
    world.swept().await;
    assert_eq!(world.count(since, "DELETE", "/v2/role-bindings"), 0);
    assert_eq!(world.access()[2], access[2]);
    assert_eq!(world.roles_called("reader"), 1);
    assert!(kept(&world.get("Role", "reader").await));
    world.narrow(ADMIN, world.admin());
    world.gone("Role", "reader").await;
    world.ready("Role", "fresh").await;
    assert_eq!((world.roles_called("reader"), world.roles_called("fresh")), (0, 1));
}

/// A member's key, which may write bindings and not roles, and no audit log to prove anything.
async fn with_a_members_key(name: &str, users: &[&str]) -> World {
    let world = World::without_backend(name, &[]).await;
    let member = Grant { account_role: AccountRole::Member, ..world.admin() };
    world.add_key("member", "member-key", member);
    world.secret("member-key").await;
    world.apply(crate::support::backend(&world.sim.url(), json!({}))).await;
    let external = json!({ "roleRef": { "external": { "name": "Project Viewer" } } });
    world.apply(binding("viewers", "", users, external)).await;
    world.ready("RoleBinding", "viewers").await;
    world
}

fn revoke_by_hand(world: &World, local_part: &str) {
    let (user, space) = (world.user(local_part), world.space("research"));
    world.sim.edit(|tenant| {
        let id = role_bindings::held(tenant, user, space).unwrap().id;
        tenant.role_bindings.remove(id);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn a_members_key_puts_drift_right_where_a_binding_proves_the_space() {
    let world = with_a_members_key("witness", &["alice@example.com", "bob@example.com"]).await;
    revoke_by_hand(&world, "bob");
    world.event("viewers", "DriftCorrected").await;
    world.ready("RoleBinding", "viewers").await;
    assert_eq!(world.granted("research").len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_members_key_does_not_take_an_empty_space_for_proof() {
    let world = with_a_members_key("nowitness", &["alice@example.com"]).await;
    let since = world.now();
    revoke_by_hand(&world, "alice");
    world.says("RoleBinding", "viewers", "Denied", &["is not visible", "it was deleted"]).await;
    world.swept().await;
    assert!(world.writes_since(since).is_empty());
    assert!(kept(&world.get("RoleBinding", "viewers").await));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_of_one_object_leaves_all_others_working() {
    let world = World::in_sync("onedenied").await;
    world.apply(role("other", &[READ], json!({}))).await;
    let id = held_ids(&world.ready("Role", "other").await).remove(0);
    world.fault(&["PATCH"], &format!("/v2/roles/{id}"), status(403));
    let since = world.now();
    world.apply(role("other", &[READ, "PROJECT_UPDATE"], json!({}))).await;
    world.apply(role("reader", &[READ, "PROJECT_UPDATE"], json!({}))).await;
    let denied = world.says("Role", "other", "Denied", &["ROLE_UPDATE"]).await;
    assert_eq!(held_ids(&denied), std::slice::from_ref(&id));
    assert_eq!(denied.data["status"]["plan"]["summary"], "+0 ~1 -0");
    world.ready("Role", "reader").await;
    world.ready("Backend", "arize").await;
    world.swept().await;
    world.swept().await;
    let tries = world.count(since, "PATCH", &format!("/v2/roles/{id}"));
    // A sweep that began before the refusal was recorded may have asked for one more look.
    assert!(tries <= 2, "a refusal is tried again slowly: {tries} times");
    world.delete("Role", "other").await;
    world.gone("Role", "other").await;
    world.mend();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_an_audit_log_works_and_proves_less() {
    let world = World::without_backend("noaudit", &[]).await;
    world.sim.edit(|tenant| tenant.switches.audit_logs = false);
    world.secret(crate::support::KEY).await;
    world.apply(crate::support::backend(&world.sim.url(), json!({}))).await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.apply(binding("readers", "reader", &["alice@example.com"], json!({}))).await;
    world.apply(restriction("churn", "churn", json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.ready("ResourceRestriction", "churn").await;
    world.delete("ResourceRestriction", "churn").await;
    world.gone("ResourceRestriction", "churn").await;
    world.delete("RoleBinding", "readers").await;
    world.gone("RoleBinding", "readers").await;
    world.delete("Role", "reader").await;
    world.gone("Role", "reader").await;
    assert!(world.granted("research").is_empty());
    assert_eq!(world.roles_called("reader"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_narrowed_in_the_middle_of_a_sweep_has_proven_nothing() {
    let world = World::in_sync("midsweep").await;
    world.swept().await;
    let (access, since) = (world.access(), world.now());
    let hold = rolewright_simulators::kit::faults::Action::Hold { after_work: false };
    world.fault(&["GET"], "/v2/role-bindings", hold);
    // Before it reads lists, the sweep has proven that the key is an administrator's.
    world
        .until_asked(since, "the bindings, held", |entries| {
            entries.iter().any(|entry| entry.path == "/v2/role-bindings" && entry.status.is_none())
        })
        .await;
    world.narrow(ADMIN, without(&world, &["ROLE_BINDING_READ"]));
    world.delete("RoleBinding", "readers").await;
    world
        .until_asked(since, "a look at the binding", |entries| {
            entries
                .iter()
                .any(|entry| entry.path.starts_with("/v2/role-bindings/") && entry.status == Some(404))
        })
        .await;
    world.mend();
    world.says("RoleBinding", "readers", "DeletionBlocked", &["is not visible"]).await;
    world.swept().await;
    assert!(kept(&world.get("RoleBinding", "readers").await));
    assert_eq!(world.access(), access);
    world.narrow(ADMIN, world.admin());
    world.gone("RoleBinding", "readers").await;
    assert!(world.granted("research").is_empty());
}
