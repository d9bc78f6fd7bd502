//! One account in memory and one cluster that manages it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use rolewright_simulators::{
    arize::Arize,
    grafana::Grafana,
    kit::{InMemory, Options, Vendor},
    lenses::Lenses,
    zenml::ZenMl,
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    cluster::{Cluster, Killed, NAMESPACE, is_ready},
    network::Host,
    path::plural_of,
    shape::shape,
};
use crate::support::{ADMIN_CREDENTIAL, grafana as grafana_objects, kind_and_name, trial::Trial};

/// The host of the back end.
pub const HOST: &str = "back-end.example.com";

/// What the simulation needs of a vendor beside its trial.
pub trait Simulated: Trial {
    /// The roles, grants and restrictions of the account; the roles first.
    fn external(tenant: &Self::Tenant) -> Value {
        Self::access(tenant)
    }

    /// Whether this server shows what it takes to adopt a role.
    fn adopts_roles(_server: usize) -> bool {
        true
    }

    /// A restriction that the trial does not contain.
    fn restriction() -> Option<Value> {
        None
    }
}

impl Simulated for Arize {}

impl Simulated for Grafana {
    fn external(tenant: &<Self as Vendor>::Tenant) -> Value {
        json!([tenant.roles, tenant.user_roles, tenant.team_roles, tenant.managed_permissions])
    }

    fn restriction() -> Option<Value> {
        Some(grafana_objects::restriction("sre", json!({ "folder": "SRE" }), json!({})))
    }
}

impl Simulated for Lenses {}

impl Simulated for ZenMl {
    fn adopts_roles(server: usize) -> bool {
        server == 1
    }
}

/// One account and one cluster.
pub struct Scene<V: Simulated> {
    pub cluster: Cluster,
    pub sim: Arc<InMemory<V>>,
}

impl<V: Simulated> Scene<V> {
    /// A seeded account, and a running operator with one Backend.
    pub fn new(options: Options<V>) -> Self {
        Self::with_backend(options, json!({ "sweepInterval": "1m" }))
    }

    /// The same with these fields of the Backend.
    pub fn with_backend(options: Options<V>, more: Value) -> Self {
        let sim = Arc::new(InMemory::new(options).unwrap());
        let hosts: BTreeMap<String, Arc<dyn Host>> = [(HOST.to_owned(), sim.clone() as _)].into();
        let mut scene = Self { cluster: Cluster::new(Arc::new(hosts)), sim };
        scene.connect_with(NAMESPACE, more);
        scene.cluster.start();
        scene
    }

    /// Applies a Backend with its Secret.
    pub fn connect(&self, namespace: &str) {
        self.connect_with(namespace, json!({ "sweepInterval": "1m" }));
    }

    fn connect_with(&self, namespace: &str, more: Value) {
        self.cluster.apply_secret(namespace, V::SECRET, ADMIN_CREDENTIAL, HOST);
        let backend = V::backend(&format!("https://{HOST}"), more);
        self.cluster.apply(within(backend, namespace));
    }

    /// Deletes these objects.
    pub fn delete_all(&self, namespace: &str, objects: &[Value]) {
        for object in objects {
            let (kind, name) = kind_and_name(object);
            self.cluster.api.delete(plural_of(kind), namespace, name);
        }
    }

    /// What the account and the objects show.
    pub fn shape(&self) -> Vec<String> {
        shape(V::external(&self.sim.world().tenant()), &self.cluster.objects())
    }

    /// Waits until every object is ready, and those that are being deleted are deleted.
    pub async fn settled(&self) -> Result<(), Killed> {
        let is_settled = |cluster: &Cluster| cluster.objects().iter().all(is_ready);
        self.cluster.until("every object is ready", is_settled).await
    }

    /// Waits for the next sweeps, and until every object is ready.
    pub async fn swept(&self) -> Result<(), Killed> {
        self.settled().await?;
        let end = Instant::now() + Duration::from_secs(90);
        self.cluster.until("the next sweeps", |_| Instant::now() >= end).await?;
        self.settled().await
    }
}

/// The same object in another namespace.
pub fn within(mut object: Value, namespace: &str) -> Value {
    object["metadata"]["namespace"] = json!(namespace);
    object
}

/// Runs a task in one thread and in simulated time. Two runs with the same seed are equal.
pub fn simulated<T>(seed: u64, task: impl Future<Output = T>) -> T {
    fastrand::seed(seed);
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(task)
}
