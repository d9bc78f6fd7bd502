//! The lifecycle of a few objects, the same for every vendor: they are applied, changed and deleted.
//!
//! A vendor implements [`Trial`]: the calls of the lifecycle, its objects, and the expected account. The tests in `bad_days` run the
//! lifecycle with faults.

use rolewright_simulators::kit::{Options, faults::Action, log::Entry};
use serde_json::Value;

use super::{
    account::Account,
    faults::html_page,
    manifests::kind_and_name,
    world::{ADMIN_CREDENTIAL, World},
};

/// A method, and a path in which `*` matches text within a segment.
pub type Call = (&'static str, &'static str);

/// Which paths create a kind of thing, and how many such requests a lifecycle needs.
pub type Creations = (fn(&str) -> bool, usize);

/// A list that shows too few entries although it claims to be complete.
pub struct ShortList {
    /// The path, with `*` as in [`Call`].
    pub path: &'static str,
    /// The number of entries that it shows.
    pub keep: usize,
    /// Whether it can make the operator report on objects.
    pub can_report: bool,
}

impl ShortList {
    /// A short list that can make the operator report on objects.
    pub const fn new(path: &'static str, keep: usize) -> Self {
        Self { path, keep, can_report: true }
    }
}

/// A vendor's data for the tests that all vendors share.
pub trait Trial: Account {
    /// The writes of the lifecycle. The first creates the role of the first object.
    const WRITES: &'static [Call];
    /// The reads of the lifecycle.
    const READS: &'static [Call];
    /// Reads that not every lifecycle makes.
    const RARE_READS: &'static [Call] = &[];
    /// Four lists that every sweep reads.
    const LISTS: [&'static str; 4];
    /// Lists without which the operator must change nothing.
    const SHORT_LISTS: &'static [ShortList];
    /// A call that every sweep of the objects makes, and that no correction of [`Trial::drift`] needs.
    const BROKEN: Call;
    /// The creations of the lifecycle.
    const CREATIONS: &'static [Creations];

    /// The objects in the order of their creation. The first is the Role `reader`. They are deleted in reverse order.
    fn objects() -> Vec<Value>;

    /// Some of the objects with another spec.
    fn changed_objects() -> Vec<Value>;

    /// The account has exactly what the objects specify.
    fn assert_applied(world: &World<Self>);

    /// The account has exactly what the objects and the changed objects specify.
    fn assert_changed(world: &World<Self>);

    /// The id of a role as an object records it.
    fn role_id(tenant: &Self::Tenant, name: &str) -> Option<String>;

    /// Changes by hand what the objects manage.
    fn drift(tenant: &mut Self::Tenant);

    /// Whether that is not corrected yet.
    fn has_drift(tenant: &Self::Tenant) -> bool;

    /// The part of [`Account::access`] that a lifecycle leaves as it was.
    fn lasting_access(tenant: &Self::Tenant) -> Value {
        Self::access(tenant)
    }

    /// Servers on which a lost answer needs different handling.
    fn servers() -> Vec<Options<Self>> {
        vec![Options::new(ADMIN_CREDENTIAL)]
    }

    /// Answers of another server at the same address.
    fn foreign_answers() -> Vec<Action> {
        vec![html_page(200, "Please log in", false)]
    }

    /// Waits for the last writes to objects that are already in sync.
    fn settled(_world: &World<Self>) -> impl Future<Output = ()> {
        async {}
    }
}

/// The lifecycle on a seeded server. The first `times` requests of each of `calls` meet `action`.
pub async fn lifecycle<V: Trial>(name: &str, calls: &[Call], action: Action, times: u64) -> World<V> {
    lifecycle_on(name, Options::new(ADMIN_CREDENTIAL), calls, &[(action, times)]).await
}

/// The lifecycle on this server. Requests of each of `calls` meet the actions one after the other, each so many times.
pub async fn lifecycle_on<V: Trial>(
    name: &str,
    options: Options<V>,
    calls: &[Call],
    actions: &[(Action, u64)],
) -> World<V> {
    let world = World::unconnected(&vendor_name::<V>(name), options).await;
    let before = world.lasting_access();
    for (method, path) in calls {
        for (action, times) in actions {
            world.inject_fault_times(&[method], path, action.clone(), *times);
        }
    }
    world.connect().await;
    let objects = V::objects();
    world.apply_all(&objects).await;
    V::assert_applied(&world);
    for object in V::changed_objects() {
        world.apply(object).await;
    }
    let mut names: Vec<(&str, &str)> = objects.iter().map(kind_and_name).collect();
    world.all_ready(&names).await;
    V::assert_changed(&world);
    names.reverse();
    world.delete_all(&names).await;
    assert_eq!(world.lasting_access(), before);
    world.faults_exhausted().await;
    world
}

/// A name for a test's namespace that starts with the vendor.
pub fn vendor_name<V: Account>(name: &str) -> String {
    format!("{}-{name}", V::NAME)
}

/// A world in which all objects are in sync and a sweep has completed since.
pub async fn settled<V: Trial>(name: &str) -> World<V> {
    let world = World::with_switches(&vendor_name::<V>(name), |_| {}).await;
    world.settle().await;
    world
}

impl<V: Trial> World<V> {
    /// Applies all objects, and waits until they are in sync and a sweep has completed.
    pub async fn settle(&self) {
        self.apply_all(&V::objects()).await;
        self.full_sweep().await;
        V::settled(self).await;
    }

    /// The part of the account that a lifecycle leaves as it was.
    pub fn lasting_access(&self) -> Value {
        self.sim.edit(|tenant| V::lasting_access(tenant))
    }

    /// Since the start, no create request was repeated.
    pub fn assert_created_once(&self) {
        let requests = self.requests_since(0);
        let count = |is: &fn(&str) -> bool| {
            requests.iter().filter(|entry| entry.method == "POST" && is(&entry.path)).count()
        };
        let counts: Vec<usize> = V::CREATIONS.iter().map(|(is, _)| count(is)).collect();
        assert_eq!(counts, V::CREATIONS.iter().map(|(_, times)| *times).collect::<Vec<_>>());
    }

    /// Applies objects, and kills the operator before it receives the answer to the first POST to `path`, whose work is done. Then
    /// calls `meanwhile` and restarts the operator. It must record the thing as created, and must not create it again.
    pub async fn killed_before_recording(
        &mut self,
        objects: Vec<Value>,
        path: &str,
        is_created: impl Fn(&V::Tenant) -> bool,
        meanwhile: impl FnOnce(&Self),
        (kind, name): (&str, &str),
    ) -> kube::api::DynamicObject {
        self.ready("Backend", V::NAME).await;
        self.inject_fault(&["POST"], path, Action::Hold { after_work: true });
        let since = self.log_position();
        for object in objects {
            self.apply(object).await;
        }
        let posted = |entries: &[Entry]| entries.iter().any(|it| it.method == "POST" && it.path == path);
        self.until_requests(since, "the creation", posted).await;
        self.operator.kill();
        self.clear_faults();
        self.until_account("it is created", is_created).await;
        meanwhile(self);
        self.restart();
        let ready = self.ready(kind, name).await;
        assert_eq!(ready.data["status"]["held"][0]["origin"], "Created");
        assert_eq!(self.count_requests(since, "POST", path), 1);
        ready
    }
}
