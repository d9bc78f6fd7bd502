//! A simulated account of any vendor, as the tests see it: how it is started and connected, how it is changed, and whether it stayed as it was.

use std::collections::BTreeSet;

use rolewright_simulators::kit::{Options, Server, Vendor, log::Entry};
use serde::Serialize;
use serde_json::{Value, json};

use super::{
    setting::Setting,
    world::{KEY, World},
};

/// A vendor, as the tests of the operator see it. Its Backend has its name.
pub trait Account: Vendor {
    /// The name of the Secret, and of the value in it.
    const SECRET: (&'static str, &'static str);

    /// A Backend on a simulator.
    fn backend(url: &str) -> Value;

    /// Whether these requests have those of a sweep among them.
    fn has_sweep(entries: &[Entry]) -> bool;

    /// Whether a request may change something.
    fn is_change(entry: &Entry) -> bool {
        entry.is_write()
    }

    /// Everything that is held or made by hand, as JSON: equal where nothing was changed in the account.
    fn access(tenant: &Self::Tenant) -> Value;
}

/// A moment in an account's life.
pub struct Mark {
    access: Value,
    since: u64,
}

impl<V: Account> World<V> {
    /// A namespace with a Secret and a Backend, a server that is started so, an operator.
    pub async fn of(name: &str, options: Options<V>) -> Self {
        let world = Self::unconnected(name, options).await;
        world.connect().await;
        world
    }

    /// The same with a seeded server that behaves otherwise.
    pub async fn switched(name: &str, change: impl FnOnce(&mut V::Switches)) -> Self {
        Self::of(name, Options::new(KEY).switched(change)).await
    }

    /// The same without Secret and Backend.
    pub async fn unconnected(name: &str, options: Options<V>) -> Self {
        Setting::new(name).around(Server::start(options).await.unwrap()).await
    }

    /// Applies the Secret and the Backend.
    pub async fn connect(&self) {
        self.secret(KEY).await;
        self.apply(V::backend(&self.sim.url())).await;
    }

    /// Lets the server behave otherwise from now on.
    pub fn switch(&self, change: impl FnOnce(&mut V::Switches)) {
        self.sim.switch(change);
    }

    /// Everything that is held or made by hand: equal where nothing was changed in the account.
    pub fn access(&self) -> Value {
        self.sim.edit(|tenant| V::access(tenant))
    }

    /// What the key that the server started with may see and do.
    pub fn grant(&self) -> V::Grant {
        self.sim.world().credentials.list().into_iter().next().unwrap().grant
    }

    /// Replaces what a key may see and do.
    pub fn narrow(&self, name: &str, grant: V::Grant) {
        self.sim.world().credentials.narrow(name, grant).unwrap();
    }

    /// One more key of the account.
    pub fn add_key(&self, name: &str, key: &str, grant: V::Grant) {
        self.sim.world().credentials.add(name, key, grant).unwrap();
    }

    /// The account as it is now.
    pub fn mark(&self) -> Mark {
        Mark { access: self.access(), since: self.now() }
    }

    /// The account is as it was, and nobody asked it to change anything.
    pub fn untouched(&self, mark: &Mark, what: &str) {
        assert_eq!(self.writes_since(mark.since), [""; 0], "{what}");
        assert_eq!(self.access(), mark.access, "{what}");
    }

    /// Waits for a whole sweep in which nothing is written anywhere: what the last change has woken may still be at work in the first.
    pub async fn quiet(&self) {
        const SWEEPS: usize = 5;
        for sweep in 1..=SWEEPS {
            let (versions, mark) = (self.versions().await, self.mark());
            self.swept().await;
            let now = self.versions().await;
            if sweep == SWEEPS || now == versions && self.writes_since(mark.since).is_empty() {
                self.untouched(&mark, "a quiet sweep");
                assert_eq!(now, versions);
                return;
            }
        }
    }

    /// Waits until objects are ready.
    pub async fn each_ready(&self, objects: &[(&str, &str)]) {
        for (kind, name) in objects {
            self.ready(kind, name).await;
        }
    }

    /// Deletes objects in this order, and waits until they are gone.
    pub async fn each_deleted(&self, objects: &[(&str, &str)]) {
        for (kind, name) in objects {
            self.delete(kind, name).await;
        }
        for (kind, name) in objects {
            self.gone(kind, name).await;
        }
    }
}

/// Each of a vendor's switches is turned by one of these servers, or is one of those that are turned while an operator runs. Fails with the
/// names of those that are not.
pub fn every_switch_is_turned<V: Account<Switches: Default + Serialize>>(
    servers: impl IntoIterator<Item = fn(&mut V::Switches)>,
    in_mid_run: &[&str],
) {
    let shown = |switches: &V::Switches| json!(switches).as_object().unwrap().clone();
    let usual = shown(&V::Switches::default());
    let mut left: BTreeSet<&str> = usual.keys().map(String::as_str).collect();
    left.retain(|name| !in_mid_run.contains(name));
    for turn in servers {
        let mut switches = V::Switches::default();
        turn(&mut switches);
        let turned = shown(&switches);
        left.retain(|name| turned[*name] == usual[*name]);
    }
    assert!(left.is_empty(), "no server turns {left:?}");
}
