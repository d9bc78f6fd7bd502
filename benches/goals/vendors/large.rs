//! What ten thousand objects on one account of Grafana cost: their first convergence, steady state, a restart and one more object.

use std::time::{Duration, Instant};

use super::{Vendor, count, grafana};
use crate::support::{
    Outcome,
    cluster::Cluster,
    median,
    operator::{Flags, Operator},
    ready::{HasStatus, time_to_ready},
    simulator::Simulator,
    table::Table,
    until,
};

const ROLES: usize = 2000;
const BINDINGS: usize = 8000;
const OBJECTS: usize = ROLES + BINDINGS;
/// The sweep interval.
const SWEEP_SECONDS: u64 = 5;
/// The length of the idle measurement, in sweeps.
const IDLE_SWEEPS: u64 = 12;
/// The number of objects behind the time of one more object.
const SAMPLES: usize = 5;

/// Measures goal 11.
pub async fn measure(cluster: &Cluster, table: &mut Table) -> Outcome<()> {
    let vendor = Vendor {
        namespace: "large",
        roles: ROLES,
        bindings: BINDINGS,
        sweep_seconds: SWEEP_SECONDS,
        ..grafana::vendor()?
    };
    eprintln!("large: ten thousand objects are created");
    let sim = vendor.populate(cluster).await?;
    let bench = Bench { cluster, sim: &sim, vendor: &vendor };
    let flags = Flags { secret_interval: 1, probe_backoff: 1, ..Flags::new(vendor.namespace) };
    let operator = bench.converge(flags, table).await?;
    // The Backend's counts are written at most once a minute.
    tokio::time::sleep(Duration::from_secs(65)).await;
    bench.idle(&operator, table).await?;
    bench.one_more(table).await?;
    let converged = operator.memory()?;
    let operator = bench.restart(operator, flags, table).await?;
    let restarted = operator.memory()?;
    table.at_most("11  memory, idle, after the convergence", converged.now, 64.0, "MiB");
    table.at_most("11  memory, idle, after the restart", restarted.now, 64.0, "MiB");
    table.at_most("11  memory, peak of the convergence", converged.peak, 96.0, "MiB");
    table.at_most("11  memory, peak after the restart", restarted.peak, 96.0, "MiB");
    table.note(format!(
        "11: {ROLES} Roles and {BINDINGS} RoleBindings with one subject each on Grafana, a sweep every {SWEEP_SECONDS} s. The restart ends \
         when all objects are in sync and the first sweep is complete. One more object: the median of {SAMPLES}."
    ));
    operator.kill().await
}

struct Bench<'a> {
    cluster: &'a Cluster,
    sim: &'a Simulator,
    vendor: &'a Vendor,
}

impl Bench<'_> {
    async fn converge(&self, flags: Flags, table: &mut Table) -> Outcome<Operator> {
        eprintln!("large: ten thousand objects converge");
        let before = self.cluster.writes().await?;
        let operator = Operator::start(self.cluster, flags).await?;
        let started = Instant::now();
        operator.in_sync(OBJECTS).await?;
        let time = started.elapsed().as_secs_f64();
        let log = self.sim.requests(0).await?;
        let written = self.cluster.writes().await?.since(&before);
        let patches = written.patches("roles") + written.patches("rolebindings");
        table.show("11 converging 10,000 objects", time, "s");
        table.at_most("11   back-end requests", count(&log, |_| true), 10_447.0, "");
        table.show("11   of these, writes", count(&log, |entry| self.vendor.is_write(entry)), "");
        #[expect(clippy::cast_precision_loss, reason = "ten thousand")]
        table.show("11   API-server writes per object, without Events", patches / OBJECTS as f64, "");
        Ok(operator)
    }

    async fn idle(&self, operator: &Operator, table: &mut Table) -> Outcome<()> {
        let idle = Duration::from_secs(IDLE_SWEEPS * SWEEP_SECONDS);
        eprintln!("large: idle for {} s", idle.as_secs());
        let first = operator.sweep_ends(1.0).await?;
        let (since, before) = (self.sim.last().await?, self.cluster.writes().await?);
        tokio::time::sleep(idle).await;
        let sweeps = operator.sweep_ends(1.0).await? - first;
        let log = self.sim.requests(since).await?;
        let written = self.cluster.writes().await?.since(&before).all();
        table.at_most("11 requests per idle sweep", count(&log, |_| true) / sweeps, 9.0, "");
        table.at_most("11   API-server writes, idle", written, 0.0, "");
        let writes = count(&log, |entry| self.vendor.is_write(entry));
        table.at_most("11   back-end writes, idle", writes, 0.0, "");
        Ok(())
    }

    async fn one_more(&self, table: &mut Table) -> Outcome<()> {
        eprintln!("large: one more object");
        let role = self.times(|sample| self.vendor.role(ROLES + sample)).await?;
        let binding = self.times(|sample| self.vendor.binding(BINDINGS + sample)).await?;
        table.at_most("11 time from create to Ready of a Role", role * 1000.0, 65.0, "ms");
        table.at_most("11   of a RoleBinding", binding * 1000.0, 65.0, "ms");
        Ok(())
    }

    async fn times<K: HasStatus>(&self, object: impl Fn(usize) -> Outcome<K>) -> Outcome<f64> {
        let mut times = Vec::new();
        for sample in 0..SAMPLES {
            let object = object(sample)?;
            times.push(time_to_ready(&self.cluster.client, self.vendor.namespace, &object).await?);
        }
        Ok(median(times))
    }

    async fn restart(&self, operator: Operator, flags: Flags, table: &mut Table) -> Outcome<Operator> {
        eprintln!("large: restart");
        // The Backend's counts are written at most once a minute.
        tokio::time::sleep(Duration::from_secs(65)).await;
        operator.kill().await?;
        let (since, before) = (self.sim.last().await?, self.cluster.writes().await?);
        let started = Instant::now();
        let operator = Operator::start(self.cluster, flags).await?;
        operator.in_sync(OBJECTS + 2 * SAMPLES).await?;
        until("the first sweep", Duration::from_secs(60), async || {
            Ok((operator.sweeps().await? >= 1.0).then_some(()))
        })
        .await?;
        table.at_most("11 restart, until all are in sync", started.elapsed().as_secs_f64(), 4.3, "s");
        table.at_most("11   requests", count(&self.sim.requests(since).await?, |_| true), 21.0, "");
        operator.sweep_ends(3.0).await?;
        let writes = count(&self.sim.requests(since).await?, |entry| self.vendor.is_write(entry));
        table.at_most("11   back-end writes", writes, 0.0, "");
        let written = self.cluster.writes().await?.since(&before).all();
        table.at_most("11   API-server writes", written, 0.0, "");
        Ok(operator)
    }
}
