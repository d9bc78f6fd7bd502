//! How many requests an expired credential causes while a thousand objects wait for it, and how soon a new one is used.

use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::Secret;
use kube::{
    Api,
    api::{Patch, PatchParams},
};
use rolewright_api::Backend;
use serde_json::json;

use super::support::{
    Outcome,
    cluster::Cluster,
    operator::{Flags, Operator},
    population::{BACKEND, OBJECTS, connect, populate, tenant},
    simulator::Simulator,
    table::Table,
    until,
};

const NAMESPACE: &str = "credential";
/// All intervals, and the hour, are divided by this.
const FACTOR: u64 = 60;
const HOUR: Duration = Duration::from_secs(3600 / FACTOR);

/// Measures goal 8.
pub async fn measure(cluster: &Cluster, sim: &Simulator, table: &mut Table) -> Outcome<()> {
    sim.reset(&tenant()?).await?;
    cluster.namespace(NAMESPACE).await?;
    for name in ["first", "second"] {
        let grant = json!({ "account_role": "ADMIN" });
        let add = json!({ "action": "Add", "name": name, "token": token(name), "grant": grant });
        sim.credential(&add).await?;
    }
    connect(cluster, NAMESPACE, sim, &token("first"), &format!("{}s", 300 / FACTOR)).await?;
    let flags = Flags { secret_interval: 1, probe_backoff: 60 / FACTOR, ..Flags::new(NAMESPACE) };
    populate(&cluster.client, NAMESPACE).await?;
    let operator = Operator::start(cluster, flags).await?;
    operator.in_sync(1).await?;

    eprintln!("an expired credential: {} s for the first hour", HOUR.as_secs());
    let since = sim.last().await?;
    sim.credential(&json!({ "action": "Expire", "name": "first" })).await?;
    tokio::time::sleep(HOUR).await;
    ready(cluster, "False").await?;
    let waiting = operator.objects("BackendNotReady").await?;
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    let calls = sim.requests(since).await?.iter().filter(|entry| entry.status == Some(401)).count() as f64;

    let secrets: Api<Secret> = Api::namespaced(cluster.client.clone(), NAMESPACE);
    let changed = json!({ "stringData": { "key": token("second") } });
    secrets.patch(BACKEND, &PatchParams::default(), &Patch::Merge(changed)).await?;
    let started = Instant::now();
    ready(cluster, "True").await?;
    let delay = started.elapsed().as_secs_f64();
    table.at_most("8 requests with an expired credential in an hour", calls, 20.0, "");
    table.at_most("8 from the changed Secret to a ready Backend", delay, 2.0, "s");
    table.note(format!(
        "8: all times are divided by {FACTOR}, also the hour: a sweep every 5 s (default 5 min), a probe of the credential after 1 s, \
         doubled up to 10 s (default 1 min, 10 min), a read of the Secret every 1 s (default 50 s). The credential expires when the first of \
         {OBJECTS} objects are in sync; {waiting} objects wait for it. A changed Secret is used after the next read of the Secret (by \
         default within 50 s), not after the next probe."
    ));
    operator.kill().await
}

fn token(name: &str) -> String {
    format!("{name}-token")
}

/// Waits until the Backend's `Ready` condition has this status.
async fn ready(cluster: &Cluster, expected: &str) -> Outcome<()> {
    let backends: Api<Backend> = Api::namespaced(cluster.client.clone(), NAMESPACE);
    until("a Backend with another Ready status", Duration::from_secs(30), async || {
        let status = backends.get(BACKEND).await?.status.unwrap_or_default();
        Ok(status.conditions.iter().any(|one| one.type_ == "Ready" && one.status == expected).then_some(()))
    })
    .await
}
