//! One account in memory and one cluster that manages it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rolewright_simulators::{
    arize::{self, Arize},
    grafana::{self, Grafana, rows::permissions::Permissions},
    kit::{InMemory, Options, Vendor},
    lenses::{self, Lenses},
    zenml::{self, ZenMl},
};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::{
    cluster::{Cluster, Killed, NAMESPACE, is_ready},
    network::Host,
    path::plural_of,
    shape::shape,
    witness::follow_objects,
};
use crate::support::{ADMIN_CREDENTIAL, Account, grafana as grafana_objects, kind_and_name, trial::Trial};

/// The host of the back end. Each test has its own: Lenses' locks, which all clients of a process share, are for each host.
pub fn host() -> String {
    static TESTS: AtomicUsize = AtomicUsize::new(0);
    thread_local! {
        static NUMBER: usize = TESTS.fetch_add(1, Ordering::Relaxed);
    }
    format!("back-end-{}.example.com", NUMBER.with(|number| *number))
}

/// What the simulation needs of a vendor beside its trial.
pub trait Simulated: Trial {
    /// The roles, grants and restrictions of the account; the roles first.
    fn external(tenant: &Self::Tenant) -> Value {
        Self::access(tenant)
    }

    /// The lists of the tenant with grants.
    const GRANTS: &'static [&'static str];

    /// The kinds of things, and the lists of [`Simulated::external`] with a row for each.
    const KINDS: &'static [(&'static str, &'static [usize])] = &[("Role", &[0]), ("Grant", &[1])];

    /// A restriction that the trial does not contain.
    fn restriction() -> Option<Value> {
        None
    }

    /// Whether a write to this path, with its query, changes the thing of an entry of `status.held`.
    fn changes(target: &str, held: &Value) -> bool {
        target.rsplit('/').next() == held["id"].as_str()
    }

    /// The access of a credential that sees less.
    fn narrowed(grant: Self::Grant) -> Self::Grant;
}

impl Simulated for Arize {
    fn external(tenant: &Self::Tenant) -> Value {
        let mut access = Self::access(tenant);
        // Deleted roles stay as rows.
        access[0].as_array_mut().expect("roles").retain(|role| role["deleted_at"].is_null());
        access
    }

    const GRANTS: &'static [&'static str] = &["role_bindings"];
    const KINDS: &'static [(&'static str, &'static [usize])] =
        &[("Role", &[0]), ("Grant", &[1]), ("Restriction", &[2])];

    fn narrowed(grant: Self::Grant) -> Self::Grant {
        arize::access::Grant { spaces: Some([].into()), ..grant }
    }
}

impl Simulated for Grafana {
    const GRANTS: &'static [&'static str] = &["user_roles", "team_roles"];
    const KINDS: &'static [(&'static str, &'static [usize])] = &[("Role", &[0]), ("Grant", &[1, 2])];

    fn external(tenant: &<Self as Vendor>::Tenant) -> Value {
        json!([tenant.roles, tenant.user_roles, tenant.team_roles, tenant.managed_permissions])
    }

    fn restriction() -> Option<Value> {
        Some(grafana_objects::restriction("sre", json!({ "folder": "SRE" }), json!({})))
    }

    // A new grant is a write to the list of a principal's roles, and changes none of the others.
    fn changes(target: &str, held: &Value) -> bool {
        let id = held["id"].as_str().unwrap_or_default();
        let (subject, role) = id.split_once('/').unwrap_or(("", id));
        match target.strip_prefix("/api/access-control/").unwrap_or_default().split('/').collect::<Vec<_>>()[..]
        {
            ["roles", uid] => id == uid,
            ["users", number, "roles", uid] => {
                role == uid
                    && [format!("user:{number}"), format!("serviceAccount:{number}")]
                        .contains(&subject.to_owned())
            }
            ["teams", number, "roles", uid] => role == uid && subject == format!("team:{number}"),
            _ => false,
        }
    }

    fn narrowed(grant: Self::Grant) -> Self::Grant {
        grafana::access::Grant { permissions: Some(Permissions::default()), ..grant }
    }
}

