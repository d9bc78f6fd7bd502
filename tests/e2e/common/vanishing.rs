//! Many managed things vanish from the account at once: Rolewright creates them again only after a user acknowledges it.

use serde_json::{Value, json};

use crate::support::{World, backend, binding, has_finalizer, restriction, role};

const USERS: [&str; 6] = [
    "alice@example.com",
    "bob@example.com",
    "carol@example.com",
    "dave@example.com",
    "erin@example.com",
    "ann@example.com",
];

fn reader() -> Value {
    role("reader", &["PROJECT_READ"], json!({}))
}

/// Removes all bindings on the space `research` by hand.
fn revoke_all(world: &World) {
    let space = world.space_id("research");
    world.sim.edit(|tenant| tenant.role_bindings.retain(|binding| binding.resource_id != space));
}

#[tokio::test(flavor = "multi_thread")]
async fn vanished_things_wait_for_their_acknowledgement() {
    let world = World::new("vanished").await;
    let binding = |(n, user): (usize, &&str)| binding(&format!("readers-{n}"), "reader", &[user], json!({}));
    let mut objects = vec![reader(), restriction("churn", "churn", json!({}))];
    objects.extend(USERS.iter().enumerate().map(binding));
    world.apply_all(&objects).await;
    world.full_sweep().await;
    let since = world.log_position();
    revoke_all(&world);
    world
        .reports(
            "Backend",
            "arize",
            "Vanished",
            &["6 of 8 managed things vanished", "kubectl annotate", "rolewright.dev/acknowledge="],
        )
        .await;
    world.full_sweep().await;
    world.assert_no_writes_after_sweep(since).await;
    world.delete("RoleBinding", "readers-0").await;
    world.reports("RoleBinding", "readers-0", "BackendNotReady", &["managed things vanished"]).await;
    world.request_reconcile("Backend", "arize", "requested").await;
    world.annotate("Backend", "arize", "rolewright.dev/acknowledge", "0123456789ab".to_owned()).await;
    world.full_sweep().await;
    world.assert_no_writes_after_sweep(since).await;
    world.acknowledge("arize").await;
    world.wait_deleted("RoleBinding", "readers-0").await;
    world.until_account("five are granted again", |tenant| tenant.role_bindings.len() == 6).await;
    world.ready("Backend", "arize").await;
    world.full_sweep().await;
    for n in 1..6 {
        world.ready("RoleBinding", &format!("readers-{n}")).await;
    }
    assert_eq!(world.roles_by_user("research").len(), 5);
    let backend = world.get("Backend", "arize").await;
    assert_eq!(backend.data["status"]["lastHandledReconcileAt"], "requested");
    assert!(has_finalizer(&world.get("RoleBinding", "readers-1").await));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_acknowledgement_lasts_until_all_are_created_again() {
    let world = World::new("slow-recovery").await;
    let names = ["alice", "bob", "carol", "dave", "erin", "frank", "ann", "joann", "dianna", "judy"];
    let mut objects = vec![reader()];
    for (name, space) in names.iter().flat_map(|name| ["research", "storefront"].map(|space| (name, space))) {
        let scope = json!({ "scope": { "space": space } });
        let user = format!("{name}@example.com");
        objects.push(binding(&format!("{name}-{space}"), "reader", &[&user], scope));
    }
    world.apply_all(&objects).await;
    let slow = json!({ "requests": { "perSecond": 6, "burst": 2, "concurrency": 1 } });
    world.apply(backend(&world.sim.url(), slow)).await;
    world.full_sweep().await;
    let reader = world.role_id("reader").unwrap();
    world.sim.edit(|tenant| tenant.role_bindings.retain(|binding| binding.role_id != reader));
    world.reports("Backend", "arize", "Vanished", &["20 of 21 managed things vanished"]).await;
    let since = world.log_position();
    world.acknowledge("arize").await;
    world.until_account("all are granted again", |tenant| tenant.role_bindings.len() == 21).await;
    let sweeps = world.count_requests(since, "GET", "/v2/roles");
    assert!(sweeps >= 2, "the recovery took less than two sweeps, so the test proves nothing");
    world.ready("Backend", "arize").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn things_that_reappear_need_no_acknowledgement() {
    let world = World::new("reappear").await;
    world.apply_all(&[reader(), binding("readers", "reader", &USERS, json!({}))]).await;
    world.full_sweep().await;
    let since = world.log_position();
    let bindings = world.sim.edit(|tenant| tenant.role_bindings.clone());
    revoke_all(&world);
    world.reports("Backend", "arize", "Vanished", &["vanished"]).await;
    world.sim.edit(|tenant| tenant.role_bindings = bindings);
    world.ready("Backend", "arize").await;
    world.ready("RoleBinding", "readers").await;
    world.assert_no_writes_after_sweep(since).await;
}
