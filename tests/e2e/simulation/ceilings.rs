//! ClusterBackends: which namespaces they serve, and that nothing beyond their ceiling is granted.

use rolewright_simulators::{arize::Arize, grafana::Grafana, kit::InMemory, lenses::Lenses, zenml::ZenMl};
use serde_json::{Value, json};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::time::Instant;

use super::{
    cluster::{Cluster, NAMESPACE, condition, is_ready, is_reported},
    network::Host,
    path::plural_of,
    scene::{Simulated, backend_with, host, remove_grant, simulated},
};
use crate::support::{ADMIN_CREDENTIAL, kind_and_name};

/// The namespace of the Secret.
const SECRETS: &str = "access-control";

/// A cluster whose namespace has no labels, and an account without a Backend.
struct Shared<V: Simulated> {
    cluster: Cluster,
    sim: Arc<InMemory<V>>,
    seeded: Value,
}

impl<V: Simulated> Shared<V> {
    fn new() -> Self {
        let sim = Arc::new(InMemory::new(V::servers().pop().unwrap()).unwrap());
        let hosts: BTreeMap<String, Arc<dyn Host>> = [(host(), sim.clone() as _)].into();
        let mut cluster = Cluster::new(Arc::new(hosts));
        // It names no host: the hosts of the ClusterBackend count.
        cluster.apply_secret(SECRETS, V::SECRET, ADMIN_CREDENTIAL, "");
        cluster.start();
        let seeded = V::external(&sim.world().tenant());
        let shared = Self { cluster, sim, seeded };
        shared.label(json!({}));
        shared
    }

    /// Applies the ClusterBackend with these terms.
    fn share(&self, terms: Value) {
        let mut backend = backend_with::<V>(json!({ "sweepInterval": "1m" }));
        backend["kind"] = json!("ClusterBackend");
        let spec = backend["spec"].as_object_mut().unwrap();
        spec.insert("secretNamespace".to_owned(), json!(SECRETS));
        spec.insert("hosts".to_owned(), json!([host()]));
        spec.insert("namespaceSelector".to_owned(), json!({ "matchLabels": { "shared": "yes" } }));
        for (field, value) in terms.as_object().unwrap() {
            spec.insert(field.clone(), value.clone());
        }
        self.cluster.apply(backend);
    }

    fn label(&self, labels: Value) {
        let metadata = json!({ "name": NAMESPACE, "labels": labels });
        self.cluster.apply(json!({ "apiVersion": "v1", "kind": "Namespace", "metadata": metadata }));
    }

    fn external(&self) -> Value {
        V::external(&self.sim.world().tenant())
    }

    async fn until(&self, what: &str, is_so: impl Fn(&Cluster) -> bool) {
        self.cluster.until(what, is_so).await.unwrap();
    }

    /// Waits until an object reports this reason at its present generation, and returns the message.
    async fn reports(&self, object: &Value, reason: &str) -> String {
        let (kind, name) = kind_and_name(object);
        let get = |cluster: &Cluster| cluster.api.get(plural_of(kind), NAMESPACE, name).unwrap();
        self.until(&format!("{kind} {name} reports {reason}"), |cluster| {
            let object = get(cluster);
            is_reported(&object) && condition(&object, "Ready")["reason"] == reason
        })
        .await;
        condition(&get(&self.cluster), "Ready")["message"].as_str().unwrap().to_owned()
    }

    async fn all_report(&self, objects: &[Value], reason: &str) {
        for object in objects {
            self.reports(object, reason).await;
        }
    }

    /// Waits for the next sweeps.
    async fn swept(&self) {
        let end = Instant::now() + Duration::from_secs(150);
        self.until("the next sweeps", |_| Instant::now() >= end).await;
    }
}

/// An object that refers to the ClusterBackend.
fn through(mut object: Value) -> Value {
    object["spec"]["backendRef"]["kind"] = json!("ClusterBackend");
    object
}

/// Every subject is outside.
fn nobody() -> Value {
    let none = json!({ "deny": ["*"] });
    json!({ "users": none, "serviceAccounts": none, "teams": none, "groups": none })
}

fn serves_and_narrows<V: Simulated>() {
    simulated(1, async {
        let shared = Shared::<V>::new();
        let allow = json!({ "roleNames": ["*"], "restrictions": true });
        shared.share(json!({ "allow": allow }));
        let objects: Vec<Value> = V::objects().into_iter().map(through).collect();
        shared.cluster.apply_all(&objects);

        // A namespace that is not selected gets nothing.
        shared.all_report(&objects[..1], "Denied").await;
        shared.swept().await;
        assert_eq!(shared.external(), shared.seeded);
        shared.label(json!({ "shared": "yes" }));
        shared.all_report(&objects, "InSync").await;

        // A narrower ceiling removes nothing, and makes nothing again.
        let full = shared.external();
        shared.share(json!({ "allow": allow, "ceiling": nobody() }));
        let bindings: Vec<Value> = objects.iter().filter(|it| it["kind"] == "RoleBinding").cloned().collect();
        let message = shared.reports(&bindings[0], "Denied").await;
        assert!(message.contains(".deny of ClusterBackend"), "{message}");
        shared.swept().await;
        assert_eq!(shared.external(), full);
        if remove_grant(&shared.sim, &shared.seeded, &mut fastrand::Rng::with_seed(1)).is_some() {
            let less = shared.external();
            shared.swept().await;
            assert_eq!(shared.external(), less, "what was revoked by hand is outside now");
        }
        shared.share(json!({ "allow": allow }));
        shared.all_report(&objects, "InSync").await;
        assert_eq!(V::external(&shared.sim.world().tenant())[0], full[0]);

        // Neither does a namespace that is not selected any more; and what objects manage is deleted with them.
        let full = shared.external();
        shared.label(json!({}));
        shared.all_report(&objects, "Denied").await;
        shared.swept().await;
        assert_eq!(shared.external(), full);
        for object in objects.iter().rev() {
            let (kind, name) = kind_and_name(object);
            shared.cluster.api.delete(plural_of(kind), NAMESPACE, name);
        }
        shared.until("all are deleted", |cluster| cluster.objects().len() == 1).await;
        assert_eq!(shared.external(), shared.seeded);
        shared.until("the ClusterBackend is ready", |cluster| cluster.objects().iter().all(is_ready)).await;
        shared.cluster.process().kill();
    });
}

#[test]
fn selected_namespaces_are_served_on_arize() {
    serves_and_narrows::<Arize>();
}

#[test]
fn selected_namespaces_are_served_on_grafana() {
    serves_and_narrows::<Grafana>();
}

#[test]
fn selected_namespaces_are_served_on_lenses() {
    serves_and_narrows::<Lenses>();
}

#[test]
fn selected_namespaces_are_served_on_zenml() {
    serves_and_narrows::<ZenMl>();
}
