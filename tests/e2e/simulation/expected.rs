//! What somebody asked for is no failure: subjects that come later, and objects that are paused.

use std::time::Duration;

use rolewright_simulators::{
    arize::Arize, grafana::Grafana, kit::faults::Fault, lenses::Lenses, zenml::ZenMl,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    ceilings::{SECRETS, cluster_backend, namespace, through},
    cluster::{Cluster, NAMESPACE, condition, is_ready, is_reported},
    path::plural_of,
    scene::{Scene, Simulated, backend_with, host, simulated},
};
use crate::support::{ADMIN_CREDENTIAL, Account, grafana, http_status, kind_and_name, trial::Trial};

const PAUSE: &str = "rolewright.dev/pause";
const ALICE: (&str, &str) = ("User", "alice@example.com");
const BOB: (&str, &str) = ("User", "bob@example.com");

fn get(cluster: &Cluster, object: &Value) -> Value {
    let (kind, name) = kind_and_name(object);
    let namespace = if kind == "ClusterBackend" { "" } else { NAMESPACE };
    cluster.api.get(plural_of(kind), namespace, name).unwrap_or_default()
}

/// Waits until an object has this reason, and returns it.
async fn reports(cluster: &Cluster, object: &Value, reason: &str) -> Value {
    let is_so = |object: &Value| is_reported(object) && condition(object, "Ready")["reason"] == reason;
    let what = format!("{} reports {reason}", object["metadata"]["name"]);
    cluster.until(&what, |cluster| is_so(&get(cluster, object))).await.unwrap();
    get(cluster, object)
}

async fn sweeps(cluster: &Cluster) {
    let end = Instant::now() + Duration::from_secs(150);
    cluster.until("the next sweeps", |_| Instant::now() >= end).await.unwrap();
}

fn message(object: &Value) -> &str {
    condition(object, "Ready")["message"].as_str().unwrap()
}

/// The states of the subjects of a RoleBinding.
fn states(binding: &Value) -> Vec<(&str, &str)> {
    let subjects = binding["status"]["subjects"].as_array().unwrap();
    subjects.iter().map(|it| (it["name"].as_str().unwrap(), it["state"].as_str().unwrap())).collect()
}

/// Gives a user of the account another name, as if the user left and another one came.
fn rename<V: Simulated>(scene: &Scene<V>, from: &str, to: &str) {
    let world = scene.sim.world();
    let tenant = serde_json::to_string(&*world.tenant()).unwrap();
    world.replace(serde_json::from_str(&tenant.replace(from, to)).unwrap()).unwrap();
}

fn waits_for_a_newcomer<V: Simulated>() {
    simulated(1, async {
        let mut scene = Scene::<V>::new(V::servers().pop().unwrap());
        let is_user = |subject: &&Value| subject["kind"] == "User";
        let user_of = |object: &Value| {
            object["spec"]["subjects"].as_array().and_then(|all| all.iter().find(is_user).cloned())
        };
        let objects = V::objects();
        let mut binding =
            objects.iter().find(|it| user_of(it).is_some()).expect("a binding of a user").clone();
        let user = user_of(&binding).unwrap()["name"].as_str().unwrap().to_owned();
        let others = binding["spec"]["subjects"].as_array().unwrap().len() - 1;
        rename(&scene, &user, &format!("former-{user}"));
        scene.cluster.apply_all(&objects);
        let failed = reports(&scene.cluster, &binding, "NotFound").await;
        assert_eq!(condition(&failed, "Stalled")["status"], "True", "a misspelt name is visible");

        binding["spec"]["missingSubjects"] = json!("Wait");
        scene.cluster.apply(binding.clone());
        let waiting = reports(&scene.cluster, &binding, "MissingSubjects").await;
        assert!(is_ready(&waiting) && condition(&waiting, "Stalled").is_null(), "{waiting}");
        assert!(message(&waiting).contains(&format!("{user:?}")), "{}", message(&waiting));
        assert!(message(&waiting).contains("each sweep looks"), "{}", message(&waiting));
        let of = |state: &str| states(&waiting).iter().filter(|(_, it)| *it == state).count();
        assert_eq!((of("NotFound"), of("Granted")), (1, others), "{waiting}");
        // It is steady state.
        let version = scene.cluster.api.version();
        sweeps(&scene.cluster).await;
        let changed = scene.cluster.api.changed_objects(version);
        assert_eq!(changed.iter().filter(|it| it["kind"] == "RoleBinding").count(), 0, "{}", V::NAME);

        rename(&scene, &format!("former-{user}"), &user);
        let granted = reports(&scene.cluster, &binding, "InSync").await;
        assert!(states(&granted).iter().all(|(_, state)| *state == "Granted"), "{granted}");
        // The account with the grant has another name now: that is no newcomer. On Lenses the name is the account.
        if V::NAME == "lenses" {
            scene.cluster.kill().await;
            return;
        }
        rename(&scene, &user, &format!("renamed-{user}"));
        let lost = reports(&scene.cluster, &binding, "NotFound").await;
        assert!(!is_ready(&lost), "{lost}");
        rename(&scene, &format!("renamed-{user}"), &user);
        reports(&scene.cluster, &binding, "InSync").await;
        scene.cluster.kill().await;
    });
}

