//! How fast a thousand objects converge, against loops that make the same calls and the same writes and think nothing.

use std::time::{Duration, Instant};

use super::support::{
    Outcome, bare,
    cluster::Cluster,
    median,
    operator::{Flags, Operator},
    population::{self, OBJECTS, connect, populate},
    simulator::{Simulator, TOKEN},
    table::Table,
};

/// Machines are noisy: each round measures the operator and the loops right after one another, and the middle round counts.
const ROUNDS: [(&str, &str); 3] =
    [("operator-1", "bare-1"), ("operator-2", "bare-2"), ("operator-3", "bare-3")];
/// No sweep but the first falls into a round.
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

/// Measures it.
pub async fn measure(cluster: &Cluster, sim: &Simulator, table: &mut Table) -> Outcome<()> {
    let mut rounds = Vec::new();
    for (number, (namespace, twin)) in ROUNDS.into_iter().enumerate() {
        eprintln!("convergence, round {} of {}", number + 1, ROUNDS.len());
        rounds.push(round(cluster, sim, namespace, twin).await?);
    }
    let seconds =
        |time: fn(&Round) -> Duration| median(rounds.iter().map(|it| time(it).as_secs_f64()).collect());
    let ratio = median(rounds.iter().map(Round::ratio).collect());
    table.show("6 converging 1,000 objects: the operator", seconds(|round| round.operator), "s");
    table.show("6   the same HTTP calls in a bare loop", seconds(|round| round.calls), "s");
    table.show("6   the same API-server writes in a bare loop", seconds(|round| round.writes), "s");
    table.at_least("6   speed: both bare loops / the operator", ratio, 0.9, "");
    #[expect(clippy::cast_precision_loss, reason = "a thousand")]
    let writes = median(rounds.iter().map(|round| round.patches).collect()) / OBJECTS as f64;
    table.show("6   API-server writes an object, Events apart", writes, "");
    table.note(
        "6: the clock of the operator runs from its caches being complete (/readyz) until 1,000 objects are in sync; the objects are there \
         before it starts, 500 Roles and a RoleBinding of each. The first loop replays the operator's reads by the simulator's log and posts \
         the same 1,000 bodies; the second writes to objects of another namespace what the operator wrote: a finalizer, an intent and an \
         outcome each, four objects at a time, and the same Events one by one beside, under the same two watches. They run one after the other, because on one machine \
         neither server idles while the other works. Rounds: "
            .to_owned()
            + &rounds.iter().map(|round| format!("{:.2}", round.ratio())).collect::<Vec<_>>().join(", ")
            + "; the middle one counts.",
    );
    Ok(())
}

async fn round(cluster: &Cluster, sim: &Simulator, namespace: &'static str, twin: &str) -> Outcome<Round> {
    let tenant = population::tenant()?;
    sim.reset(&tenant).await?;
    for namespace in [namespace, twin] {
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
    let transcript = bare::Transcript::read(&cluster.client, namespace).await?;

    sim.reset(&tenant).await?;
    let calls = bare::calls(sim, &tenant, &log).await?;
    let writes = transcript.write(&cluster.client, twin).await?;
    let patches = written.patches("roles") + written.patches("rolebindings");
    Ok(Round { operator, calls, writes, patches })
}
