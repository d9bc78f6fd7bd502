//! Single schedules that once went wrong.

use rolewright_simulators::{arize::Arize, grafana::Grafana, zenml::ZenMl};
use serde_json::{Value, json};

use super::{
    cluster::{NAMESPACE, condition},
    scene::{Scene, Simulated, simulated, within},
};

use crate::support::trial::Trial;

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
        assert_eq!(scene.external(), before, "{}", V::NAME);
        let calls = scene.cluster.process().calls();
        let removals: Vec<String> = calls
            .iter()
            .filter(|call| call.method == "DELETE" && call.to != "kubernetes")
            .map(ToString::to_string)
            .collect();
        assert!(removals.is_empty(), "{}: {removals:#?}", V::NAME);
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
