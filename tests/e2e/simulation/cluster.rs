//! A cluster in memory: an API server, and an operator process that can be killed and started again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use rolewright_backends::{Dialling, VENDORS};
use rolewright_controller::Options;
use serde_json::{Value, json};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    api_server::ApiServer,
    network::{Host, Network, clients},
    path::plural_of,
    process::{Cut, Process},
};

/// The longest that anything takes, in simulated time.
const PATIENCE: Duration = Duration::from_secs(3 * 3600);

/// The namespace of objects, unless a test names another one.
pub const NAMESPACE: &str = "team-a";

/// The back ends that can be reached, by host name.
pub type Hosts = Arc<BTreeMap<String, Arc<dyn Host>>>;

/// A cluster with an operator.
pub struct Cluster {
    pub api: ApiServer,
    hosts: Hosts,
    started: Timestamp,
    running: Option<(Process, JoinHandle<()>)>,
}

/// The operator was killed while a test waited.
#[derive(Debug)]
pub struct Killed;

impl Cluster {
    /// A cluster with the CRDs and without an operator.
    pub fn new(hosts: Hosts) -> Self {
        let api = ApiServer::new();
        for name in rolewright_api::CRD_NAMES {
            // Without the schema, which nobody reads here.
            let level = json!({ rolewright_api::annotations::SCHEMA_LEVEL: rolewright_api::SCHEMA_LEVEL });
            let metadata = json!({ "name": name(), "annotations": level });
            api.apply(
                "customresourcedefinitions",
                "",
                json!({
                    "apiVersion": "apiextensions.k8s.io/v1",
                    "kind": "CustomResourceDefinition",
                    "metadata": metadata,
                    "spec": { "group": "", "names": { "kind": "", "plural": "" }, "scope": "Namespaced", "versions": [] },
                }),
            );
        }
        Self { started: api.now(), api, hosts, running: None }
    }

    /// Starts an operator process.
    pub fn start(&mut self) {
        assert!(self.running.is_none(), "one operator at a time");
        let process = Process::new();
        let network = Network { hosts: self.hosts.clone(), process: process.clone() };
        let options = Options {
            vendors: VENDORS,
            namespaces: Vec::new(),
            own_namespace: "rolewright".to_owned(),
            leader_elect: false,
            max_reconciles: 128,
            dialling: Dialling::default(),
            transport: Some(Arc::new(network)),
            secret_interval: Duration::from_secs(60),
            probe_backoff: (Duration::from_secs(60), Duration::from_secs(600)),
            abandon_after: Duration::from_secs(600),
            settle: Duration::from_secs(120),
        };
        let clients = clients(&self.api, &process);
        let task = tokio::spawn(async move {
            let done = rolewright_controller::run(options, clients, None, CancellationToken::new()).await;
            panic!("the operator ended: {done:?}");
        });
        self.running = Some((process, task));
    }

    /// Ends the operator process as SIGKILL does.
    pub async fn kill(&mut self) {
        if let Some((process, task)) = self.running.take() {
            process.kill();
            task.abort();
            let ended = task.await;
            assert!(ended.is_err_and(|error| error.is_cancelled()), "the operator had ended by itself");
        }
    }

    /// When this cluster was made.
    pub fn started(&self) -> Timestamp {
        self.started
    }

    /// The running process.
    pub fn process(&self) -> &Process {
        &self.running.as_ref().expect("an operator runs").0
    }

    /// Kills the running process at this call, counted from now on.
    pub fn arm(&self, cut: Option<Cut>) {
        self.process().arm(cut);
    }

    /// Applies objects in the namespace [`NAMESPACE`], unless they name another one.
    pub fn apply_all(&self, objects: &[Value]) {
        objects.iter().for_each(|object| self.apply(object.clone()));
    }

    /// Applies one object.
    pub fn apply(&self, object: Value) {
        let kind = object["kind"].as_str().unwrap().to_owned();
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or(NAMESPACE).to_owned();
        self.api.apply(plural_of(&kind), &namespace, object);
    }

    /// Applies a Secret whose value can be sent to this host.
    pub fn apply_secret(&self, namespace: &str, (name, key): (&str, &str), value: &str, host: &str) {
        use base64::{Engine, engine::general_purpose::STANDARD};
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": name, "namespace": namespace, "annotations": { "rolewright.dev/hosts": host } },
            "data": { key: STANDARD.encode(value) },
        });
        self.apply(secret);
    }

    /// Waits until `is_so`, or until the operator is killed by its cut.
    pub async fn until(&self, what: &str, is_so: impl Fn(&Self) -> bool) -> Result<(), Killed> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let version = self.api.version();
            if self.process().is_dead() {
                return Err(Killed);
            }
            if is_so(self) {
                return Ok(());
            }
            let next = async {
                tokio::select! {
                    biased;
                    () = self.api.changed_since(version) => {}
                    () = self.process().died() => {}
                    () = sleep(Duration::from_secs(1)) => {}
                }
            };
            if timeout_at(deadline, next).await.is_err() {
                panic!("not so in time: {what}\n{}", self.describe());
            }
        }
    }

    /// The custom resources as YAML.
    pub fn describe(&self) -> String {
        serde_yaml::to_string(&self.objects()).unwrap()
    }

    /// All custom resources.
    pub fn objects(&self) -> Vec<Value> {
        let plurals = ["backends", "roles", "rolebindings", "resourcerestrictions"];
        plurals.iter().flat_map(|plural| self.api.list(plural)).collect()
    }
}

/// Whether an object is ready at its present generation.
pub fn is_ready(object: &Value) -> bool {
    let ready = condition(object, "Ready");
    let generation = &object["metadata"]["generation"];
    ready["status"] == "True" && object["status"]["observedGeneration"] == *generation
}

/// Whether the operator reported about the present generation of an object.
pub fn is_reported(object: &Value) -> bool {
    object["status"]["observedGeneration"] == object["metadata"]["generation"]
}

/// A condition of an object, or null.
pub fn condition<'a>(object: &'a Value, type_: &str) -> &'a Value {
    const NONE: &Value = &Value::Null;
    let conditions = object["status"]["conditions"].as_array();
    conditions.into_iter().flatten().find(|condition| condition["type"] == type_).unwrap_or(NONE)
}
