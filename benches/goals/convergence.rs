//! How fast a thousand objects converge, compared with plain loops that send the same requests.

use std::time::{Duration, Instant};

use super::support::{
    Outcome,
    cluster::Cluster,
    median,
    operator::{Flags, Operator},
    population::{self, OBJECTS, connect, populate},
    replay,
    simulator::{Simulator, TOKEN},
    table::Table,
};

/// Namespaces of the operator and of the loops. Machines are noisy: a round measures both directly one after the other, and the median
/// of the rounds is reported.
const ROUNDS: [(&str, &str); 3] =
    [("operator-1", "replay-1"), ("operator-2", "replay-2"), ("operator-3", "replay-3")];
/// Only the first sweep is within a round.
const SWEEP: &str = "1h";

struct Round {
    operator: Duration,
    calls: Duration,
    writes: Duration,
    patches: f64,
}

impl Round {
    fn ratio(&self) -> f64 {
        (self.calls + self.writes).as_secs_f64() / self.operator.as_secs_f64()
    }
}

/// Measures goal 6.
pub async fn measure(cluster: &Cluster, sim: &Simulator, table: &mut Table) -> Outcome<()> {
    let mut rounds = Vec::new();
    for (number, (namespace, copy)) in ROUNDS.into_iter().enumerate() {
        eprintln!("convergence, round {} of {}", number + 1, ROUNDS.len());
        rounds.push(round(cluster, sim, namespace, copy).await?);
    }
    let seconds =
        |time: fn(&Round) -> Duration| median(rounds.iter().map(|it| time(it).as_secs_f64()).collect());
    let ratio = median(rounds.iter().map(Round::ratio).collect());
    table.show("6 converging 1,000 objects: the operator", seconds(|round| round.operator), "s");
    table.show("6   the same back-end requests in a plain loop", seconds(|round| round.calls), "s");
    table.show("6   the same API-server writes in a plain loop", seconds(|round| round.writes), "s");
    table.at_least("6   speed: both plain loops / the operator", ratio, 0.9, "");
    #[expect(clippy::cast_precision_loss, reason = "a thousand")]
    let writes = median(rounds.iter().map(|round| round.patches).collect()) / OBJECTS as f64;
    table.show("6   API-server writes per object, without Events", writes, "");
    table.note(
        "6: the operator's time begins when its caches are complete (/readyz) and ends when 1,000 objects are in sync. The objects, 500 Roles \
         and a RoleBinding for each, exist before it starts. The first loop repeats the operator's reads from the simulator's log and posts \
         the same 1,000 bodies. The second loop repeats the operator's writes for the objects of another namespace: a finalizer, an intent \
         and an outcome each, four objects at a time, while two watches run and the same Events are created one by one. The loops run one \
         after the other, because on one machine the API server and the back end share the processors. Ratios of the rounds: "
            .to_owned()
            + &rounds.iter().map(|round| format!("{:.2}", round.ratio())).collect::<Vec<_>>().join(", ")
            + "; the median is reported.",
    );
    Ok(())
}

async fn round(cluster: &Cluster, sim: &Simulator, namespace: &'static str, copy: &str) -> Outcome<Round> {
    let tenant = population::tenant()?;
    sim.reset(&tenant).await?;
    for namespace in [namespace, copy] {
        cluster.namespace(namespace).await?;
        populate(&cluster.client, namespace).await?;
    }
    connect(cluster, namespace, sim, TOKEN, SWEEP).await?;

    let before = cluster.writes().await?;
    let running = Operator::start(cluster, Flags::new(namespace)).await?;
    let started = Instant::now();
    running.in_sync(OBJECTS).await?;
    let operator = started.elapsed();
    let written = cluster.writes().await?.since(&before);
    let log = sim.requests(0).await?;
    running.kill().await?;
    let transcript = replay::Transcript::read(&cluster.client, namespace).await?;

    sim.reset(&tenant).await?;
    let calls = replay::requests(sim, &tenant, &log).await?;
    let writes = transcript.write(&cluster.client, copy).await?;
    let patches = written.patches("roles") + written.patches("rolebindings");
    Ok(Round { operator, calls, writes, patches })
}
