//! Prunes: what no object manages is removed, and nothing else.

use std::{collections::BTreeSet, time::Duration};

use rolewright_simulators::{arize::Arize, grafana::Grafana, lenses::Lenses, zenml::ZenMl};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    ceilings::{SECRETS, cluster_backend, namespace, through},
    cluster::{Cluster, NAMESPACE, condition, is_ready, is_reported},
    path::plural_of,
    process::{Call, Cut, Moment},
    scene::{Scene, Simulated, backend_with, host, simulated, within},
    shape::difference,
};
use crate::support::{ADMIN_CREDENTIAL, Account, approval, kind_and_name, offer_of, trial::Trial};

/// What the tests need of a vendor.
trait Pruned: Simulated {
    /// The kinds that a Prune can name.
    const PRUNED: &'static [&'static str] = &["Grant", "Role"];
    /// The back end shows whose credential the operator uses.
    const SHOWS_OWN: bool = true;
}

impl Pruned for Arize {
    const SHOWS_OWN: bool = false;
}

impl Pruned for Grafana {}

impl Pruned for Lenses {}

impl Pruned for ZenMl {
    const PRUNED: &'static [&'static str] = &["Grant"];
}

fn prune<V: Pruned>(more: Value) -> Value {
    let backend = backend_with::<V>(json!({}));
    let mut spec = json!({ "backendRef": { "name": kind_and_name(&backend).1 }, "kinds": V::PRUNED });
    for (field, value) in more.as_object().unwrap() {
        spec[field] = value.clone();
    }
    json!({
        "apiVersion": "rolewright.dev/v1alpha1", "kind": "Prune", "metadata": { "name": "rest" }, "spec": spec,
    })
}

/// A running operator with objects in sync, on an account that this cluster alone manages.
async fn exclusive<V: Pruned>(more: Value) -> Scene<V> {
    let mut fields = json!({ "sweepInterval": "1m", "exclusive": true });
    for (field, value) in more.as_object().unwrap() {
        fields[field] = value.clone();
    }
    let scene = Scene::<V>::with(V::servers().pop().unwrap(), fields, 1);
    scene.cluster.apply_all(&V::objects());
    scene.settled().await.unwrap();
    // A grant of a managed role that nobody manages any more.
    let mut left = V::objects().into_iter().find(|object| object["kind"] == "RoleBinding").unwrap();
    left["metadata"]["name"] = json!("left");
    left["spec"]["subjects"] = json!([{ "kind": "User", "name": "carol@example.com" }]);
    left["spec"]["deletionPolicy"] = json!("Retain");
    scene.cluster.apply(left);
    scene.settled().await.unwrap();
    scene.cluster.api.delete("rolebindings", NAMESPACE, "left");
    let is_deleted = |cluster: &Cluster| get(cluster, "RoleBinding", "left").is_null();
    scene.cluster.until("it is deleted", is_deleted).await.unwrap();
    sweeps(&scene).await;
    scene
}

fn get(cluster: &Cluster, kind: &str, name: &str) -> Value {
    cluster.api.get(plural_of(kind), NAMESPACE, name).unwrap_or_default()
}

/// Waits until an object has this reason, and returns its message.
async fn reports<V: Simulated>(scene: &Scene<V>, kind: &str, name: &str, reason: &str) -> String {
    let is_so = |object: &Value| is_reported(object) && condition(object, "Ready")["reason"] == reason;
    scene
        .cluster
        .until(&format!("{kind} {name} reports {reason}"), |cluster| is_so(&get(cluster, kind, name)))
        .await
        .unwrap();
    let object = get(&scene.cluster, kind, name);
    condition(&object, "Ready")["message"].as_str().unwrap().to_owned()
}

async fn sweeps<V: Simulated>(scene: &Scene<V>) {
    let end = Instant::now() + Duration::from_secs(150);
    scene.cluster.until("the next sweeps", |_| Instant::now() >= end).await.unwrap();
}

/// The numbers of grants and roles that no object manages, as the Backend counts them.
fn unmanaged<V: Pruned>(scene: &Scene<V>, kind: &str) -> i64 {
    let backend = scene.cluster.api.list("backends").remove(0);
    backend["status"]["counts"]["unmanaged"][kind].as_i64().unwrap_or(0)
}

/// Approves the plan of the Prune that waits now.
fn approve(cluster: &Cluster, name: &str) {
    let plan = get(cluster, "Prune", "rest")["status"]["plan"]["hash"].as_str().unwrap().to_owned();
    cluster.apply(approval(name, "Prune", "rest", &plan, "Approve"));
}

