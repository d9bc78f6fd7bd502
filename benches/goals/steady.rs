//! What a thousand objects cost in steady state: requests, writes and memory, also across a restart and during an outage of the back end.

use std::time::Duration;

use kube::Api;
use rolewright_api::Backend;
use rolewright_simulators::arize::{Kind, Tenant, users::UserStatus};
use serde_json::json;

use super::{
    one_object,
    support::{
        Outcome,
        cluster::Cluster,
        operator::{Flags, Operator},
        population::{BACKEND, OBJECTS, connect, populate},
        simulator::{Simulator, TOKEN},
        table::Table,
        until,
    },
};

const NAMESPACE: &str = "steady";
/// The sweep interval.
const SWEEP: &str = "1s";
const INTERVALS: &str = "a sweep every 1 s (default 5 min), a read of the Secret every 1 s (default 50 s), a probe of a failed back end after 1 s (default 60 s)";
/// The length of the idle measurement.
const IDLE: Duration = Duration::from_secs(30);
/// The length of each of the two outages.
const OUTAGE: Duration = Duration::from_secs(10);
/// The maximum entries of a page (contract 1).
const PAGE: usize = 100;

/// Measures goals 1 to 5 and 7.
pub async fn measure(cluster: &Cluster, sim: &Simulator, table: &mut Table) -> Outcome<()> {
    eprintln!("steady state: a thousand objects converge");
    sim.reset(&one_object::tenant()?).await?;
    cluster.namespace(NAMESPACE).await?;
    populate(&cluster.client, NAMESPACE).await?;
    connect(cluster, NAMESPACE, sim, TOKEN, SWEEP).await?;
    let flags = Flags { secret_interval: 1, probe_backoff: 1, ..Flags::new(NAMESPACE) };
    let operator = Operator::start(cluster, flags).await?;
    operator.in_sync(OBJECTS).await?;
    let more = one_object::measure(cluster, sim, &operator, NAMESPACE, table).await?;
    let objects = OBJECTS + more;
    let bench = Bench { cluster, sim, objects };

    eprintln!("steady state: waiting for the final counts, which are written at most once a minute");
    bench.wait_for_counts().await?;
    bench.idle(&operator, table).await?;
    let converged = operator.memory()?;
    let operator = bench.restart(operator, flags, table).await?;
    bench.outage(&operator, table).await?;
    let restarted = operator.memory()?;
    table.at_most("7 memory, idle, after 1,000 objects converged", converged.now, 25.0, "MiB");
    table.at_most("7   idle, after a restart", restarted.now, 25.0, "MiB");
    table.show("7   peak during the convergence", converged.peak, "MiB");
    table.show("7   peak after the restart", restarted.peak, "MiB");
    table.note("7: resident memory of the process, VmRSS and VmHWM.".to_owned());
    operator.kill().await
}

struct Bench<'a> {
    cluster: &'a Cluster,
    sim: &'a Simulator,
    objects: usize,
}

