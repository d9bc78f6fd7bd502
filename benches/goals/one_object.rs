//! What one more object costs beside the thousand: writes to the API server, and time, also while a sweep runs.

use std::time::{Duration, Instant};

use kube::{Api, ResourceExt, runtime::wait::await_condition};
use rolewright_api::{ObjectStatus, Role, RoleBinding};
use rolewright_simulators::arize::{Kind, Tenant, roles};
use serde_json::json;

use super::support::{
    Outcome,
    cluster::Cluster,
    median,
    operator::Operator,
    population::{self, Object, PAIRS, binding, create, role},
    simulator::Simulator,
    table::Table,
    until,
};

/// Objects of each kind that a figure is made of.
const SAMPLES: usize = 5;
/// How much longer each read of the back end takes while a sweep is to be long.
const DELAY_MILLIS: u64 = 300;

/// Numbers of the roles and bindings that are made here, behind the population's.
const CREATED: usize = PAIRS;
const ADOPTED: usize = CREATED + SAMPLES;
const QUIET: usize = ADOPTED + SAMPLES;
const SWEPT: usize = QUIET + SAMPLES;

/// The population's account, with the roles that are to be adopted.
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

/// Measures it. Gives the number of objects that are there now beside the population.
pub async fn measure(
    cluster: &Cluster,
    sim: &Simulator,
    operator: &Operator,
    namespace: &str,
    table: &mut Table,
) -> Outcome<usize> {
    eprintln!("one more object: writes");
    let scene = Scene { cluster, operator, namespace };
    let created = scene.writes("roles", CREATED, role).await?;
    let bound = scene.writes("rolebindings", CREATED, |number| binding(number, number - PAIRS)).await?;
    let adopted = scene.writes("roles", ADOPTED, role).await?;
    table.at_most("4 API-server writes from create to Ready: a Role", created, 3.0, "");
    table.at_most("4   a RoleBinding", bound, 3.0, "");
    table.at_most("4   a Role that is adopted", adopted, 2.0, "");
    table.note(format!(
        "4: the mean of {SAMPLES} objects, dependencies ready, Events and the Backend's status apart."
    ));

    eprintln!("one more object: time");
    let quiet = scene.times(QUIET, async || Ok(())).await?;
    let delay =
        json!({ "match": { "methods": ["GET"] }, "action": { "kind": "Delay", "millis": DELAY_MILLIS } });
    sim.fault(&delay).await?;
    let swept = scene.times(SWEPT, async || sweep_begins(sim).await).await?;
    sim.clear_faults().await?;
    table.show("5 time from create to Ready of a Role, no sweep", quiet * 1000.0, "ms");
    table.show("5   while a sweep runs", swept * 1000.0, "ms");
    table.note(format!(
        "5: the middle of {SAMPLES}. Reads of the back end take {DELAY_MILLIS} ms longer for the second, so that a sweep takes seconds and \
         holds all four of the tenant's calls; the role is created right after it begins."
    ));
    Ok(SWEPT + SAMPLES - PAIRS + SAMPLES)
}

/// Waits for the end of the sweep under way, if there is one, and for the begin of the next.
async fn sweep_begins(sim: &Simulator) -> Outcome<()> {
    let since = sim.last().await?;
    until("a sweep", Duration::from_secs(60), async || {
        let log = sim.requests(since).await?;
        let begun = |query: &str| !query.contains("cursor=");
        Ok(log.iter().any(|entry| entry.path == "/v2/roles" && begun(&entry.query)).then_some(()))
    })
    .await
}

struct Scene<'a> {
    cluster: &'a Cluster,
    operator: &'a Operator,
    namespace: &'a str,
}

impl Scene<'_> {
    /// The operator's writes to each of some new objects.
    async fn writes<K: Settles>(
        &self,
        resource: &str,
        first: usize,
        object: impl Fn(usize) -> Outcome<K>,
    ) -> Outcome<f64> {
        let before = self.cluster.writes().await?;
        for number in first..first + SAMPLES {
            self.ready(&object(number)?).await?;
        }
        // A write too many may come with the next look.
        self.operator.sweep_ends(2.0).await?;
        #[expect(clippy::cast_precision_loss, reason = "a handful")]
        Ok(self.cluster.writes().await?.since(&before).patches(resource) / SAMPLES as f64)
    }

    /// The seconds from create to Ready of a new Role, made when `wait` is over.
    async fn times(&self, first: usize, mut wait: impl AsyncFnMut() -> Outcome<()>) -> Outcome<f64> {
        let mut times = Vec::new();
        for number in first..first + SAMPLES {
            wait().await?;
            let started = Instant::now();
            self.ready(&role(number)?).await?;
            times.push(started.elapsed().as_secs_f64());
        }
        Ok(median(times))
    }

    async fn ready<K: Settles>(&self, object: &K) -> Outcome<()> {
        create(&self.cluster.client, self.namespace, object).await?;
        let api: Api<K> = Api::namespaced(self.cluster.client.clone(), self.namespace);
        let name = object.name_any();
        let ready = await_condition(api, &name, |object: Option<&K>| {
            object.and_then(Settles::status).is_some_and(|status| {
                status.conditions.iter().any(|one| one.type_ == "Ready" && one.status == "True")
            })
        });
        tokio::time::timeout(Duration::from_secs(60), ready).await??;
        Ok(())
    }
}

/// A kind whose status tells whether it is ready.
trait Settles: Object {
    fn status(&self) -> Option<&ObjectStatus>;
}

impl Settles for Role {
    fn status(&self) -> Option<&ObjectStatus> {
        self.status.as_ref()
    }
}

impl Settles for RoleBinding {
    fn status(&self) -> Option<&ObjectStatus> {
        self.status.as_ref().map(|status| &status.object)
    }
}