/// Lets the Prune do all that it has to do. The removal of grants makes roles unused, so it can have several plans.
async fn pruned<V: Pruned>(scene: &Scene<V>) {
    for number in 0..5 {
        let ready = |cluster: &Cluster| {
            let prune = get(cluster, "Prune", "rest");
            let ready = condition(&prune, "Ready")["reason"].clone();
            is_reported(&prune) && (ready == "InSync" || ready == "ApprovalRequired")
        };
        scene.cluster.until("the Prune is done or waits", ready).await.unwrap();
        sweeps(scene).await;
        if condition(&get(&scene.cluster, "Prune", "rest"), "Ready")["reason"] == "InSync" {
            return;
        }
        approve(&scene.cluster, &format!("yes-{number}"));
        sweeps(scene).await;
    }
    panic!("it is never done: {}", scene.cluster.describe());
}

fn removes_only_the_rest<V: Pruned>() {
    simulated(1, async {
        let mut scene = exclusive::<V>(json!({})).await;
        let before = scene.external();
        let managed = |scene: &Scene<V>| {
            let objects = scene.cluster.objects();
            let held =
                objects.iter().flat_map(|it| it["status"]["held"].as_array().cloned().unwrap_or_default());
            held.map(|held| (held["kind"].to_string(), held["id"].to_string())).collect::<BTreeSet<_>>()
        };
        let held = managed(&scene);
        let count = |scene: &Scene<V>| V::PRUNED.iter().map(|kind| unmanaged(scene, kind)).sum::<i64>();
        let at_first = count(&scene);
        assert!(at_first > 0, "the account has something to remove");

        // In mode Plan, it only shows.
        scene.cluster.apply(prune::<V>(json!({ "mode": "Plan" })));
        let message = reports(&scene, "Prune", "rest", "Planned").await;
        assert!(message.contains("would"), "{message}");
        sweeps(&scene).await;
        assert_eq!(scene.external(), before);

        scene.cluster.apply(prune::<V>(json!({})));
        if !V::SHOWS_OWN {
            let message = reports(&scene, "Prune", "rest", "ApprovalRequired").await;
            assert!(message.contains("does not show whose credential"), "{message}");
            sweeps(&scene).await;
            assert_eq!(scene.external(), before);
        }
        pruned(&scene).await;
        assert!(count(&scene) < at_first, "{}", scene.cluster.describe());
        assert_eq!(managed(&scene), held);
        // Drift would have been corrected: nothing that an object manages was removed.
        for object in scene.cluster.objects() {
            assert!(object["kind"] == "Approval" || is_ready(&object), "{object}");
        }
        let events = scene.cluster.api.list("events");
        assert!(events.iter().all(|event| event["reason"] != "DriftCorrected"), "{events:#?}");
        let after = scene.external();
        sweeps(&scene).await;
        assert_eq!(scene.external(), after);

        // Its deletion changes nothing.
        scene.cluster.api.delete("prunes", NAMESPACE, "rest");
        scene.cluster.until("it is deleted", |cluster| cluster.api.list("prunes").is_empty()).await.unwrap();
        assert_eq!(scene.external(), after);
        scene.cluster.kill().await;
    });
}

#[test]
fn prune_removes_only_what_nobody_manages_on_arize() {
    removes_only_the_rest::<Arize>();
}

#[test]
fn prune_removes_only_what_nobody_manages_on_grafana() {
    removes_only_the_rest::<Grafana>();
}

#[test]
fn prune_removes_only_what_nobody_manages_on_lenses() {
    removes_only_the_rest::<Lenses>();
}

#[test]
fn prune_removes_only_what_nobody_manages_on_zenml() {
    removes_only_the_rest::<ZenMl>();
}

#[test]
fn prune_needs_an_exclusive_backend() {
    simulated(1, async {
        let mut scene = exclusive::<Grafana>(json!({ "exclusive": false })).await;
        let before = scene.external();
        scene.cluster.apply(prune::<Grafana>(json!({})));
        let message = reports(&scene, "Prune", "rest", "Denied").await;
        assert!(message.contains("spec.exclusive of Backend grafana is not true"), "{message}");
        sweeps(&scene).await;
        assert_eq!(scene.external(), before);
        scene.cluster.kill().await;
    });
}