impl Bench<'_> {
    /// Waits until the Backend's status counts all objects. It is the last write before steady state.
    async fn wait_for_counts(&self) -> Outcome<()> {
        let backends: Api<Backend> = Api::namespaced(self.cluster.client.clone(), NAMESPACE);
        until("counts in the Backend's status", Duration::from_secs(100), async || {
            let counts = backends.get(BACKEND).await?.status.and_then(|status| status.counts);
            let all = i64::try_from(self.objects)?;
            Ok(counts.is_some_and(|counts| counts.objects == all && counts.ready == all).then_some(()))
        })
        .await
    }

    async fn back_end_writes(&self, since: u64) -> Outcome<f64> {
        let log = self.sim.requests(since).await?;
        Ok(log.iter().filter(|entry| entry.is_write()).fold(0.0, |count, _| count + 1.0))
    }

    async fn idle(&self, operator: &Operator, table: &mut Table) -> Outcome<()> {
        eprintln!("steady state: idle for {} s", IDLE.as_secs());
        let pages = pages(&self.sim.state().await?);
        // Begin and end between two sweeps, so that the log contains only complete ones.
        let first = operator.sweep_ends(1.0).await?;
        let (since, before) = (self.sim.last().await?, self.cluster.writes().await?);
        tokio::time::sleep(IDLE).await;
        let sweeps = operator.sweep_ends(1.0).await? - first;
        #[expect(clippy::cast_precision_loss, reason = "thousands at the most")]
        let calls = self.sim.requests(since).await?.len() as f64;
        let written = self.cluster.writes().await?.since(&before);
        table.at_most("1 back-end requests per idle sweep (pages + 5)", calls / sweeps, pages + 5.0, "");
        table.at_most("2 API-server writes, idle", written.all(), 0.0, "");
        table.at_most("2 back-end writes, idle", self.back_end_writes(since).await?, 0.0, "");
        table.note(format!(
            "1: the lists that the objects need have {pages} pages of {PAGE}: roles, bindings of spaces and of projects, users, spaces, \
             projects. {sweeps} sweeps were counted."
        ));
        table.note(format!(
            "2, 3: {INTERVALS}. So there are {sweeps} sweeps in the idle time of {} s; by default there is one in five minutes. API-server \
             writes are those to rolewright.dev and to Events, from the API server's metrics.",
            IDLE.as_secs()
        ));
        Ok(())
    }

    async fn restart(&self, operator: Operator, flags: Flags, table: &mut Table) -> Outcome<Operator> {
        eprintln!("steady state: restart");
        let (since, before) = (self.sim.last().await?, self.cluster.writes().await?);
        operator.kill().await?;
        let operator = Operator::start(self.cluster, flags).await?;
        operator.in_sync(self.objects).await?;
        operator.sweep_ends(3.0).await?;
        let written = self.cluster.writes().await?.since(&before);
        table.at_most("3 API-server writes after SIGKILL and restart", written.all(), 0.0, "");
        table.at_most(
            "3 back-end writes after SIGKILL and restart",
            self.back_end_writes(since).await?,
            0.0,
            "",
        );
        Ok(operator)
    }

    async fn outage(&self, operator: &Operator, table: &mut Table) -> Outcome<()> {
        let (since, before) = (self.sim.last().await?, self.cluster.writes().await?);
        for action in [json!({ "kind": "Status", "status": 503 }), json!({ "kind": "Reset" })] {
            eprintln!("steady state: the back end is down ({})", action["kind"]);
            self.sim.fault(&json!({ "action": action })).await?;
            tokio::time::sleep(OUTAGE).await;
            self.sim.clear_faults().await?;
            operator.sweep_ends(2.0).await?;
        }
        let written = self.cluster.writes().await?.since(&before);
        let objects = written.all() - written.of("backends");
        table.at_most("3 writes to objects in sync, in an outage", objects, 0.0, "");
        table.at_most("3 back-end writes, in an outage", self.back_end_writes(since).await?, 0.0, "");
        table.show("3   writes to the Backend, in an outage", written.of("backends"), "");
        table.note(format!(
            "3: an outage is {0} s of status 503 and {0} s of reset connections, each with a recovery.",
            OUTAGE.as_secs()
        ));
        Ok(())
    }
}

/// The number of pages of the lists that the objects need.
#[expect(clippy::cast_precision_loss, reason = "tens")]
fn pages(tenant: &Tenant) -> f64 {
    let bound = |kind: Kind| tenant.role_bindings.iter().filter(|row| row.resource_id.kind == kind).count();
    let listed_users =
        tenant.users.iter().filter(|user| !user.is_bot && user.status != UserStatus::Inactive).count();
    let lists = [
        tenant.roles.iter().filter(|role| role.deleted_at.is_none()).count(),
        bound(Kind::Space),
        bound(Kind::Model),
        listed_users,
        tenant.spaces.len(),
        tenant.projects.len(),
    ];
    // An empty list takes a request too.
    lists.iter().map(|items| items.div_ceil(PAGE).max(1)).sum::<usize>() as f64
}