#[test]
fn newcomer_to_arize_is_awaited_and_granted() {
    waits_for_a_newcomer::<Arize>();
}

#[test]
fn newcomer_to_grafana_is_awaited_and_granted() {
    waits_for_a_newcomer::<Grafana>();
}

#[test]
fn newcomer_to_lenses_is_awaited_and_granted() {
    waits_for_a_newcomer::<Lenses>();
}

#[test]
fn newcomer_to_zenml_is_awaited_and_granted() {
    waits_for_a_newcomer::<ZenMl>();
}

/// A Role in sync, and a RoleBinding of it that waits for missing subjects, with these fields.
async fn with_binding(subjects: &[(&str, &str)], more: Value) -> (Scene<Grafana>, Value) {
    let scene = Scene::<Grafana>::new(Grafana::servers().pop().unwrap());
    scene.cluster.apply(grafana::role("reader", json!({})));
    scene.settled().await.unwrap();
    let mut binding = grafana::binding("readers", "reader", subjects, json!({ "missingSubjects": "Wait" }));
    for (field, value) in more.as_object().unwrap() {
        binding["spec"][field] = value.clone();
    }
    scene.cluster.apply(binding.clone());
    (scene, binding)
}

fn set_subjects(binding: &mut Value, subjects: &[(&str, &str)]) {
    binding["spec"]["subjects"] = grafana::binding("", "", subjects, json!({}))["spec"]["subjects"].clone();
}

#[test]
fn other_problems_come_before_missing_subjects() {
    simulated(1, async {
        let twice = ("User", "login:alice");
        let (mut scene, binding) =
            with_binding(&[ALICE, twice, ("User", "zoe@example.com")], json!({})).await;
        let invalid = reports(&scene.cluster, &binding, "Invalid").await;
        assert!(message(&invalid).contains("zoe@example.com"), "{}", message(&invalid));
        assert_eq!(condition(&invalid, "Stalled")["status"], "True");
        // What fails now comes before what is missing too.
        let refused = http_status(403);
        scene
            .sim
            .world()
            .faults
            .add(Fault::on(&["POST"], "/api/access-control/users/*/roles", refused))
            .unwrap();
        let mut other = binding;
        set_subjects(&mut other, &[BOB, ("User", "zoe@example.com")]);
        scene.cluster.apply(other.clone());
        reports(&scene.cluster, &other, "Denied").await;
        scene.cluster.kill().await;
    });
}

#[test]
fn waiting_does_not_weaken_the_guard_of_misspelt_names() {
    simulated(1, async {
        let (mut scene, mut binding) = with_binding(&[ALICE, BOB], json!({})).await;
        reports(&scene.cluster, &binding, "InSync").await;
        let before = scene.external();
        set_subjects(&mut binding, &[ALICE, ("User", "bobb@example.com")]);
        scene.cluster.apply(binding.clone());
        let guarded = reports(&scene.cluster, &binding, "ApprovalRequired").await;
        assert!(message(&guarded).contains("as if its name were misspelt"), "{}", message(&guarded));
        sweeps(&scene.cluster).await;
        assert_eq!(scene.external(), before);
        scene.cluster.kill().await;
    });
}

fn grants(scene: &Scene<Grafana>) -> Value {
    scene.external()[1].clone()
}

#[test]
fn authoritative_binding_is_not_ready_while_it_waits() {
    simulated(1, async {
        // A grant of the role that no object manages.
        let (mut scene, mut left) = with_binding(&[BOB], json!({ "deletionPolicy": "Retain" })).await;
        reports(&scene.cluster, &left, "InSync").await;
        scene.cluster.api.delete("rolebindings", NAMESPACE, "readers");
        let is_deleted = |cluster: &Cluster| cluster.api.list("rolebindings").is_empty();
        scene.cluster.until("it is deleted", is_deleted).await.unwrap();
        let before = grants(&scene);

        rename(&scene, ALICE.1, "former@example.com");
        sweeps(&scene.cluster).await;
        set_subjects(&mut left, &[ALICE]);
        left["spec"]["membership"] = json!("Authoritative");
        scene.cluster.apply(left.clone());
        let waiting = reports(&scene.cluster, &left, "DependencyNotReady").await;
        let words = "nobody else loses the role until every subject is found";
        assert!(message(&waiting).contains(words), "{}", message(&waiting));
        sweeps(&scene.cluster).await;
        assert_eq!(grants(&scene), before);
        rename(&scene, "former@example.com", ALICE.1);
        reports(&scene.cluster, &left, "InSync").await;
        assert_ne!(grants(&scene), before);
        scene.cluster.kill().await;
    });
}

