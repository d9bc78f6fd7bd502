//! What a thousand objects cost while nothing changes: calls, writes, memory; also across a restart, and while the back end is down.

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
/// A sweep by default, and here.
const SWEEP: &str = "1s";
const SHORTENED: &str = "sweeps each 1 s (by default 5 min), looks at the Secret each 1 s (50 s), tries of a dead connection after 1 s (60 s)";
/// How long nothing happens.
const IDLE: Duration = Duration::from_secs(30);
/// How long the back end is down, in each of two ways.
const DOWN: Duration = Duration::from_secs(10);
/// What a page holds at most (contract 1).
const PAGE: usize = 100;

/// Measures it.
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
    let scene = Scene { cluster, sim, objects };

    eprintln!("steady state: waiting for the last counts, written once a minute at the most");
    scene.counted().await?;
    scene.idle(&operator, table).await?;
    let worked = operator.memory()?;
    let operator = scene.restart(operator, flags, table).await?;
    scene.down(&operator, table).await?;
    let restarted = operator.memory()?;
    table.at_most("7 memory, idle, after 1,000 objects converged", worked.now, 25.0, "MiB");
    table.at_most("7   idle, after a restart", restarted.now, 25.0, "MiB");
    table.show("7   peak while they converged", worked.peak, "MiB");
    table.show("7   peak after the restart", restarted.peak, "MiB");
    table.note("7: resident memory of the process, VmRSS and VmHWM.".to_owned());
    operator.kill().await
}

struct Scene<'a> {
    cluster: &'a Cluster,
    sim: &'a Simulator,
    objects: usize,
}

impl Scene<'_> {
    /// Waits until the Backend's status tells of all objects: the last write before all is still.
    async fn counted(&self) -> Outcome<()> {
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
        // Between two sweeps, so that the log holds whole ones only.
        let first = operator.sweep_ends(1.0).await?;
        let (since, before) = (self.sim.last().await?, self.cluster.writes().await?);
        tokio::time::sleep(IDLE).await;
        let sweeps = operator.sweep_ends(1.0).await? - first;
        #[expect(clippy::cast_precision_loss, reason = "thousands at the most")]
        let calls = self.sim.requests(since).await?.len() as f64;
        let written = self.cluster.writes().await?.since(&before);
        table.at_most("1 back-end calls an idle sweep (goal: pages + 5)", calls / sweeps, pages + 5.0, "");
        table.at_most("2 API-server writes, idle", written.all(), 0.0, "");
        table.at_most("2 back-end writes, idle", self.back_end_writes(since).await?, 0.0, "");
        table.note(format!(
            "1: the lists that the objects refer to have {pages} pages of {PAGE}: roles, bindings of spaces and of projects, users, spaces, \
             projects. {sweeps} sweeps were counted."
        ));
        table.note(format!(
            "2, 3: {SHORTENED}. So the idle time of {} s holds {sweeps} sweeps, and five minutes hold one. API-server writes are those of \
             rolewright.dev and of Events, by the API server's own counter.",
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
        table.at_most("3 API-server writes after SIGKILL and start", written.all(), 0.0, "");
        table.at_most(
            "3 back-end writes after SIGKILL and start",
            self.back_end_writes(since).await?,
            0.0,
            "",
        );
        Ok(operator)
    }

    async fn down(&self, operator: &Operator, table: &mut Table) -> Outcome<()> {
        let (since, before) = (self.sim.last().await?, self.cluster.writes().await?);
        for action in [json!({ "kind": "Status", "status": 503 }), json!({ "kind": "Reset" })] {
            eprintln!("steady state: the back end is down ({})", action["kind"]);
            self.sim.fault(&json!({ "action": action })).await?;
            tokio::time::sleep(DOWN).await;
            self.sim.clear_faults().await?;
            operator.sweep_ends(2.0).await?;
        }
        let written = self.cluster.writes().await?.since(&before);
        let objects = written.all() - written.of("backends");
        table.at_most("3 writes to objects in sync, back end down", objects, 0.0, "");
        table.at_most("3 back-end writes, back end down", self.back_end_writes(since).await?, 0.0, "");
        table.show("3   writes to the Backend meanwhile", written.of("backends"), "");
        table.note(format!(
            "3: down means {0} s of 503 and {0} s of reset connections, up again after each.",
            DOWN.as_secs()
        ));
        Ok(())
    }
}

/// The pages of the lists that the objects refer to.
#[expect(clippy::cast_precision_loss, reason = "tens")]
fn pages(tenant: &Tenant) -> f64 {
    let bound = |kind: Kind| tenant.role_bindings.iter().filter(|row| row.resource_id.kind == kind).count();
    let shown =
        tenant.users.iter().filter(|user| !user.is_bot && user.status != UserStatus::Inactive).count();
    let lists = [
        tenant.roles.iter().filter(|role| role.deleted_at.is_none()).count(),
        bound(Kind::Space),
        bound(Kind::Model),
        shown,
        tenant.spaces.len(),
        tenant.projects.len(),
    ];
    // An empty list takes a call too.
    lists.iter().map(|items| items.div_ceil(PAGE).max(1)).sum::<usize>() as f64
}
