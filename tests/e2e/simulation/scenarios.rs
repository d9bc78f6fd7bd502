//! Single schedules that once went wrong.

use rolewright_simulators::{arize::Arize, grafana::Grafana, lenses::Lenses, zenml::ZenMl};
use serde_json::{Value, json};

use super::{
    cluster::{Cluster, NAMESPACE, condition},
    process::Call,
    scene::{Scene, Simulated, host, simulated, within},
};

use crate::support::{Account, kind_and_name, trial::Trial};

const OTHER_NAMESPACE: &str = "team-b";

fn of_kind<V: Simulated>(kind: &str) -> Value {
    V::objects().into_iter().find(|object| object["kind"] == kind).expect("an object of each kind")
}

#[test]
fn blocked_role_names_the_binding_that_named_it_before() {
    simulated(1, async {
        let scene = Scene::<Grafana>::new(Grafana::servers().swap_remove(0));
        scene.cluster.apply_all(&Grafana::objects());
        scene.settled().await.unwrap();
        let mut binding = of_kind::<Grafana>("RoleBinding");
        binding["spec"]["roleRef"] = json!({ "name": "missing" });
        scene.cluster.apply(binding);
        scene.cluster.api.delete("roles", NAMESPACE, "reader");
        let is_blocked = |message: &Value| {
            message.as_str().is_some_and(|text| text.contains("RoleBinding readers still grants the role"))
        };
        scene
            .cluster
            .until("the role names the binding", |cluster| {
                let role = cluster.api.get("roles", NAMESPACE, "reader").unwrap();
                is_blocked(&condition(&role, "Ready")["message"])
            })
            .await
            .unwrap();
    });
}

/// The account is as before, and nothing was removed from it in between.
fn assert_nothing_removed<V: Simulated>(scene: &Scene<V>, before: &Value) {
    assert_eq!(scene.external(), *before, "{}", V::NAME);
    let calls = scene.cluster.process().calls();
    let removals: Vec<String> = calls
        .iter()
        .filter(|call| call.method == "DELETE" && call.to != "kubernetes")
        .map(ToString::to_string)
        .collect();
    assert!(removals.is_empty(), "{}: {removals:#?}", V::NAME);
}

/// Applies all objects in another namespace and deletes the old ones at once, as a GitOps tool does after a commit that moves them.
fn moves_in_one_sync<V: Simulated>() {
    simulated(1, async {
        let scene = Scene::<V>::new(V::servers().pop().unwrap());
        scene.connect(OTHER_NAMESPACE);
        scene.cluster.apply_all(&V::objects());
        scene.settled().await.unwrap();
        let before = scene.external();
        scene.cluster.process().arm(None);
        for object in V::objects() {
            scene.cluster.apply(within(object, OTHER_NAMESPACE));
        }
        scene.delete_all(NAMESPACE, &V::objects());
        scene.swept().await.unwrap();
        assert_nothing_removed(&scene, &before);
        scene.cluster.process().kill();
    });
}

#[test]
fn objects_move_to_another_namespace_in_one_sync() {
    moves_in_one_sync::<Arize>();
    moves_in_one_sync::<Grafana>();
    moves_in_one_sync::<ZenMl>();
}

#[test]
fn backends_that_connect_at_once_share_one_view() {
    simulated(1, async {
        let scene = Scene::<Arize>::new(Arize::servers().pop().unwrap());
        scene.connect(OTHER_NAMESPACE);
        scene.cluster.apply_all(&Arize::objects());
        scene.swept().await.unwrap();
        scene.cluster.process().arm(None);
        scene.swept().await.unwrap();
        let calls = scene.cluster.process().calls();
        let lists = calls.iter().filter(|call| call.path == "/v2/roles").count();
        assert!((1..=2).contains(&lists), "{lists} lists in 90 s: a sweep a minute reads it once");
        scene.cluster.process().kill();
    });
}

/// A role and its grants are deleted by hand. No call names a role that is not there again.
fn role_deleted_by_hand_is_granted_when_it_exists<V: Simulated>() {
    simulated(1, async {
        let scene = Scene::<V>::new(V::servers().pop().unwrap());
        let seeded = serde_json::to_value(&*scene.sim.world().tenant()).unwrap();
        let objects: Vec<Value> = ["Role", "RoleBinding"].map(of_kind::<V>).into();
        scene.cluster.apply_all(&objects);
        scene.swept().await.unwrap();
        let before = scene.shape();
        scene.sim.world().replace(serde_json::from_value(seeded).unwrap()).unwrap();
        let since = scene.sim.world().log.since(0).last;
        scene.cluster.until("all is there again", |_| scene.shape() == before).await.unwrap();
        let log = scene.sim.world().log.since(since);
        let refused: Vec<String> = log
            .requests
            .iter()
            .filter(|entry| V::is_change(entry) && entry.status.is_none_or(|status| status >= 400))
            .map(|entry| format!("{} {} {:?}", entry.method, entry.path, entry.status))
            .collect();
        assert_eq!(refused, [""; 0], "{}", V::NAME);
        scene.cluster.process().kill();
    });
}