#[test]
fn waiting_binding_stays_ready_while_a_part_is_unread() {
    simulated(1, async {
        let subjects = [("Team", "sre"), ("User", "zoe@example.com")];
        let (mut scene, binding) = with_binding(&subjects, json!({})).await;
        reports(&scene.cluster, &binding, "MissingSubjects").await;
        let (method, path) = Grafana::BROKEN;
        scene.sim.world().faults.add(Fault::on(&[method], path, http_status(500))).unwrap();
        sweeps(&scene.cluster).await;
        let partly = |cluster: &Cluster| {
            condition(&cluster.api.list("backends")[0], "Synced")["reason"] == "PartlyRead"
        };
        scene.cluster.until("a part is unread", partly).await.unwrap();
        sweeps(&scene.cluster).await;
        let kept = get(&scene.cluster, &binding);
        assert!(is_ready(&kept) && condition(&kept, "Ready")["reason"] == "MissingSubjects", "{kept}");
        scene.cluster.kill().await;
    });
}

fn paused(mut object: Value) -> Value {
    object["metadata"]["annotations"] = json!({ PAUSE: "true" });
    object
}

/// Objects of every kind that can be paused, apart from Backends.
fn pausable() -> Vec<Value> {
    let spec = json!({ "backendRef": { "name": "grafana" }, "kinds": ["Role"], "keepRoles": ["*"] });
    let prune = json!({
        "apiVersion": "rolewright.dev/v1alpha1", "kind": "Prune", "metadata": { "name": "rest" }, "spec": spec,
    });
    [Grafana::objects(), vec![Grafana::restriction().unwrap(), prune]].concat()
}

#[test]
fn object_in_sync_stays_ready_while_it_is_paused() {
    simulated(1, async {
        for backend_too in [false, true] {
            let more = json!({ "sweepInterval": "1m", "exclusive": true });
            let mut scene = Scene::<Grafana>::with(Grafana::servers().pop().unwrap(), more.clone(), 1);
            scene.cluster.apply_all(&pausable());
            scene.settled().await.unwrap();
            match backend_too {
                true => scene.cluster.apply(paused(backend_with::<Grafana>(more))),
                false => pausable().into_iter().for_each(|object| scene.cluster.apply(paused(object))),
            }
            sweeps(&scene.cluster).await;
            for object in scene.cluster.objects() {
                assert!(is_ready(&object), "{object}");
                let is_backend = object["kind"] == "Backend";
                assert!(is_backend || message(&object).contains("paused: drift"), "{}", message(&object));
            }
            scene.cluster.kill().await;
        }
    });
}

#[test]
fn waiting_binding_stays_ready_while_it_is_paused() {
    simulated(1, async {
        let (mut scene, binding) = with_binding(&[ALICE, ("User", "zoe@example.com")], json!({})).await;
        reports(&scene.cluster, &binding, "MissingSubjects").await;
        scene.cluster.apply(paused(binding.clone()));
        sweeps(&scene.cluster).await;
        let kept = reports(&scene.cluster, &binding, "MissingSubjects").await;
        assert!(is_ready(&kept) && message(&kept).contains("paused: drift"), "{}", message(&kept));
        // Who appears is a change, and waits.
        rename(&scene, BOB.1, "zoe@example.com");
        reports(&scene.cluster, &binding, "Paused").await;
        scene.cluster.kill().await;
    });
}

#[test]
fn paused_cluster_backend_leaves_its_objects_ready() {
    simulated(1, async {
        let scene = Scene::<Grafana>::new(Grafana::servers().pop().unwrap());
        let mut cluster = scene.another_cluster();
        cluster.apply_secret(SECRETS, Grafana::SECRET, ADMIN_CREDENTIAL, &host());
        cluster.apply(namespace(json!({ "shared": "yes" })));
        let shared = cluster_backend::<Grafana>(json!({ "allow": { "roleNames": ["*"] } }));
        cluster.apply(shared.clone());
        let objects: Vec<Value> = Grafana::objects().into_iter().map(through).collect();
        cluster.apply_all(&objects);
        for object in &objects {
            reports(&cluster, object, "InSync").await;
        }
        cluster.apply(paused(shared.clone()));
        sweeps(&cluster).await;
        assert!(is_ready(&get(&cluster, &shared)));
        for object in &objects {
            let object = get(&cluster, object);
            assert!(is_ready(&object) && message(&object).contains("paused: drift"), "{object}");
        }
        cluster.kill().await;
    });
}
