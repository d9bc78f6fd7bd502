//! What one more object costs in addition to the thousand: writes to the API server, and time, also during a sweep.

use std::time::Duration;

use rolewright_simulators::arize::{Kind, Tenant, roles};
use serde_json::json;

use super::support::{
    Outcome,
    cluster::Cluster,
    median,
    operator::Operator,
    population::{self, PAIRS, binding, role},
    ready::{HasStatus, time_to_ready},
    simulator::Simulator,
    table::Table,
    until,
};

/// The number of objects behind each figure.
const SAMPLES: usize = 5;
/// The delay of each read of the back end that makes a sweep long.
const DELAY_MILLIS: u64 = 300;

/// The first number of each group of roles and bindings. The population has the numbers below.
const CREATED: usize = PAIRS;
const ADOPTED: usize = CREATED + SAMPLES;
const WITHOUT_SWEEP: usize = ADOPTED + SAMPLES;
const DURING_SWEEP: usize = WITHOUT_SWEEP + SAMPLES;

/// The population's account, and the roles that Role objects will adopt.
pub fn tenant() -> Outcome<Tenant> {
    let mut tenant = population::tenant()?;
    let created_at = tenant.roles.iter().next().ok_or("the seed has no role")?.created_at;
    for number in ADOPTED..ADOPTED + SAMPLES {
        let id = tenant.issue(Kind::Role);
        tenant.roles.insert(roles::Role {
            id,
            name: population::role_name(number),
            description: Some(population::description(number)),
            permissions: population::permissions(number).into_iter().map(str::to_owned).collect(),
            is_predefined: false,
            created_at,
            updated_at: created_at,
            deleted_at: None,
        });
    }
    Ok(tenant)
}

/// Measures goals 4 and 5. Returns how many objects it added to the population.
pub async fn measure(
    cluster: &Cluster,
    sim: &Simulator,
    operator: &Operator,
    namespace: &str,
    table: &mut Table,
) -> Outcome<usize> {
    eprintln!("one more object: API-server writes");
    let bench = Bench { cluster, operator, namespace };
    let created = bench.writes("roles", CREATED, role).await?;
    let bound = bench.writes("rolebindings", CREATED, |number| binding(number, number - PAIRS)).await?;
    let adopted = bench.writes("roles", ADOPTED, role).await?;
    table.at_most("4 API-server writes from create to Ready: a Role", created, 3.0, "");
    table.at_most("4   a RoleBinding", bound, 3.0, "");
    table.at_most("4   a Role that adopts a role", adopted, 2.0, "");
    table.note(format!(
        "4: the mean of {SAMPLES} objects whose dependencies are ready, without Events and the Backend's status."
    ));

    eprintln!("one more object: time");
    let without_sweep = bench.times(WITHOUT_SWEEP, async || Ok(())).await?;
    let delay =
        json!({ "match": { "methods": ["GET"] }, "action": { "kind": "Delay", "millis": DELAY_MILLIS } });
    sim.fault(&delay).await?;
    let during_sweep = bench.times(DURING_SWEEP, async || sweep_begins(sim).await).await?;
    sim.clear_faults().await?;
    table.show("5 time from create to Ready of a Role, no sweep", without_sweep * 1000.0, "ms");
    table.show("5   during a sweep", during_sweep * 1000.0, "ms");
    table.note(format!(
        "5: the median of {SAMPLES}. For the second figure, reads of the back end take {DELAY_MILLIS} ms longer: a sweep takes seconds and \
         uses all four concurrent requests of the account. The Role is created directly after the sweep begins."
    ));
    Ok(DURING_SWEEP + SAMPLES - PAIRS + SAMPLES)
}

/// Waits until a running sweep ends and the next one begins.
async fn sweep_begins(sim: &Simulator) -> Outcome<()> {
    let since = sim.last().await?;
    until("a sweep", Duration::from_secs(60), async || {
        let log = sim.requests(since).await?;
        let is_first_page = |query: &str| !query.contains("cursor=");
        Ok(log.iter().any(|entry| entry.path == "/v2/roles" && is_first_page(&entry.query)).then_some(()))
    })
    .await
}

struct Bench<'a> {
    cluster: &'a Cluster,
    operator: &'a Operator,
    namespace: &'a str,
}

impl Bench<'_> {
    /// The operator's API-server writes per object, for new objects.
    async fn writes<K: HasStatus>(
        &self,
        resource: &str,
        first: usize,
        object: impl Fn(usize) -> Outcome<K>,
    ) -> Outcome<f64> {
        let before = self.cluster.writes().await?;
        for number in first..first + SAMPLES {
            time_to_ready(&self.cluster.client, self.namespace, &object(number)?).await?;
        }
        // A superfluous write can follow with a later sweep.
        self.operator.sweep_ends(2.0).await?;
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        Ok(self.cluster.writes().await?.since(&before).patches(resource) / SAMPLES as f64)
    }

    /// The median of the seconds from create to Ready. Each Role is created after `wait`.
    async fn times(&self, first: usize, mut wait: impl AsyncFnMut() -> Outcome<()>) -> Outcome<f64> {
        let mut times = Vec::new();
        for number in first..first + SAMPLES {
            wait().await?;
            times.push(time_to_ready(&self.cluster.client, self.namespace, &role(number)?).await?);
        }
        Ok(median(times))
    }
}