#[test]
fn role_deleted_by_hand_is_created_before_its_grants() {
    role_deleted_by_hand_is_granted_when_it_exists::<Arize>();
    role_deleted_by_hand_is_granted_when_it_exists::<Grafana>();
    role_deleted_by_hand_is_granted_when_it_exists::<Lenses>();
    role_deleted_by_hand_is_granted_when_it_exists::<ZenMl>();
}

/// Two clusters manage different roles of one account. One of them deletes all of its objects.
fn clusters_share_an_account<V: Simulated>() {
    simulated(1, async {
        let scene = Scene::<V>::new(V::servers().pop().unwrap());
        let other = scene.another_cluster();
        let mut role = of_kind::<V>("Role");
        role["metadata"]["name"] = json!("elsewhere");
        other.apply(role);
        scene.cluster.apply_all(&V::objects());
        scene.swept().await.unwrap();
        let roles = |name: &str| -> Vec<Value> {
            let account = scene.external();
            account[0].as_array().unwrap().iter().filter(|role| role["name"] == name).cloned().collect()
        };
        let elsewhere = roles("elsewhere");
        assert_eq!(elsewhere.len(), 1, "{}", V::NAME);
        scene.delete_all(NAMESPACE, &V::objects());
        let are_deleted = |cluster: &Cluster| cluster.objects().len() == 1;
        scene.cluster.until("only the Backend is left", are_deleted).await.unwrap();
        let end = other.api.now() + jiff::SignedDuration::from_mins(10);
        other.until("some sweeps", |cluster| cluster.api.now() > end).await.unwrap();
        assert_eq!(roles("elsewhere"), elsewhere, "{}", V::NAME);
        assert_eq!(roles("reader"), [Value::Null; 0], "{}: the other cluster made it again", V::NAME);
        other.process().kill();
        scene.cluster.process().kill();
    });
}

#[test]
fn two_clusters_on_one_account_leave_each_other_alone() {
    clusters_share_an_account::<Arize>();
    clusters_share_an_account::<Grafana>();
    clusters_share_an_account::<Lenses>();
    clusters_share_an_account::<ZenMl>();
}

fn witness_of<V: Simulated>(path: impl Fn(&str) -> String) {
    simulated(1, async {
        let scene = Scene::<V>::new(V::servers().pop().unwrap());
        scene.cluster.apply_all(&V::objects());
        scene.settled().await.unwrap();
        let witness = &scene.cluster.witness;
        let checked = witness.checked();
        let binding = of_kind::<V>("RoleBinding");
        scene.delete_all(NAMESPACE, std::slice::from_ref(&binding));
        let name = kind_and_name(&binding).1;
        let is_deleted = |cluster: &Cluster| cluster.api.get("rolebindings", NAMESPACE, name).is_none();
        scene.cluster.until("the binding is deleted", is_deleted).await.unwrap();
        assert!(witness.checked() > checked, "{}: the binding managed what was removed", V::NAME);
        assert_eq!(witness.violations(), [""; 0]);
        let role = scene.cluster.api.get("roles", NAMESPACE, "reader").unwrap();
        let path = path(role["status"]["held"][0]["id"].as_str().unwrap());
        let call = Call { to: host(), method: "DELETE".to_owned(), path: path.clone(), is_write: true };
        witness.write(scene.cluster.process(), &call, |held| V::changes(&path, held));
        assert_eq!(witness.violations().len(), 1, "no reconcile of its namespace makes this call");
        scene.cluster.process().kill();
    });
}

#[test]
fn witness_reports_writes_to_what_others_manage() {
    witness_of::<Arize>(str::to_owned);
    witness_of::<Grafana>(|id| format!("/api/access-control/roles/{id}"));
    witness_of::<Lenses>(|id| format!("/api/v1/roles/{}", id.split('#').next().unwrap()));
    witness_of::<ZenMl>(str::to_owned);
}

/// Applies these objects and removes by hand all roles that they made, so that the account looks as after an accident.
async fn after_an_accident(roles: usize) -> Scene<Grafana> {
    let scene = Scene::<Grafana>::new(Grafana::servers().swap_remove(0));
    let seeded = scene.external();
    for number in 0..roles {
        let mut role = of_kind::<Grafana>("Role");
        role["metadata"]["name"] = json!(format!("role-{number}"));
        scene.cluster.apply(role);
    }
    scene.swept().await.unwrap();
    scene.sim.world().tenant().roles.retain(|role| {
        let row = serde_json::to_value(role).unwrap();
        seeded[0].as_array().unwrap().contains(&row)
    });
    scene
}

