//! What a thousand Roles and a thousand RoleBindings cost while nothing changes, and across a restart: on Grafana, ZenML Pro and Lenses HQ,
//! whose lists show less than Arize's.

mod grafana;
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

/// Roles, and as many bindings of one subject each.
const PAIRS: usize = 1000;

/// A vendor's part in it.
struct Scene {
    /// The vendor's word for `rolewright simulate` and for the block; the namespace and the Backend too.
    vendor: &'static str,
    /// What people call it.
    title: &'static str,
    /// What the account has beside its seed, if anything.
    tenant: Option<Value>,
    /// The block, without URL and credentials.
    block: Value,
    /// The field of the block's credentials.
    credential: &'static str,
    /// What a Role's spec has beside its Backend.
    role: fn(usize) -> Value,
    /// What a RoleBinding's spec has beside its Backend and its role.
    binding: fn(usize) -> Value,
    /// How often it is swept, in seconds.
    every: u64,
    /// How many calls a sweep may take while nothing changes, and why so many.
    calls: (usize, &'static str),
    /// Whether a POST changes nothing.
    asks: fn(&str) -> bool,
}

/// The parts of this measurement, by name.
pub const PARTS: [&str; 3] = ["grafana", "lenses", "zenml"];

/// Measures one part.
pub async fn measure(part: &str, cluster: &Cluster, table: &mut Table) -> Outcome<()> {
    let scene = match part {
        "grafana" => grafana::scene()?,
        "lenses" => lenses::scene(),
        _ => zenml::scene(),
    };
    let (vendor, title) = (scene.vendor, scene.title);
    eprintln!("{vendor}: two thousand objects converge");
    let sim = Simulator::start(vendor).await?;
    if let Some(tenant) = &scene.tenant {
        sim.reset(tenant).await?;
    }
    cluster.namespace(vendor).await?;
    populate(cluster, &sim, &scene).await?;
    let flags = Flags { secret_interval: 1, probe_backoff: 1, ..Flags::new(vendor) };
    let operator = Operator::start(cluster, flags).await?;
    operator.in_sync(2 * PAIRS).await?;
    // The Backend's counts are written once a minute at the most.
    tokio::time::sleep(Duration::from_secs(65)).await;

    let idle = Duration::from_secs(20 * scene.every);
    eprintln!("{vendor}: idle for {} s", idle.as_secs());
    let first = operator.sweep_ends(1.0).await?;
    let (since, before) = (sim.last().await?, cluster.writes().await?);
    tokio::time::sleep(idle).await;
    let sweeps = operator.sweep_ends(1.0).await? - first;
    let log = sim.requests(since).await?;
    #[expect(clippy::cast_precision_loss, reason = "thousands at the most")]
    let goal = scene.calls.0 as f64;
    table.at_most(&format!("9 {title}: calls an idle sweep"), count(&log, |_| true) / sweeps, goal, "");
    table.at_most("9   API-server writes, idle", cluster.writes().await?.since(&before).all(), 0.0, "");
    table.at_most("9   back-end writes, idle", count(&log, |entry| scene.writes(entry)), 0.0, "");

    eprintln!("{vendor}: restart");
    let (since, before) = (sim.last().await?, cluster.writes().await?);
    operator.kill().await?;
    let operator = Operator::start(cluster, flags).await?;
    operator.in_sync(2 * PAIRS).await?;
    operator.sweep_ends(3.0).await?;
    let log = sim.requests(since).await?;
    let written = cluster.writes().await?.since(&before).all();
    table.at_most("9   API-server writes after the restart", written, 0.0, "");
    table.at_most("9   back-end writes after the restart", count(&log, |entry| scene.writes(entry)), 0.0, "");
    table.show("9   memory, idle", operator.memory()?.now, "MiB");
    table.note(format!(
        "9 {title}: {PAIRS} Roles and {PAIRS} RoleBindings of one subject each; a sweep each {} s; {}.",
        scene.every, scene.calls.1
    ));
    operator.kill().await
}

impl Scene {
    fn writes(&self, entry: &Entry) -> bool {
        entry.is_write() && !(entry.method == "POST" && (self.asks)(&entry.path))
    }
}

#[expect(clippy::cast_precision_loss, reason = "thousands at the most")]
fn count(log: &[Entry], wanted: impl Fn(&Entry) -> bool) -> f64 {
    log.iter().filter(|entry| wanted(entry)).count() as f64
}

async fn populate(cluster: &Cluster, sim: &Simulator, scene: &Scene) -> Outcome<()> {
    let vendor = scene.vendor;
    let secret: Secret = serde_json::from_value(json!({
        "metadata": { "name": vendor, "annotations": { "rolewright.dev/hosts": sim.host() } },
        "stringData": { "key": TOKEN },
    }))?;
    let mut block = scene.block.clone();
    block["url"] = json!(sim.url);
    block["allowInsecure"] = json!(true);
    block["credentials"] = json!({ scene.credential: { "name": vendor, "key": "key" } });
    let backend: Backend = serde_json::from_value(json!({
        "metadata": { "name": vendor },
        "spec": {
            vendor: block,
            "sweepInterval": format!("{}s", scene.every),
            "requests": { "perSecond": 10000, "burst": 10000, "concurrency": 4 },
        },
    }))?;
    let roles: Vec<Role> = each("role", vendor, |number| (scene.role)(number))?;
    let bindings: Vec<RoleBinding> = each("binding", vendor, |number| {
        let mut spec = (scene.binding)(number);
        spec["roleRef"] = json!({ "name": format!("role-{number:04}") });
        spec
    })?;
    create(&cluster.client, vendor, &secret).await?;
    create(&cluster.client, vendor, &backend).await?;
    create_all(&cluster.client, vendor, &roles).await?;
    create_all(&cluster.client, vendor, &bindings).await
}

fn each<K: DeserializeOwned>(name: &str, backend: &str, spec: impl Fn(usize) -> Value) -> Outcome<Vec<K>> {
    let one = |number: usize| {
        let mut spec = spec(number);
        spec["backendRef"] = json!({ "name": backend });
        let object = json!({ "metadata": { "name": format!("{name}-{number:04}") }, "spec": spec });
        Ok(serde_json::from_value(object)?)
    };
    (0..PAIRS).map(one).collect()
}
