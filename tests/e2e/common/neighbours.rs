//! Accounts beside one another: one that does not answer, pauses or imports delays only its own objects.

use kube::api::Patch;
use rolewright_simulators::{
    arize::Arize,
    kit::{
        Options, Server,
        faults::{Action, Fault},
    },
};
use serde_json::{Value, json};

use crate::support::{ADMIN_CREDENTIAL, World, backend, role, throttle};

const EVERYTHING: &[&str] = &["GET", "POST", "PATCH", "DELETE"];

async fn account() -> Server<Arize> {
    Server::start(Options::new(ADMIN_CREDENTIAL)).await.unwrap()
}

/// The Secret can also go to these accounts.
async fn allow(world: &World, others: &[&Server<Arize>]) {
    let mut hosts = vec![world.sim.address().to_string()];
    hosts.extend(others.iter().map(|other| other.address().to_string()));
    let annotations = json!({ "rolewright.dev/hosts": hosts.join(",") });
    let patch = Patch::Merge(json!({ "metadata": { "annotations": annotations } }));
    world.api("v1", "Secret").patch("arize-key", &Default::default(), &patch).await.unwrap();
}

fn backend_of(account: &Server<Arize>, name: &str) -> Value {
    let mut backend = backend(&account.url(), json!({}));
    backend["metadata"]["name"] = name.into();
    backend
}

fn role_of(backend: &str, name: &str) -> Value {
    role(name, &["PROJECT_READ"], json!({ "backendRef": { "name": backend } }))
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_that_never_answer_delay_no_other_account() {
    let world = World::without_backend("dead-hosts").await;
    let dead = account().await;
    dead.world().faults.add(Fault::on(EVERYTHING, "/v2/**", Action::Hold { after_work: false })).unwrap();
    world.apply_secret(ADMIN_CREDENTIAL).await;
    allow(&world, &[&dead]).await;
    for n in 0..12 {
        world.apply(backend_of(&dead, &format!("dead-{n}"))).await;
        world.apply(role_of(&format!("dead-{n}"), &format!("dead-{n}"))).await;
    }
    world.apply(backend(&world.sim.url(), json!({}))).await;
    world.apply(role_of("arize", "reader")).await;
    world.ready("Role", "reader").await;
    assert!(world.get("Backend", "dead-0").await.data["status"].is_null(), "its probe has not ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_account_delays_no_other() {
    let world = World::new("paused").await;
    let other = account().await;
    allow(&world, &[&other]).await;
    world.apply(backend_of(&other, "other")).await;
    world.apply(role_of("other", "first")).await;
    world.ready("Role", "first").await;
    other.world().faults.add(Fault::on(&["POST"], "/v2/roles", throttle(600))).unwrap();
    for n in 0..8 {
        world.apply(role_of("other", &format!("waits-{n}"))).await;
    }
    for n in 0..8 {
        world.reports("Role", &format!("waits-{n}"), "Throttled", &[]).await;
    }
    world.apply(role_of("arize", "reader")).await;
    world.ready("Role", "reader").await;
    world.reports("Backend", "other", "Connected", &[]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_in_one_namespace_delays_no_other_account() {
    let world = World::new("import").await;
    let other = account().await;
    allow(&world, &[&other]).await;
    world.apply(backend_of(&other, "other")).await;
    world.ready("Backend", "other").await;
    other
        .world()
        .faults
        .add(Fault::on(&["POST"], "/v2/roles", Action::Delay { millis: 2000, after_work: false }))
        .unwrap();
    for n in 0..100 {
        world.apply(role_of("other", &format!("imported-{n}"))).await;
    }
    world.apply(role_of("arize", "reader")).await;
    world.ready("Role", "reader").await;
    let made = other.world().tenant().roles.iter().filter(|role| role.name.starts_with("imported-")).count();
    assert!(made < 100, "the import ended first, so the test proves nothing");
}