impl Simulated for Lenses {
    const GRANTS: &'static [&'static str] = &[];
    const KINDS: &'static [(&'static str, &'static [usize])] = &[("Role", &[0])];

    // Only roles and the groups of RoleBindings: several objects add roles to one group of HQ.
    fn changes(target: &str, held: &Value) -> bool {
        let name = held["id"].as_str().and_then(|id| id.split('#').next());
        match target.strip_prefix("/api/v1/").and_then(|rest| rest.split_once('/')) {
            Some(("roles", role)) => held["kind"] == "Role" && name == Some(role),
            Some(("groups", group)) => held["kind"] == "Group" && name == Some(group),
            _ => false,
        }
    }

    fn narrowed(grant: Self::Grant) -> Self::Grant {
        lenses::access::Grant { policy: Some(Vec::new()), ..grant }
    }
}

impl Simulated for ZenMl {
    const GRANTS: &'static [&'static str] = &["assignments"];

    // An assignment is its role, its principal and its scope, and has no id: only the role is in the path.
    fn changes(target: &str, held: &Value) -> bool {
        let id = held["id"].as_str().unwrap_or_default();
        let Some((role, query)) = target.split_once("/assignments?") else {
            return target.rsplit('/').next() == Some(id);
        };
        let names = |value: &str| id.split(['/', ':']).any(|part| part == value);
        let mut values = query.split('&').filter_map(|pair| pair.split_once('=')).map(|(_, value)| value);
        role.rsplit('/').next() == id.split('/').next()
            && values.all(names)
            && query.contains("workspace_id") != id.contains("/organization/")
    }

    fn narrowed(grant: Self::Grant) -> Self::Grant {
        zenml::access::Grant { workspaces: Some([].into()), ..grant }
    }
}

/// One account and one cluster.
pub struct Scene<V: Simulated> {
    pub cluster: Cluster,
    pub sim: Arc<InMemory<V>>,
}

impl<V: Simulated> Scene<V> {
    /// A seeded account, and a running operator with one Backend.
    pub fn new(options: Options<V>) -> Self {
        Self::with(options, json!({ "sweepInterval": "1m" }), 1)
    }

    /// The same with these fields of the Backend and so many operator processes.
    pub fn with(options: Options<V>, more: Value, replicas: usize) -> Self {
        let sim = Arc::new(InMemory::new(options).unwrap());
        let cluster = Self::cluster_of(&sim, more, replicas);
        Self { cluster, sim }
    }

    /// Another cluster that manages the same account.
    pub fn another_cluster(&self) -> Cluster {
        Self::cluster_of(&self.sim, json!({ "sweepInterval": "1m" }), 1)
    }

    fn cluster_of(sim: &Arc<InMemory<V>>, more: Value, replicas: usize) -> Cluster {
        let hosts: BTreeMap<String, Arc<dyn Host>> = [(host(), sim.clone() as _)].into();
        let mut cluster = Cluster::new(Arc::new(hosts));
        connect_with::<V>(&cluster, NAMESPACE, more);
        cluster.replicas = replicas;
        cluster.start();
        cluster
    }

    /// Applies a Backend with its Secret.
    pub fn connect(&self, namespace: &str) {
        connect_with::<V>(&self.cluster, namespace, json!({ "sweepInterval": "1m" }));
    }

    /// Deletes these objects.
    pub fn delete_all(&self, namespace: &str, objects: &[Value]) {
        for object in objects {
            let (kind, name) = kind_and_name(object);
            self.cluster.api.delete(plural_of(kind), namespace, name);
        }
    }

    /// The roles, grants and restrictions of the account.
    pub fn external(&self) -> Value {
        V::external(&self.sim.world().tenant())
    }

    /// What the account and the objects show.
    pub fn shape(&self) -> Vec<String> {
        shape(self.external(), &self.cluster.objects())
    }

