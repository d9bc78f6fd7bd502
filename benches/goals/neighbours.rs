//! How soon a Role is ready while four other accounts of the same operator are in trouble: one is throttled, one hangs, one imports
//! objects, and one has a namespace that changes its objects without end.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use kube::{
    Api, Client,
    api::{Patch, PatchParams},
};
use rolewright_api::Role;
use serde_json::json;

use super::support::{
    Outcome,
    cluster::Cluster,
    median,
    operator::{Flags, Operator},
    percentile,
    population::{PAIRS, connect, create_all, populate, role, tenant},
    ready::time_to_ready,
    simulator::{Simulator, TOKEN},
    table::Table,
};

const QUIET: &str = "quiet";
const THROTTLED: &str = "throttled";
const HANGING: &str = "hanging";
const IMPORTING: &str = "importing";
const FLOODED: &str = "flooded";
/// All of them, as one operator serves them.
const NAMESPACES: &str = "quiet,throttled,hanging,importing,flooded";
const SWEEP: &str = "5s";
/// The least number of Roles behind a figure. More are created while the import runs.
const SAMPLES: usize = 100;
const MAX_SAMPLES: usize = 2000;
/// The number of Roles on each other account before its trouble begins, and of those that then wait.
const OTHERS: usize = 100;
/// The number of imported objects, and the variable that sets a higher one.
const IMPORTED: usize = 1000;
const IMPORTED_VARIABLE: &str = "ROLEWRIGHT_BENCH_IMPORT";

/// Measures goal 10.
pub async fn measure(cluster: &Cluster, table: &mut Table) -> Outcome<()> {
    let imported = match std::env::var(IMPORTED_VARIABLE) {
        Ok(number) => number.parse::<usize>()?.max(IMPORTED),
        Err(_) => IMPORTED,
    };
    eprintln!("neighbours: none");
    for namespace in NAMESPACES.split(',') {
        cluster.namespace(namespace).await?;
    }
    let _quiet = account(cluster, QUIET).await?;
    let operator = Operator::start(cluster, Flags::new(NAMESPACES)).await?;
    let alone = times(cluster, 0, async || Ok(false)).await?;

    eprintln!("neighbours: four in trouble, one of them imports {imported} objects");
    let _accounts = trouble(cluster, &operator, alone.len()).await?;
    let changes = Arc::new(AtomicUsize::new(0));
    let flood = tokio::spawn(flood(cluster.client.clone(), changes.clone()));
    let import = tokio::spawn(import(cluster.client.clone(), imported));
    let beside = times(cluster, alone.len(), async || is_importing(&operator).await).await?;
    import.await??;
    if flood.is_finished() {
        flood.await??;
    } else {
        flood.abort();
    }

    table.note(format!(
        "10: {} Roles without neighbours and then {} with them, each created after the one before is ready, on one operator. The neighbours \
         are other accounts: one answers 429 with Retry-After 600, one does not answer, and {OTHERS} Roles wait on each of them; one imports \
         {imported} objects meanwhile; in the namespace of the fourth, a client changed Roles {} times, as fast as the API server accepted it. \
         All share the processors with the API server.",
        alone.len(),
        beside.len(),
        changes.load(Ordering::Relaxed),
    ));
    report(table, alone, beside);
    operator.kill().await
}

fn report(table: &mut Table, alone: Vec<f64>, beside: Vec<f64>) {
    let (median_alone, p99_alone) = (median(alone.clone()), percentile(alone, 99));
    let (median_beside, p99_beside) = (median(beside.clone()), percentile(beside.clone(), 99));
    table.show("10 time from create to Ready of a Role, no neighbours: median", median_alone * 1000.0, "ms");
    table.show("10   p99", p99_alone * 1000.0, "ms");
    table.show("10 with neighbours in trouble: median", median_beside * 1000.0, "ms");
    table.at_most("10   p99", p99_beside, 2.0, "s");
    table.show("10   highest", percentile(beside, 100), "s");
    table.show("10   with / without neighbours: median", median_beside / median_alone, "");
    table.show("10   with / without neighbours: p99", p99_beside / p99_alone, "");
}

