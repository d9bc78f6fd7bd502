//! Keys that are wrong, die, come back, are missing, or belong to another account: nothing is written, nothing lost, and the Backend
//! says what to do.

use rolewright_simulators::{
    arize::{self, ADMIN, Kind, Simulator},
    kit::log::Entry,
};
use serde_json::json;

use crate::support::{KEY, World, backend, held_ids, kept, restriction, role, status};

const READ: &str = "PROJECT_READ";

fn refused(entries: &[Entry]) -> usize {
    entries.iter().filter(|entry| entry.status == Some(401)).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_makes_a_handful_of_calls_for_many_objects_and_a_changed_secret_takes_effect() {
    let world = World::without_backend("wrongkey", &[]).await;
    world.secret("no-such-key").await;
    world.apply(backend(&world.sim.url(), json!({}))).await;
    for n in 0..10 {
        world.apply(role(&format!("reader-{n}"), &[READ], json!({}))).await;
    }
    world.says("Backend", "arize", "Denied", &["does not accept the credential", "Secret"]).await;
    world.says("Role", "reader-9", "BackendNotReady", &["Backend arize", "does not accept"]).await;
    let seen = world.until_asked(0, "three probes", |entries| refused(entries) >= 6).await;
    assert!(seen.len() <= 8, "{} calls for three probes", seen.len());
    assert!(world.writes_since(0).is_empty());
    assert!(!kept(&world.get("Role", "reader-9").await), "nothing is held, so nothing keeps the object");
    world.secret(KEY).await;
    world.ready("Backend", "arize").await;
    for n in 0..10 {
        world.ready("Role", &format!("reader-{n}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_dies_leaves_every_word_as_it_was_and_is_tried_seldom_until_it_lives_again() {
    let world = World::in_sync("deadkey").await;
    world.swept().await;
    let (versions, access) = (world.versions().await, world.access());
    let since = world.now();
    world.sim.world().credentials.expire(ADMIN).unwrap();
    world.says("Backend", "arize", "Denied", &["does not accept the credential"]).await;
    let word = world.get("Backend", "arize").await.metadata.resource_version;
    let seen = world.until_asked(since, "probes", |entries| refused(entries) >= 7).await;
    let time = |entry: &Entry| entry.time;
    let first = seen.iter().find(|entry| entry.status == Some(401)).map(time).unwrap();
    let last = seen.last().map(time).unwrap();
    assert!(last.duration_since(first).as_secs() >= 2, "{} calls within a moment", seen.len());
    assert_eq!(
        world.get("Backend", "arize").await.metadata.resource_version,
        word,
        "a repeated word is not written"
    );
    assert_eq!(world.versions().await, versions);
    assert!(world.writes_since(since).is_empty());

    world.sim.world().credentials.revive(ADMIN).unwrap();
    world.ready("Backend", "arize").await;
    world.swept().await;
    assert_eq!(world.versions().await, versions);
    assert_eq!(world.access(), access);
    assert!(world.writes_since(since).is_empty());
    world.apply(role("reader", &[READ, "PROJECT_UPDATE"], json!({}))).await;
    world.ready("Role", "reader").await;
}

/// What stands in front of a back end may have rules of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_alone_is_answered_401_is_its_objects_matter_and_wakes_nobody_again_and_again() {
    let world = World::without_backend("one401", &["--probe-backoff", "600"]).await;
    world.secret(KEY).await;
    world.apply(backend(&world.sim.url(), json!({}))).await;
    world.ready("Backend", "arize").await;
    world.fault(&["POST"], "/v2/roles", status(401));
    world.apply(role("reader", &[READ], json!({}))).await;
    world.says("Role", "reader", "Denied", &["accepts the credential, but not for this"]).await;
    world.swept().await;
    world.swept().await;
    assert_eq!(world.count(0, "POST", "/v2/roles"), 2, "once more after the credential was tried");
    world.apply(restriction("churn", "churn", json!({}))).await;
    world.ready("ResourceRestriction", "churn").await;
    world.ready("Backend", "arize").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_key_is_said_on_what_changes_or_goes_and_nothing_is_let_go() {
    let world = World::in_sync("deadkeygoing").await;
    let access = world.access();
    world.sim.world().credentials.expire(ADMIN).unwrap();
    world.says("Backend", "arize", "Denied", &[]).await;
    world.apply(role("reader", &[READ, "PROJECT_UPDATE"], json!({}))).await;
    world.says("Role", "reader", "BackendNotReady", &["does not accept the credential"]).await;
    world.delete("RoleBinding", "readers").await;
    world.says("RoleBinding", "readers", "BackendNotReady", &["cannot be removed now"]).await;
    assert_eq!(held_ids(&world.get("RoleBinding", "readers").await).len(), 2);
    assert_eq!(world.access(), access);
    world.sim.world().credentials.revive(ADMIN).unwrap();
    world.gone("RoleBinding", "readers").await;
    world.ready("Role", "reader").await;
    assert!(world.granted("research").is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_missing_lacks_its_key_or_does_not_name_the_host_is_said_with_what_to_do() {
    let world = World::without_backend("nosecret", &[]).await;
    world.apply(role("reader", &[READ], json!({}))).await;
    world.says("Role", "reader", "BackendNotReady", &["there is no Backend arize in this namespace"]).await;
    world.apply(backend(&world.sim.url(), json!({}))).await;
    world.says("Backend", "arize", "NotFound", &["there is no Secret arize-key"]).await;
    world.says("Role", "reader", "BackendNotReady", &["there is no Secret arize-key"]).await;

    let host = world.sim.url().trim_start_matches("http://").to_owned();
    let secret = |hosts: &str, key: &str| {
        json!({
            "apiVersion": "v1", "kind": "Secret",
            "metadata": { "name": "arize-key", "annotations": { "rolewright.dev/hosts": hosts } },
            "stringData": { key: KEY },
        })
    };
    world.apply(secret("api.arize.com", "key")).await;
    let line = format!(
        "kubectl annotate --overwrite --namespace {} secret arize-key rolewright.dev/hosts={host}",
        world.namespace
    );
    world.says("Backend", "arize", "Denied", &["does not name", "api.arize.com", &line]).await;
    assert!(world.asked(0).is_empty(), "the key was sent nowhere");
    let secrets =
        kube::Api::<k8s_openapi::api::core::v1::Secret>::namespaced(world.client.clone(), &world.namespace);
    secrets.delete("arize-key", &Default::default()).await.unwrap();
    world.apply(secret(&format!("api.arize.com, {host}"), "token")).await;
    world.says("Backend", "arize", "NotFound", &["no key key", "token"]).await;
    assert!(world.asked(0).is_empty());
    world.apply(secret(&format!("api.arize.com, {host}"), "key")).await;
    world.ready("Backend", "arize").await;
    world.ready("Role", "reader").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_goes_and_comes_back_leaves_every_word_as_it_was() {
    let world = World::in_sync("secretgone").await;
    world.swept().await;
    let (versions, access) = (world.versions().await, world.access());
    let kube =
        kube::Api::<k8s_openapi::api::core::v1::Secret>::namespaced(world.client.clone(), &world.namespace);
    kube.delete("arize-key", &Default::default()).await.unwrap();
    world.says("Backend", "arize", "NotFound", &["there is no Secret arize-key"]).await;
    let since = world.now();
    world.secret(KEY).await;
    world.ready("Backend", "arize").await;
    world.swept().await;
    assert_eq!(world.versions().await, versions);
    assert_eq!(world.access(), access);
    assert!(world.writes_since(since).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backend_that_is_pointed_at_another_server_is_a_conflict_and_nothing_is_made_there() {
    let world = World::in_sync("moved").await;
    let other = Simulator::start(arize::Options::new(KEY)).await.unwrap();
    let (here, there) = (world.sim.url(), other.url());
    let hosts = format!("{},{}", here.trim_start_matches("http://"), there.trim_start_matches("http://"));
    let hosts = json!({ "metadata": { "annotations": { "rolewright.dev/hosts": hosts } } });
    let secrets =
        kube::Api::<k8s_openapi::api::core::v1::Secret>::namespaced(world.client.clone(), &world.namespace);
    secrets.patch("arize-key", &Default::default(), &kube::api::Patch::Merge(hosts)).await.unwrap();
    world.swept().await;
    let (versions, access) = (world.versions().await, world.access());
    world.apply(backend(&there, json!({}))).await;
    world.says("Backend", "arize", "Conflict", &["another one", "Point it back"]).await;
    let seen = other.world().log.since(0).requests;
    assert!(!seen.iter().any(Entry::is_write), "written to the other account: {seen:?}");
    assert_eq!(world.versions().await, versions);
    assert_eq!(world.access(), access);
    world.apply(backend(&here, json!({}))).await;
    world.ready("Backend", "arize").await;
    world.swept().await;
    assert_eq!(world.versions().await, versions);
    assert!(!other.world().log.since(0).requests.iter().any(Entry::is_write));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_of_another_account_is_a_conflict_also_for_an_operator_that_has_just_started() {
    let mut world = World::in_sync("othersecret").await;
    world.swept().await;
    let versions = world.versions().await;
    // The other account behind the same address: other organizations, and nothing of ours.
    world.sim.world().credentials.expire(ADMIN).unwrap();
    world.says("Backend", "arize", "Denied", &[]).await;
    let ours = world.sim.edit(|tenant| {
        let ours = tenant.clone();
        let (organizations, roles) = (&tenant.organizations, &tenant.roles);
        let old: Vec<_> = organizations.iter().map(|one| one.id).collect();
        let custom: Vec<_> = roles.iter().filter(|role| !role.is_predefined).map(|role| role.id).collect();
        old.into_iter().for_each(|id| tenant.drop_organization(id));
        custom.into_iter().for_each(|id| {
            tenant.roles.remove(id);
        });
        let id = tenant.issue(Kind::AccountOrganization);
        let made = arize::organizations::Organization {
            id,
            name: "Elsewhere".to_owned(),
            description: String::new(),
            created_at: arize::state::now(),
        };
        tenant.organizations.insert(made);
        ours
    });
    world.add_key("other", "other-key", world.admin());
    let since = world.now();
    world.secret("other-key").await;
    world.says("Backend", "arize", "Conflict", &["another one", "Point it back"]).await;
    world.operator.kill();
    world.restart();
    world
        .until_asked(world.now(), "a probe", |entries| entries.iter().any(|one| one.status == Some(200)))
        .await;
    world.says("Backend", "arize", "Conflict", &["another one"]).await;
    assert!(world.writes_since(since).is_empty());
    assert_eq!(world.versions().await, versions);

    *world.sim.world().tenant() = ours;
    world.sim.world().credentials.revive(ADMIN).unwrap();
    world.secret(KEY).await;
    world.ready("Backend", "arize").await;
    world.swept().await;
    assert_eq!(world.versions().await, versions);
    assert!(world.writes_since(since).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_value_of_a_key_is_to_be_read_nowhere() {
    let world = World::in_sync("silence").await;
    // An account that says the key back in its errors, and a key that is none.
    let echo = rolewright_simulators::kit::faults::Action::Status {
        status: 403,
        headers: Default::default(),
        body: Some(
            json!({ "status": 403, "title": "No", "detail": format!("the key {KEY} may not do this") }),
        ),
        after_work: false,
    };
    world.fault(&["PATCH"], "/v2/roles/**", echo);
    world.apply(role("reader", &[READ, "PROJECT_UPDATE"], json!({}))).await;
    world.says("Role", "reader", "Denied", &["may not do this"]).await;
    world.sim.world().credentials.expire(ADMIN).unwrap();
    world.says("Backend", "arize", "Denied", &[]).await;
    world.secret("another-key-0123456789").await;
    world
        .until_asked(world.now(), "the other key", |entries| {
            entries.iter().any(|entry| entry.credential.is_none() && entry.status == Some(401))
        })
        .await;
    let text = world.readable().await;
    for key in [KEY, "another-key-0123456789"] {
        let at = text.find(key);
        assert!(at.is_none(), "the key stands in: {}", &text[at.unwrap().saturating_sub(200)..at.unwrap()]);
    }
}