    /// Waits until every object is ready, and those that are being deleted are deleted.
    pub async fn settled(&self) -> Result<(), Killed> {
        let is_settled = |cluster: &Cluster| cluster.objects().iter().all(is_ready);
        self.cluster.until("every object is ready", is_settled).await
    }

    /// Waits for the next sweeps, and until every object is ready.
    pub async fn swept(&self) -> Result<(), Killed> {
        self.settled().await?;
        let end = Instant::now() + Duration::from_secs(90);
        self.cluster.until("the next sweeps", |_| Instant::now() >= end).await?;
        self.settled().await
    }
}

/// Applies a Backend with these fields, and its Secret.
pub fn connect_with<V: Simulated>(cluster: &Cluster, namespace: &str, more: Value) {
    cluster.apply_secret(namespace, V::SECRET, ADMIN_CREDENTIAL, &host());
    cluster.apply(within(backend_with::<V>(more), namespace));
}

/// The Backend of the account.
pub fn backend<V: Simulated>(sweep_interval: &str) -> Value {
    backend_with::<V>(json!({ "sweepInterval": sweep_interval }))
}

/// The Backend of the account with these fields.
pub fn backend_with<V: Simulated>(more: Value) -> Value {
    V::backend(&format!("https://{}", host()), more)
}

/// Removes a grant by hand that was not there at the start. Returns its row.
pub fn remove_grant<V: Simulated>(
    sim: &InMemory<V>,
    seeded: &Value,
    random: &mut fastrand::Rng,
) -> Option<Value> {
    let world = sim.world();
    let mut tenant = serde_json::to_value(&*world.tenant()).unwrap();
    let seeded: Vec<&Value> =
        seeded.as_array().unwrap().iter().flat_map(|list| list.as_array().unwrap()).collect();
    for list in V::GRANTS {
        let rows = tenant[*list].as_array_mut().unwrap();
        let others: Vec<usize> = (0..rows.len()).filter(|row| !seeded.contains(&&rows[*row])).collect();
        if let Some(row) = others.get(random.usize(..others.len().max(1))) {
            let removed = rows.remove(*row);
            world.replace(serde_json::from_value(tenant).unwrap()).unwrap();
            return Some(removed);
        }
    }
    None
}

/// The same object in another namespace.
pub fn within(mut object: Value, namespace: &str) -> Value {
    object["metadata"]["namespace"] = json!(namespace);
    object
}

/// Runs schedules until the time is over. `EXPLORE_SEED` runs one seed, `EXPLORE_STEPS` sets the length of each schedule, `EXPLORE_SECONDS`
/// the time. Without a seed to begin with, `EXPLORE_FIRST`, the same `count` schedules run each time, so that a test run does not fail by
/// chance.
pub fn schedules(name: &str, steps: usize, count: u64, run: impl Fn(u64, usize)) {
    let setting = |name: &str| {
        let value = std::env::var(name).ok().filter(|value| !value.is_empty());
        value.map(|value| value.parse::<u64>().expect("a number"))
    };
    let steps = setting("EXPLORE_STEPS").map_or(steps, |steps| usize::try_from(steps).unwrap());
    let run = |seed: u64| {
        println!("{name}: EXPLORE_SEED={seed} EXPLORE_STEPS={steps}");
        run(seed, steps);
    };
    if let Some(seed) = setting("EXPLORE_SEED") {
        return run(seed);
    }
    let (first, last) = setting("EXPLORE_FIRST").map_or((1, count), |first| (first, u64::MAX));
    let end = std::time::Instant::now() + Duration::from_secs(setting("EXPLORE_SECONDS").unwrap_or(30));
    (first..=last).take_while(|_| std::time::Instant::now() < end).for_each(run);
}

/// Runs a task in one thread and in simulated time. Two runs with the same seed are equal.
pub fn simulated<T>(seed: u64, task: impl Future<Output = T>) -> T {
    fastrand::seed(seed);
    let _following = follow_objects();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(task)
}
