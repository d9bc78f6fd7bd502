//! What a thousand Roles and a thousand RoleBindings cost in steady state and across a restart, on Grafana, ZenML Pro and Lenses HQ. Their
//! lists show less than those of Arize.

pub mod grafana;
pub mod large;
mod lenses;
mod zenml;

use std::time::Duration;

use k8s_openapi::api::core::v1::Secret;
use rolewright_api::{Backend, Role, RoleBinding};
use rolewright_simulators::kit::log::Entry;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::support::{
    Outcome,
    cluster::Cluster,
    operator::{Flags, Operator},
    population::{create, create_all},
    simulator::{Simulator, TOKEN},
    table::Table,
};

/// The number of Roles, and of RoleBindings with one subject each.
const PAIRS: usize = 1000;

/// The data of a vendor for a measurement.
pub struct Vendor {
    /// The name for `rolewright simulate` and of the block.
    pub name: &'static str,
    /// The name of the namespace and of the Backend.
    pub namespace: &'static str,
    /// The name in the table.
    pub title: &'static str,
    /// The account, unless it is the seeded one.
    pub tenant: Option<Value>,
    /// The number of Roles.
    pub roles: usize,
    /// The number of RoleBindings. They refer to the Roles in turn.
    pub bindings: usize,
    /// The Backend's block without URL and credentials.
    pub block: Value,
    /// The field for the credential in the block.
    pub credential: &'static str,
    /// The spec of a Role without its Backend.
    pub role: fn(usize) -> Value,
    /// The spec of a RoleBinding without its Backend and its role.
    pub binding: fn(usize) -> Value,
    /// The sweep interval in seconds.
    pub sweep_seconds: u64,
    /// The goal for the requests of an idle sweep.
    pub max_requests: usize,
    /// Why a sweep needs that many requests.
    pub reason: &'static str,
    /// Whether a POST to this path changes nothing.
    pub is_read: fn(&str) -> bool,
}

/// The names of the parts.
pub const PARTS: [&str; 3] = ["grafana", "lenses", "zenml"];

/// Measures goal 9 for one part.
pub async fn measure(part: &str, cluster: &Cluster, table: &mut Table) -> Outcome<()> {
    let vendor = match part {
        "grafana" => grafana::vendor()?,
        "lenses" => lenses::vendor(),
        _ => zenml::vendor(),
    };
    let (name, title) = (vendor.name, vendor.title);
    eprintln!("{name}: two thousand objects converge");
    let sim = vendor.populate(cluster).await?;
    let flags = Flags { secret_interval: 1, probe_backoff: 1, ..Flags::new(name) };
    let operator = Operator::start(cluster, flags).await?;
    operator.in_sync(2 * PAIRS).await?;
    // The Backend's counts are written at most once a minute.
    tokio::time::sleep(Duration::from_secs(65)).await;

    let idle = Duration::from_secs(20 * vendor.sweep_seconds);
    eprintln!("{name}: idle for {} s", idle.as_secs());
    let first = operator.sweep_ends(1.0).await?;
    let (since, before) = (sim.last().await?, cluster.writes().await?);
    tokio::time::sleep(idle).await;
    let sweeps = operator.sweep_ends(1.0).await? - first;
    let log = sim.requests(since).await?;
    #[expect(clippy::cast_precision_loss, reason = "thousands at the most")]
    let goal = vendor.max_requests as f64;
    table.at_most(&format!("9 {title}: requests per idle sweep"), count(&log, |_| true) / sweeps, goal, "");
    table.at_most("9   API-server writes, idle", cluster.writes().await?.since(&before).all(), 0.0, "");
    table.at_most("9   back-end writes, idle", count(&log, |entry| vendor.is_write(entry)), 0.0, "");

    eprintln!("{name}: restart");
    let (since, before) = (sim.last().await?, cluster.writes().await?);
    operator.kill().await?;
    let operator = Operator::start(cluster, flags).await?;
    operator.in_sync(2 * PAIRS).await?;
    operator.sweep_ends(3.0).await?;
    let log = sim.requests(since).await?;
    let written = cluster.writes().await?.since(&before).all();
    table.at_most("9   API-server writes after the restart", written, 0.0, "");
    table.at_most(
        "9   back-end writes after the restart",
        count(&log, |entry| vendor.is_write(entry)),
        0.0,
        "",
    );
    table.show("9   memory, idle", operator.memory()?.now, "MiB");
    table.note(format!(
        "9 {title}: {PAIRS} Roles and {PAIRS} RoleBindings with one subject each; a sweep every {} s; {}.",
        vendor.sweep_seconds, vendor.reason
    ));
    operator.kill().await
}

impl Vendor {
    fn is_write(&self, entry: &Entry) -> bool {
        entry.is_write() && !(entry.method == "POST" && (self.is_read)(&entry.path))
    }

    /// Starts the simulator, and creates the namespace with the Secret, the Backend, the Roles and the RoleBindings.
    ///
    /// # Errors
    /// If the simulator or the API server refuses a part.
    pub async fn populate(&self, cluster: &Cluster) -> Outcome<Simulator> {
        let (client, namespace) = (&cluster.client, self.namespace);
        let sim = Simulator::start(self.name).await?;
        if let Some(tenant) = &self.tenant {
            sim.reset(tenant).await?;
        }
        cluster.namespace(namespace).await?;
        let secret: Secret = serde_json::from_value(json!({
            "metadata": { "name": namespace, "annotations": { "rolewright.dev/hosts": sim.host() } },
            "stringData": { "key": TOKEN },
        }))?;
        let mut block = self.block.clone();
        block["url"] = json!(sim.url);
        block["allowInsecure"] = json!(true);
        block["credentials"] = json!({ self.credential: { "name": namespace, "key": "key" } });
        let backend: Backend = serde_json::from_value(json!({
            "metadata": { "name": namespace },
            "spec": {
                self.name: block,
                "sweepInterval": format!("{}s", self.sweep_seconds),
                "requests": { "perSecond": 10000, "burst": 10000, "concurrency": 4 },
                "guards": { "maxRemovalPercent": 100 },
            },
        }))?;
        let roles: Vec<Role> = (0..self.roles).map(|number| self.role(number)).collect::<Outcome<_>>()?;
        let bindings: Vec<RoleBinding> =
            (0..self.bindings).map(|number| self.binding(number)).collect::<Outcome<_>>()?;
        create(client, namespace, &secret).await?;
        create(client, namespace, &backend).await?;
        create_all(client, namespace, &roles).await?;
        create_all(client, namespace, &bindings).await?;
        Ok(sim)
    }

    /// The Role with this number.
    fn role(&self, number: usize) -> Outcome<Role> {
        self.object("role", number, (self.role)(number))
    }

    /// The RoleBinding with this number.
    fn binding(&self, number: usize) -> Outcome<RoleBinding> {
        let mut spec = (self.binding)(number);
        spec["roleRef"] = json!({ "name": format!("role-{:04}", number % self.roles) });
        self.object("binding", number, spec)
    }

    fn object<K: DeserializeOwned>(&self, kind: &str, number: usize, mut spec: Value) -> Outcome<K> {
        spec["backendRef"] = json!({ "name": self.namespace });
        let name = format!("{kind}-{number:04}");
        Ok(serde_json::from_value(json!({ "metadata": { "name": name }, "spec": spec }))?)
    }
}

#[expect(clippy::cast_precision_loss, reason = "thousands at the most")]
fn count(log: &[Entry], matches: impl Fn(&Entry) -> bool) -> f64 {
    log.iter().filter(|entry| matches(entry)).count() as f64
}