/// Starts a simulator with the population's account, and creates the Backend of a namespace for it.
async fn account(cluster: &Cluster, namespace: &str) -> Outcome<Simulator> {
    let sim = Simulator::start("arize").await?;
    sim.reset(&tenant()?).await?;
    connect(cluster, namespace, &sim, TOKEN, SWEEP).await?;
    Ok(sim)
}

/// The seconds from create to Ready of Roles on the quiet account, one after the other, from number `first` on. There are more of them than
/// [`SAMPLES`] while `is_busy`.
async fn times(
    cluster: &Cluster,
    first: usize,
    mut is_busy: impl AsyncFnMut() -> Outcome<bool>,
) -> Outcome<Vec<f64>> {
    let mut times = Vec::new();
    while times.len() < SAMPLES || times.len() < MAX_SAMPLES && is_busy().await? {
        times.push(time_to_ready(&cluster.client, QUIET, &role(first + times.len())?).await?);
    }
    Ok(times)
}

/// Starts the other accounts with some Roles, lets two of them fail, and creates more Roles there. `ready`: the number of objects in sync
/// before.
async fn trouble(cluster: &Cluster, operator: &Operator, ready: usize) -> Outcome<Vec<Simulator>> {
    let throttled = account(cluster, THROTTLED).await?;
    let hanging = account(cluster, HANGING).await?;
    let others = vec![account(cluster, IMPORTING).await?, account(cluster, FLOODED).await?];
    for namespace in [THROTTLED, HANGING, FLOODED] {
        create_roles(&cluster.client, namespace, 0..OTHERS).await?;
    }
    operator.in_sync(ready + 3 * OTHERS).await?;
    let pause = json!({ "action": { "kind": "Status", "status": 429, "headers": { "Retry-After": "600" } } });
    throttled.fault(&pause).await?;
    hanging.fault(&json!({ "action": { "kind": "Hold" } })).await?;
    for namespace in [THROTTLED, HANGING] {
        create_roles(&cluster.client, namespace, OTHERS..2 * OTHERS).await?;
    }
    Ok(others.into_iter().chain([throttled, hanging]).collect())
}

async fn create_roles(client: &Client, namespace: &str, numbers: std::ops::Range<usize>) -> Outcome<()> {
    let roles: Vec<Role> = numbers.map(role).collect::<Outcome<_>>()?;
    create_all(client, namespace, &roles).await
}

/// Creates Roles, and the RoleBindings of the population last.
async fn import(client: Client, number: usize) -> Outcome<()> {
    create_roles(&client, IMPORTING, PAIRS..number - PAIRS).await?;
    populate(&client, IMPORTING).await
}

/// Only the import has RoleBindings, and they are granted after their Roles.
async fn is_importing(operator: &Operator) -> Outcome<bool> {
    let bindings = operator.sum(|sample| {
        sample.name == "rolewright_objects"
            && sample.label("kind") == Some("RoleBinding")
            && sample.label("reason") == Some("InSync")
    });
    #[expect(clippy::cast_precision_loss, reason = "hundreds")]
    Ok(bindings.await? < PAIRS as f64)
}

/// Changes the Roles of a namespace one by one without end.
async fn flood(client: Client, changes: Arc<AtomicUsize>) -> Outcome<()> {
    let api: Api<Role> = Api::namespaced(client, FLOODED);
    let params = PatchParams::apply("bench").force();
    loop {
        let number = changes.fetch_add(1, Ordering::Relaxed);
        let mut role = role(number % OTHERS)?;
        role.spec.description = Some(format!("Change {number}"));
        let name = role.metadata.name.clone().unwrap_or_default();
        api.patch(&name, &params, &Patch::Apply(&role)).await?;
    }
}