#[test]
fn prune_of_roles_is_unsupported_without_a_list_of_all_grants() {
    simulated(1, async {
        let mut scene = exclusive::<ZenMl>(json!({})).await;
        scene.cluster.apply(prune::<ZenMl>(json!({ "kinds": ["Grant", "Role"] })));
        let message = reports(&scene, "Prune", "rest", "Unsupported").await;
        assert!(message.contains("leave Role out of spec.kinds"), "{message}");
        scene.cluster.kill().await;
    });
}

#[test]
fn prune_waits_until_every_object_is_ready() {
    simulated(1, async {
        let mut scene = exclusive::<Grafana>(json!({})).await;
        let before = scene.external();
        let mut binding =
            Grafana::objects().into_iter().find(|object| object["kind"] == "RoleBinding").unwrap();
        let good = binding.clone();
        // It means a grant that exists: its name is misspelt.
        binding["metadata"]["name"] = json!("other");
        binding["spec"]["subjects"] = json!([{ "kind": "User", "name": "nobody@example.com" }]);
        scene.cluster.apply(binding.clone());
        reports(&scene, "RoleBinding", "other", "NotFound").await;
        scene.cluster.apply(prune::<Grafana>(json!({})));
        let message = reports(&scene, "Prune", "rest", "DependencyNotReady").await;
        assert!(message.contains("until all that RoleBinding team-a/other names is found"), "{message}");
        sweeps(&scene).await;
        assert_eq!(scene.external(), before);
        binding["spec"]["subjects"] = good["spec"]["subjects"].clone();
        scene.cluster.apply(binding);
        pruned(&scene).await;
        assert_ne!(scene.external(), before);
        scene.cluster.kill().await;
    });
}

#[test]
fn prune_asks_before_it_takes_a_role_from_a_team() {
    simulated(1, async {
        let mut scene = exclusive::<Grafana>(json!({})).await;
        scene.cluster.apply(prune::<Grafana>(json!({})));
        let message = reports(&scene, "Prune", "rest", "ApprovalRequired").await;
        assert!(message.contains("does not show whether finance is or contains the account"), "{message}");
        sweeps(&scene).await;
        let teams = scene.external()[2].to_string();
        approve(&scene.cluster, "yes");
        pruned(&scene).await;
        assert_ne!(scene.external()[2].to_string(), teams);
        scene.cluster.kill().await;
    });
}

#[test]
fn prune_stays_within_the_guards() {
    simulated(1, async {
        let guards = json!({ "maxRemovals": 1, "maxRemovalPercent": 0 });
        let mut scene = exclusive::<Grafana>(json!({ "guards": guards })).await;
        let rows = |scene: &Scene<Grafana>| -> usize {
            scene.external().as_array().unwrap().iter().map(|list| list.as_array().unwrap().len()).sum()
        };
        let before = rows(&scene);
        scene.cluster.apply(prune::<Grafana>(json!({ "keepSubjects": ["finance"] })));
        let message = reports(&scene, "Prune", "rest", "ApprovalRequired").await;
        assert!(message.contains("more than spec.guards of Backend grafana allow"), "{message}");
        sweeps(&scene).await;
        assert_eq!(rows(&scene), before - 1);
        approve(&scene.cluster, "rest-of-it");
        scene
            .cluster
            .until("the Approval is executed", |cluster| {
                get(cluster, "Approval", "rest-of-it")["status"]["state"] == "Executed"
            })
            .await
            .unwrap();
        assert!(rows(&scene) < before - 1);
        scene.cluster.kill().await;
    });
}

#[test]
fn prune_keeps_what_it_names() {
    simulated(1, async {
        let mut scene = exclusive::<Grafana>(json!({})).await;
        let before = scene.external();
        let keep_all = json!({ "keepSubjects": ["*@example.com", "*"], "keepRoles": ["nothing"] });
        for keep in [keep_all, json!({ "keepRoles": ["*"] })] {
            scene.cluster.apply(prune::<Grafana>(keep));
            reports(&scene, "Prune", "rest", "InSync").await;
            sweeps(&scene).await;
            assert_eq!(scene.external(), before);
        }
        scene.cluster.apply(prune::<Grafana>(json!({ "keepRoles": ["legacy *"] })));
        pruned(&scene).await;
        let roles = scene.external()[0].clone();
        let names: Vec<&str> =
            roles.as_array().unwrap().iter().map(|role| role["name"].as_str().unwrap()).collect();
        assert!(names.contains(&"Legacy reviewer"), "{names:?}");
        assert_ne!(scene.external(), before);
        scene.cluster.kill().await;
    });
}

