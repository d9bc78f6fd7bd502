//! The operator is killed in mid-flight, or sleeps while the world changes: one thing each, not zero, not two, and no step for a human.

use rolewright_simulators::{arize::Tenant, kit::faults::Action};
use serde_json::json;

use crate::support::{World, binding, held_ids, kept, restriction, role};

const READ: &str = "PROJECT_READ";

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_the_creation_of_a_role_and_its_record() {
    let mut world = World::new("killrole").await;
    let reader = role("reader", &[READ], json!({}));
    let made = |tenant: &Tenant| tenant.role_by_name("reader").is_some();
    let ready = world.killed_while_making(vec![reader], "/v2/roles", made, |_| {}, ("Role", "reader")).await;
    let id = world.sim.edit(|tenant| tenant.role_by_name("reader")).unwrap();
    assert_eq!(held_ids(&ready), [id.to_string()]);
    assert_eq!(world.roles_called("reader"), 1);
    assert_eq!(world.writes_since(0), ["POST /v2/roles"]);
    world.delete("Role", "reader").await;
    world.gone("Role", "reader").await;
    assert_eq!(world.roles_called("reader"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_grants_and_their_record_when_the_spec_changes_meanwhile() {
    let mut world = World::new("killgrant").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.apply(role("writer", &["PROJECT_UPDATE"], json!({}))).await;
    world.ready("Role", "reader").await;
    world.ready("Role", "writer").await;
    world.fault(&["POST"], "/v2/**", Action::Hold { after_work: true });
    let since = world.now();
    world.apply(binding("readers", "reader", &["alice@example.com", "bob@example.com"], json!({}))).await;
    world
        .until_asked(since, "both grants", |entries| {
            entries.iter().filter(|entry| entry.path == "/v2/role-bindings" && entry.is_write()).count() == 2
        })
        .await;
    world.operator.kill();
    world.mend();
    world.account("both are there", |tenant| tenant.role_bindings.len() == 3).await;
    // Another role, and one subject less, while nobody looks.
    world.apply(binding("readers", "writer", &["alice@example.com"], json!({}))).await;
    world.restart();
    let ready = world.ready("RoleBinding", "readers").await;
    assert_eq!(held_ids(&ready).len(), 1);
    let writer = world.sim.edit(|tenant| tenant.role_by_name("writer")).unwrap();
    assert_eq!(world.granted("research").into_iter().collect::<Vec<_>>(), [(world.user("alice"), writer)]);
    assert_eq!(world.count(since, "POST", "/v2/role-bindings"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_between_a_restriction_and_its_record_and_deleted_meanwhile() {
    let mut world = World::new("killrestrict").await;
    world.ready("Backend", "arize").await;
    world.fault(&["POST"], "/v2/**", Action::Hold { after_work: true });
    let since = world.now();
    world.apply(restriction("churn", "churn", json!({}))).await;
    world.until_asked(since, "the restriction", |entries| entries.iter().any(|entry| entry.is_write())).await;
    world.operator.kill();
    world.mend();
    world.account("it is restricted", |tenant| tenant.restrictions.len() == 2).await;
    world.delete("ResourceRestriction", "churn").await;
    assert!(kept(&world.get("ResourceRestriction", "churn").await));
    world.restart();
    world.gone("ResourceRestriction", "churn").await;
    assert_eq!(world.sim.edit(|tenant| tenant.restrictions.len()), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_before_the_creation_was_done() {
    let mut world = World::new("killbefore").await;
    world.ready("Backend", "arize").await;
    world.fault(&["POST"], "/v2/**", Action::Reset);
    let since = world.now();
    world.apply(role("reader", &[READ], json!({}))).await;
    kill_before(&mut world, since).await;
    let ready = world.ready("Role", "reader").await;
    assert_eq!(held_ids(&ready).len(), 1);
    assert_eq!(world.roles_called("reader"), 1);
}

async fn kill_before(world: &mut World, since: u64) {
    world.until_asked(since, "a try", |entries| entries.iter().any(|entry| entry.is_write())).await;
    world.operator.kill();
    world.mend();
    world.restart();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_whose_creation_never_came_about_goes_when_it_is_deleted() {
    let mut world = World::new("killnever").await;
    world.ready("Backend", "arize").await;
    world.fault(&["POST"], "/v2/**", Action::Reset);
    let since = world.now();
    world.apply(role("reader", &[READ], json!({}))).await;
    world.until_asked(since, "a try", |entries| entries.iter().any(|entry| entry.is_write())).await;
    world.operator.kill();
    world.mend();
    world.delete("Role", "reader").await;
    world.restart();
    world.gone("Role", "reader").await;
    assert_eq!(world.roles_called("reader"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_while_it_removes() {
    let mut world = World::new("killdelete").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.apply(binding("readers", "reader", &["alice@example.com", "bob@example.com"], json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.fault(&["DELETE"], "/v2/**", Action::Hold { after_work: true });
    let since = world.now();
    world.delete("RoleBinding", "readers").await;
    world.delete("Role", "reader").await;
    world
        .until_asked(since, "both removals", |entries| {
            entries.iter().filter(|entry| entry.method == "DELETE").count() == 2
        })
        .await;
    world.operator.kill();
    world.mend();
    world.restart();
    world.gone("RoleBinding", "readers").await;
    world.gone("Role", "reader").await;
    assert!(world.granted("research").is_empty());
    assert_eq!(world.roles_called("reader"), 0);
    assert_eq!(world.sim.edit(|tenant| tenant.role_bindings.len()), 1, "the one made by hand stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_edited_while_it_was_down_is_done_when_it_is_up() {
    let mut world = World::new("down").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.apply(role("writer", &["PROJECT_UPDATE"], json!({}))).await;
    world.apply(binding("readers", "reader", &["alice@example.com", "bob@example.com"], json!({}))).await;
    world.apply(restriction("churn", "churn", json!({}))).await;
    world.ready("Role", "writer").await;
    world.ready("RoleBinding", "readers").await;
    world.ready("ResourceRestriction", "churn").await;
    let before = world.granted("research").len();
    assert_eq!(before, 2);
    world.operator.kill();
    let since = world.now();
    world.apply(role("reader", &[READ, "PROJECT_UPDATE"], json!({}))).await;
    world.apply(binding("readers", "writer", &["alice@example.com"], json!({}))).await;
    world.delete("ResourceRestriction", "churn").await;
    world.restart();
    world.gone("ResourceRestriction", "churn").await;
    world.ready("Role", "reader").await;
    let ready = world.ready("RoleBinding", "readers").await;
    assert_eq!(held_ids(&ready).len(), 1);
    let writer = world.sim.edit(|tenant| tenant.role_by_name("writer")).unwrap();
    assert_eq!(world.granted("research").into_iter().collect::<Vec<_>>(), [(world.user("alice"), writer)]);
    let mut verbs: Vec<String> = world
        .writes_since(since)
        .iter()
        .map(|write| write.rsplit_once('/').map_or(write.clone(), |(call, _)| call.to_owned()))
        .collect();
    verbs.sort();
    assert_eq!(
        verbs,
        [
            "DELETE /v2/resource-restrictions",
            "DELETE /v2/role-bindings",
            "PATCH /v2/role-bindings",
            "PATCH /v2/roles"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_in_steady_state_writes_nothing() {
    let mut world = World::new("restart").await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.apply(binding("readers", "reader", &["alice@example.com", "bob@example.com"], json!({}))).await;
    world.apply(restriction("churn", "churn", json!({}))).await;
    world.ready("RoleBinding", "readers").await;
    world.ready("ResourceRestriction", "churn").await;
    world.swept().await;
    let (versions, said) = (world.versions().await, world.backend_says().await);
    let events = world.all("events.k8s.io/v1", "Event").await.len();
    for _ in 0..2 {
        world.operator.kill();
        let since = world.now();
        world.restart();
        world.swept().await;
        assert!(world.writes_since(since).is_empty());
        assert_eq!(world.versions().await, versions);
        assert_eq!(world.backend_says().await, said);
    }
    assert_eq!(world.all("events.k8s.io/v1", "Event").await.len(), events);
}