fn reason_of_backend(cluster: &Cluster) -> Value {
    condition(&cluster.api.list("backends")[0], "Ready")["reason"].clone()
}

#[test]
fn suspect_backend_says_so_also_after_a_restart() {
    simulated(1, async {
        let mut scene = after_an_accident(5).await;
        let is_suspect = |cluster: &Cluster| reason_of_backend(cluster) == "Vanished";
        scene.cluster.until("the Backend is suspect", is_suspect).await.unwrap();
        scene.cluster.kill().await;
        let version = scene.cluster.api.version();
        scene.cluster.start();
        let end = scene.cluster.api.now() + jiff::SignedDuration::from_mins(5);
        scene.cluster.until("some sweeps", |cluster| cluster.api.now() > end).await.unwrap();
        assert_eq!(scene.cluster.api.changed_objects(version), [Value::Null; 0], "a status was written");
        scene.cluster.process().kill();
    });
}

#[test]
fn shared_grants_that_vanish_count_once() {
    simulated(1, async {
        let scene = Scene::<Grafana>::new(Grafana::servers().swap_remove(0));
        scene.cluster.apply_all(&Grafana::objects());
        let binding = of_kind::<Grafana>("RoleBinding");
        for number in 0..3 {
            let mut sharer = binding.clone();
            sharer["metadata"]["name"] = json!(format!("sharer-{number}"));
            scene.cluster.apply(sharer);
        }
        scene.swept().await.unwrap();
        Grafana::drift(&mut scene.sim.world().tenant());
        let is_corrected = |cluster: &Cluster| {
            assert_ne!(reason_of_backend(cluster), "Vanished");
            !Grafana::has_drift(&scene.sim.world().tenant())
        };
        scene.cluster.until("the grants are back", is_corrected).await.unwrap();
        scene.cluster.process().kill();
    });
}

/// A commit moves the first subject of one RoleBinding to another one, and the second subject the other way.
fn subjects_move_in_one_sync<V: Simulated>() {
    simulated(1, async {
        let scene = Scene::<V>::new(V::servers().pop().unwrap());
        let binding = of_kind::<V>("RoleBinding");
        let subjects = binding["spec"]["subjects"].as_array().unwrap().clone();
        let with_subject = |name: &str, number: usize| {
            let mut binding = binding.clone();
            binding["metadata"]["name"] = json!(name);
            binding["spec"]["subjects"] = json!([subjects[number]]);
            binding
        };
        scene.cluster.apply_all(&[of_kind::<V>("Role"), with_subject("one", 0), with_subject("two", 1)]);
        scene.settled().await.unwrap();
        let before = scene.external();
        scene.cluster.process().arm(None);
        scene.cluster.apply_all(&[with_subject("one", 1), with_subject("two", 0)]);
        scene.swept().await.unwrap();
        assert_nothing_removed(&scene, &before);
        scene.cluster.process().kill();
    });
}

#[test]
fn subjects_move_to_another_binding_in_one_sync() {
    subjects_move_in_one_sync::<Arize>();
    subjects_move_in_one_sync::<Grafana>();
    subjects_move_in_one_sync::<ZenMl>();
}

#[test]
fn restored_secret_is_followed_by_a_sweep_at_once() {
    simulated(1, async {
        let scene = Scene::<Grafana>::new(Grafana::servers().swap_remove(0));
        scene.cluster.apply_all(&Grafana::objects());
        scene.swept().await.unwrap();
        scene.cluster.api.delete("secrets", NAMESPACE, Grafana::SECRET.0);
        let is_missing = |cluster: &Cluster| reason_of_backend(cluster) == "NotFound";
        scene.cluster.until("the Secret is missing", is_missing).await.unwrap();
        let later = scene.cluster.api.now() + jiff::SignedDuration::from_hours(1);
        scene.cluster.until("an hour later", |cluster| cluster.api.now() > later).await.unwrap();
        Grafana::drift(&mut scene.sim.world().tenant());
        scene.connect(NAMESPACE);
        let is_back = |cluster: &Cluster| reason_of_backend(cluster) == "Connected";
        scene.cluster.until("the Backend is connected", is_back).await.unwrap();
        let soon = scene.cluster.api.now() + jiff::SignedDuration::from_secs(10);
        let is_corrected = |cluster: &Cluster| {
            assert!(cluster.api.now() < soon, "no sweep within 10 s");
            !Grafana::has_drift(&scene.sim.world().tenant())
        };
        scene.cluster.until("the drift is corrected", is_corrected).await.unwrap();
        scene.cluster.process().kill();
    });
}