/// A cluster whose objects were lost and are applied again, together with a Prune: what they adopt is not removed.
fn restored<V: Pruned>(seed: u64) {
    simulated(seed, async {
        let mut scene = exclusive::<V>(json!({})).await;
        scene.cluster.kill().await;
        for object in V::objects() {
            let (kind, name) = kind_and_name(&object);
            scene.cluster.api.lose(plural_of(kind), NAMESPACE, name);
        }
        scene.cluster.start();
        sweeps(&scene).await;
        let full = scene.external();
        let mut objects = V::objects();
        objects.push(prune::<V>(json!({})));
        fastrand::shuffle(&mut objects);
        scene.cluster.apply_all(&objects);
        pruned(&scene).await;
        let events = scene.cluster.api.list("events");
        assert!(events.iter().all(|event| event["reason"] != "DriftCorrected"), "{events:#?}");
        for object in scene.cluster.objects() {
            for held in object["status"]["held"].as_array().into_iter().flatten() {
                assert_eq!(held["origin"], "Adopted", "it was removed and made again: {object}");
            }
        }
        assert_ne!(scene.external(), full, "the rest is removed");
        scene.cluster.kill().await;
    });
}

#[test]
fn restored_objects_adopt_before_a_prune_removes() {
    for seed in 1..=5 {
        restored::<Grafana>(seed);
        restored::<ZenMl>(seed);
        restored::<Arize>(seed);
    }
}

#[test]
fn prune_of_a_shared_account_belongs_to_its_owner() {
    simulated(1, async {
        let mut scene = Scene::<Grafana>::new(Grafana::servers().pop().unwrap());
        scene.settled().await.unwrap();
        let before = scene.external();
        scene.cluster.apply_secret(SECRETS, Grafana::SECRET, ADMIN_CREDENTIAL, "");
        scene.cluster.apply(namespace(json!({ "shared": "yes" })));
        scene
            .cluster
            .apply(cluster_backend::<Grafana>(json!({ "exclusive": true, "namespaceSelector": {} })));
        scene.cluster.apply(through(prune::<Grafana>(json!({}))));
        let message = reports(&scene, "Prune", "rest", "Denied").await;
        assert!(message.contains("spec.secretNamespace of ClusterBackend grafana"), "{message}");
        sweeps(&scene).await;
        assert_eq!(scene.external(), before);

        let mut owners = namespace(json!({}));
        owners["metadata"]["name"] = json!(SECRETS);
        scene.cluster.apply(owners);
        scene
            .cluster
            .apply(within(through(prune::<Grafana>(json!({ "keepSubjects": ["finance"] }))), SECRETS));
        scene
            .cluster
            .until("it is in sync", |cluster| {
                let prune = cluster.api.get("prunes", SECRETS, "rest").unwrap_or_default();
                condition(&prune, "Ready")["reason"] == "InSync"
            })
            .await
            .unwrap();
        assert_ne!(scene.external(), before);
        scene.cluster.kill().await;
    });
}

#[test]
fn prune_keeps_roles_that_objects_name() {
    simulated(1, async {
        let mut scene = exclusive::<Grafana>(json!({})).await;
        // Nobody has it at rest.
        let role = json!({ "spec": { "backendRef": { "name": "grafana" }, "roleRef": { "external": { "name": "Legacy reviewer" } } } });
        scene.cluster.apply(offer_of(&role, json!({})));
        scene.cluster.apply(prune::<Grafana>(json!({})));
        pruned(&scene).await;
        let has_role = |scene: &Scene<Grafana>| scene.external()[0].to_string().contains("Legacy reviewer");
        assert!(has_role(&scene));
        scene.cluster.api.delete("accessoffers", NAMESPACE, "on-call");
        let waits = |cluster: &Cluster| {
            condition(&get(cluster, "Prune", "rest"), "Ready")["reason"] == "ApprovalRequired"
        };
        scene.cluster.until("the role is to be removed", waits).await.unwrap();
        let prune = get(&scene.cluster, "Prune", "rest");
        let message = condition(&prune, "Ready")["message"].as_str().unwrap();
        assert!(message.contains("a role that looks unused"), "{message}");
        approve(&scene.cluster, "role");
        scene.cluster.until("it is removed", |_| !has_role(&scene)).await.unwrap();
        scene.cluster.kill().await;
    });
}

