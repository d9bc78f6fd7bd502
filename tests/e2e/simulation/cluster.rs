//! A cluster in memory: an API server, and an operator process that can be killed and started again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use rolewright_backends::{Dialling, VENDORS};
use rolewright_controller::{Build, Options, RunError};
use serde_json::{Value, json};
use tokio::{
    task::JoinHandle,
    time::{Instant, sleep, sleep_until, timeout_at},
};
use tokio_util::sync::CancellationToken;

use super::{
    api_server::ApiServer,
    network::{Host, Network, clients},
    path::plural_of,
    process::{Cut, Process},
    witness::{LEASE, Witness},
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
    /// How many operator processes run. More than one elect a leader.
    pub replicas: usize,
    pub witness: Witness,
    running: Vec<(Process, JoinHandle<()>)>,
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
        let witness = Witness::new(api.clone());
        Self { started: api.now(), api, hosts, replicas: 1, witness, running: Vec::new() }
    }

    /// Starts the operator processes that do not run.
    pub fn start(&mut self) {
        while self.running.len() < self.replicas {
            let started = self.start_one();
            self.running.push(started);
        }
    }

    fn start_one(&self) -> (Process, JoinHandle<()>) {
        let process = Process::new();
        let network =
            Network { hosts: self.hosts.clone(), process: process.clone(), witness: self.witness.clone() };
        let options = Options {
            build: Build { version: "simulated", commit: "" },
            vendors: VENDORS,
            namespaces: Vec::new(),
            own_namespace: LEASE.0.to_owned(),
            leader_elect: self.replicas > 1,
            max_reconciles: 128,
            dialling: Dialling::default(),
            transport: Some(Arc::new(network)),
            secret_interval: Duration::from_secs(60),
            probe_backoff: (Duration::from_secs(60), Duration::from_secs(600)),
            abandon_after: Duration::from_secs(600),
            settle: Duration::from_secs(120),
        };
        let clients = clients(&self.api, &process);
        let task = tokio::spawn({
            let process = process.clone();
            async move {
                let done = rolewright_controller::run(options, clients, None, CancellationToken::new()).await;
                assert!(matches!(done, Err(RunError::LeaseLost)), "the operator ended: {done:?}");
                process.kill();
            }
        });
        (process, task)
    }

    /// Ends all operator processes as SIGKILL does.
    pub async fn kill(&mut self) {
        for running in self.running.drain(..) {
            end(running).await;
        }
    }

    /// Lets so much time pass, and replaces each process that dies.
    pub async fn pass(&mut self, time: Duration) {
        let end = Instant::now() + time;
        loop {
            let died = self.one_died();
            tokio::select! {
                biased;
                () = died => self.replace_dead().await,
                () = sleep_until(end) => return,
            }
        }
    }

    /// Starts a process in place of each that died.
    async fn replace_dead(&mut self) {
        for number in 0..self.running.len() {
            if self.running[number].0.is_dead() {
                let dead = self.running.swap_remove(number);
                end(dead).await;
                let started = self.start_one();
                self.running.push(started);
                let last = self.running.len() - 1;
                self.running.swap(number, last);
            }
        }
    }

    /// Waits until a process dies.
    fn one_died(&self) -> impl Future<Output = ()> + use<> {
        let processes: Vec<Process> = self.processes().cloned().collect();
        let died = processes.into_iter().map(|process| Box::pin(async move { process.died().await }));
        let first = futures::future::select_all(died);
        async move { drop(first.await) }
    }

    /// When this cluster was made.
    pub fn started(&self) -> Timestamp {
        self.started
    }

    /// The running processes.
    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        self.running.iter().map(|(process, _)| process)
    }

    /// The running process, where there is one.
    pub fn process(&self) -> &Process {
        self.processes().next().expect("an operator runs")
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
        let default = if ["ClusterBackend", "Namespace"].contains(&&*kind) { "" } else { NAMESPACE };
        let namespace = object["metadata"]["namespace"].as_str().unwrap_or(default).to_owned();
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
        let requests = self.api.list("accessrequests");
        serde_yaml::to_string(&[self.objects(), requests].concat()).unwrap()
    }

    /// All custom resources.
    pub fn objects(&self) -> Vec<Value> {
        let plurals = [
            "backends",
            "clusterbackends",
            "roles",
            "rolebindings",
            "resourcerestrictions",
            "prunes",
            "approvals",
        ];
        plurals.iter().flat_map(|plural| self.api.list(plural)).collect()
    }
}

async fn end((process, task): (Process, JoinHandle<()>)) {
    process.kill();
    task.abort();
    let ended = task.await;
    assert!(!ended.is_err_and(|error| error.is_panic()), "the operator had ended by itself");
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
