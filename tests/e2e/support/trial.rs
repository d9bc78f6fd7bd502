//! The life of a few objects, on good days and bad ones, for any vendor.
//!
//! A vendor says which calls it has, which objects live, and what its account then holds; what is done to them, and what must be true in
//! the end, stands here once.

use kube::api::DynamicObject;
use rolewright_simulators::kit::{Options, faults::Action, log::Entry};
use serde_json::Value;

use super::{
    account::Account,
    bad_days::{page, throttle},
    world::{KEY, World, held_ids},
};

/// A method, and a path in which `*` stands for text within a segment.
pub type Call = (&'static str, &'static str);

/// What is asked for when a thing is made: which paths, and how often in a whole life.
pub type Made = (fn(&str) -> bool, usize);

/// What a vendor puts to the trial.
pub trait Trial: Account {
    /// Every call of the life that changes something.
    const WRITES: &'static [Call];
    /// Every call of the life that reads.
    const READS: &'static [Call];
    /// What the life makes.
    const MADE: &'static [Made];

    /// The objects, in the order in which they are applied; they are deleted the other way round.
    fn objects() -> Vec<Value>;

    /// What becomes of some of them.
    fn changed() -> Vec<Value>;

    /// The account has one of each thing, as the objects say.
    fn as_applied(world: &World<Self>);

    /// The account is as the changed objects say.
    fn as_changed(world: &World<Self>);

    /// What is the same before and after the life.
    fn standing(tenant: &Self::Tenant) -> Value {
        Self::access(tenant)
    }
}

fn keys(objects: &[Value]) -> Vec<(&str, &str)> {
    objects.iter().map(key).collect()
}

fn key(object: &Value) -> (&str, &str) {
    (object["kind"].as_str().unwrap(), object["metadata"]["name"].as_str().unwrap())
}

/// The whole life of the objects, with `action` on the first `times` of each of these calls.
pub async fn life<V: Trial>(name: &str, calls: &[Call], action: Action, times: u64) -> World<V> {
    life_on(name, Options::new(KEY), calls, action, times).await
}

/// The same on a server that is started so.
pub async fn life_on<V: Trial>(
    name: &str,
    options: Options<V>,
    calls: &[Call],
    action: Action,
    times: u64,
) -> World<V> {
    let world = World::unconnected(name, options).await;
    let before = world.standing();
    for (method, path) in calls {
        world.fault_times(&[method], path, action.clone(), times);
    }
    world.connect().await;
    let mut objects = V::objects();
    world.all_ready(&objects).await;
    V::as_applied(&world);
    for object in V::changed() {
        world.apply(object).await;
    }
    world.each_ready(&keys(&objects)).await;
    V::as_changed(&world);
    objects.reverse();
    world.each_deleted(&keys(&objects)).await;
    assert_eq!(world.standing(), before);
    world.faults_over().await;
    world
}

/// Answers of writes get lost after the work: there is one of each thing, and nothing is asked for twice.
pub async fn life_with_lost_answers<V: Trial>(name: &str, options: Options<V>) {
    life_on(name, options, V::WRITES, Action::AnswerLost, 1).await.made_each_once();
}

/// A proxy gives up on writes after the work: there is one of each thing, and nobody is shown the proxy's page.
pub async fn life_behind_a_proxy_that_gives_up<V: Trial>(name: &str) {
    let world = life::<V>(name, V::WRITES, page(502, "nginx says Bad Gateway", true), 1).await;
    world.made_each_once();
    assert!(!world.readable().await.contains("nginx says"));
}

/// Each write is put off once.
pub async fn life_with_pauses<V: Trial>(name: &str) {
    life::<V>(name, V::WRITES, throttle(1), 1).await;
}

/// A world in which all objects are in sync.
pub async fn settled<V: Trial>(world: World<V>) -> World<V> {
    world.all_ready(&V::objects()).await;
    world.swept().await;
    world
}

/// Others answer in the place of these calls, each of them three times with each reply: nothing is written anywhere.
pub async fn others_answer<V: Trial>(world: World<V>, calls: &[Call], replies: &[Action]) {
    let (versions, mark) = (world.versions().await, world.mark());
    for reply in replies {
        for (method, path) in calls {
            world.fault_times(&[method], path, reply.clone(), 3);
        }
        world.swept().await;
        world.mend();
        world.swept().await;
    }
    world.ready("Backend", V::NAME).await;
    world.untouched(&mark, "pages of others");
    assert_eq!(world.versions().await, versions);
}

impl<V: Trial> World<V> {
    /// What is the same before and after the life of the objects.
    pub fn standing(&self) -> Value {
        self.sim.edit(|tenant| V::standing(tenant))
    }

    /// Applies objects, and waits until they are ready.
    pub async fn all_ready(&self, objects: &[Value]) {
        for object in objects {
            self.apply(object.clone()).await;
        }
        self.each_ready(&keys(objects)).await;
    }

    /// Each thing was asked for as often as it is needed and no more, since the beginning.
    pub fn made_each_once(&self) {
        let asked = self.asked(0);
        let made = |is: &fn(&str) -> bool| {
            asked.iter().filter(|entry| entry.method == "POST" && is(&entry.path)).count()
        };
        let counts: Vec<usize> = V::MADE.iter().map(|(is, _)| made(is)).collect();
        assert_eq!(counts, V::MADE.iter().map(|(_, times)| *times).collect::<Vec<_>>());
    }

    /// A list shows `keep` entries and claims to be whole: nothing is doubled, nothing taken, and all objects hold what they held. Whether
    /// something was written about any of them meanwhile.
    pub async fn short_list(&self, path: &str, keep: usize) -> bool {
        let what = format!("{path} {keep}");
        let (held, versions, mark) = (self.all_held().await, self.versions().await, self.mark());
        self.fault(&["GET"], path, Action::ShortPage { keep, last: true });
        self.swept().await;
        self.swept().await;
        let told = self.versions().await != versions;
        self.untouched(&mark, &what);
        self.mend();
        self.swept().await;
        self.each_ready(&keys(&V::objects())).await;
        assert_eq!(self.all_held().await, held, "{what}");
        self.untouched(&mark, &what);
        told
    }

    async fn all_held(&self) -> Vec<String> {
        let mut held = Vec::new();
        for kind in ["Role", "RoleBinding", "ResourceRestriction"] {
            let objects: Vec<DynamicObject> = self.all("rolewright.dev/v1alpha1", kind).await;
            held.extend(objects.iter().flat_map(held_ids));
        }
        held
    }

    /// Applies objects, kills the operator while the answer to the POST that makes a thing is held back, and starts another operator after
    /// `meanwhile`. The thing is one, and known again as the object's own.
    pub async fn killed_while_making(
        &mut self,
        objects: Vec<Value>,
        path: &str,
        made: impl Fn(&V::Tenant) -> bool,
        meanwhile: impl FnOnce(&Self),
        (kind, name): (&str, &str),
    ) -> DynamicObject {
        self.ready("Backend", V::NAME).await;
        self.fault(&["POST"], path, Action::Hold { after_work: true });
        let since = self.now();
        for object in objects {
            self.apply(object).await;
        }
        let asked = |entries: &[Entry]| entries.iter().any(|it| it.method == "POST" && it.path == path);
        self.until_asked(since, "the creation", asked).await;
        self.operator.kill();
        self.mend();
        self.account("it is made", made).await;
        meanwhile(self);
        self.restart();
        let ready = self.ready(kind, name).await;
        assert_eq!(ready.data["status"]["held"][0]["origin"], "Created");
        assert_eq!(self.count(since, "POST", path), 1);
        ready
    }
}