#[test]
fn prune_keeps_what_objects_only_plan() {
    simulated(1, async {
        let mut scene = exclusive::<Grafana>(json!({})).await;
        let mut planned =
            Grafana::objects().into_iter().find(|object| object["kind"] == "RoleBinding").unwrap();
        planned["metadata"]["name"] = json!("planned");
        planned["spec"]["subjects"] = json!([{ "kind": "User", "name": "carol@example.com" }]);
        planned["spec"]["mode"] = json!("Plan");
        scene.cluster.apply(planned);
        reports(&scene, "RoleBinding", "planned", "Planned").await;
        scene.cluster.apply(prune::<Grafana>(json!({ "kinds": ["Grant"] })));
        pruned(&scene).await;
        let plan = &get(&scene.cluster, "RoleBinding", "planned")["status"]["plan"];
        assert_eq!(plan["changes"][0]["verb"], "Adopt", "the grant is there: {plan}");
        scene.cluster.kill().await;
    });
}

#[test]
fn prune_waits_for_backends_that_can_be_on_the_account() {
    simulated(1, async {
        let mut scene = exclusive::<Grafana>(json!({})).await;
        let before = scene.external();
        // Its Secret comes later, and what its object means to adopt is there.
        let mut backend = within(backend_with::<Grafana>(json!({})), "team-b");
        backend["spec"]["grafana"]["credentials"]["tokenSecretRef"]["name"] = json!("later");
        scene.cluster.apply(backend.clone());
        let mut binding =
            Grafana::objects().into_iter().find(|object| object["kind"] == "RoleBinding").unwrap();
        binding["spec"]["roleRef"] = json!({ "external": { "name": "Legacy reviewer" } });
        binding["spec"]["subjects"] = json!([{ "kind": "User", "name": "carol@example.com" }]);
        scene.cluster.apply(within(binding, "team-b"));
        scene.cluster.apply(prune::<Grafana>(json!({})));
        let message = reports(&scene, "Prune", "rest", "DependencyNotReady").await;
        assert!(message.contains("an object in another namespace"), "{message}");
        sweeps(&scene).await;
        assert_eq!(scene.external(), before);
        let secret = ("later", Grafana::SECRET.1);
        scene.cluster.apply_secret("team-b", secret, ADMIN_CREDENTIAL, &host());
        pruned(&scene).await;
        let binding = scene.cluster.api.get("rolebindings", "team-b", "readers").unwrap();
        assert_eq!(binding["status"]["held"][0]["origin"], "Adopted", "{binding}");
        assert!(is_ready(&binding));
        assert_ne!(scene.external(), before);
        scene.cluster.kill().await;
    });
}

/// Prunes with a cut. Returns the calls without one, and what is left.
async fn prune_with_cut<V: Pruned>(cut: Option<Cut>) -> (Vec<Call>, Vec<String>) {
    let mut scene = exclusive::<V>(json!({})).await;
    scene.cluster.arm(cut);
    scene.cluster.apply(prune::<V>(json!({ "kinds": ["Grant"], "keepSubjects": ["finance"] })));
    let is_done =
        |cluster: &Cluster| condition(&get(cluster, "Prune", "rest"), "Ready")["reason"] == "InSync";
    while scene.cluster.until("it is done", is_done).await.is_err() {
        scene.cluster.kill().await;
        scene.cluster.start();
    }
    let calls = scene.cluster.process().calls();
    if scene.swept().await.is_err() {
        scene.cluster.kill().await;
        scene.cluster.start();
        scene.swept().await.unwrap();
    }
    let left = scene.shape();
    scene.cluster.kill().await;
    (calls, left)
}

#[test]
fn prune_survives_a_crash_at_any_write() {
    let (calls, left) = simulated(1, prune_with_cut::<Grafana>(None));
    let is_cut = |call: &usize| calls[*call].is_write && !calls[*call].path.contains("events");
    let cuts: Vec<usize> = (0..calls.len()).filter(is_cut).collect();
    assert!(cuts.len() > 2, "{cuts:?}");
    for call in cuts {
        for moment in [Moment::Before, Moment::After] {
            let (_, found) = simulated(1, prune_with_cut::<Grafana>(Some(Cut { call, moment })));
            let unlike = difference(&left, &found);
            assert!(unlike.is_empty(), "{call} {moment:?}: {unlike:#?}");
        }
    }
}
