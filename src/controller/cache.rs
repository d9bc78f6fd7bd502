//! The objects of one kind as last seen: fed by a watch and by the answers to our own writes, so that a reconcile never
//! reads a status older than the one it wrote itself.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use kube::{Resource, ResourceExt, runtime::watcher};
use parking_lot::RwLock;
use tokio::sync::mpsc;

/// A namespace and a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    /// The namespace.
    pub namespace: Arc<str>,
    /// The name in it.
    pub name: Arc<str>,
}

impl Name {
    /// A name in a namespace.
    pub fn new(namespace: &str, name: &str) -> Self {
        Self { namespace: namespace.into(), name: name.into() }
    }

    /// The name of an object. Objects of these kinds always have a namespace.
    pub fn of(object: &impl Resource) -> Self {
        let meta = object.meta();
        Self::new(meta.namespace.as_deref().unwrap_or_default(), meta.name.as_deref().unwrap_or_default())
    }
}

impl std::fmt::Display for Name {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// What changed in a cache.
pub struct Seen<K> {
    /// Which object.
    pub name: Name,
    /// What was known of it before.
    pub before: Option<Arc<K>>,
    /// What is known of it now; None when it is gone.
    pub after: Option<Arc<K>>,
}

/// The objects of one kind.
pub struct Cache<K> {
    objects: RwLock<HashMap<Name, Arc<K>>>,
    changes: mpsc::UnboundedSender<Seen<K>>,
}

/// Everything that changes in a cache, in order, whoever brought it.
pub type Changes<K> = mpsc::UnboundedReceiver<Seen<K>>;

impl<K: Resource> Cache<K> {
    /// An empty one, and what will change in it.
    pub fn new() -> (Arc<Self>, Changes<K>) {
        let (changes, receiver) = mpsc::unbounded_channel();
        (Arc::new(Self { objects: RwLock::new(HashMap::new()), changes }), receiver)
    }

    /// One object.
    pub fn get(&self, name: &Name) -> Option<Arc<K>> {
        self.objects.read().get(name).cloned()
    }

    /// All objects, in no order.
    pub fn all(&self) -> Vec<Arc<K>> {
        self.objects.read().values().cloned().collect()
    }

    /// Takes in the answer to a write of ours, or an event of the watch. An older version than the known one changes nothing.
    pub fn put(&self, mut object: K) {
        strip(&mut object);
        let name = Name::of(&object);
        let mut objects = self.objects.write();
        let before = objects.get(&name).cloned();
        if before.as_ref().is_some_and(|known| newer_or_same(&**known, &object)) {
            return;
        }
        let after = Arc::new(object);
        objects.insert(name.clone(), after.clone());
        self.tell(Seen { name, before, after: Some(after) });
    }

    /// Takes in that an object is gone.
    pub fn remove(&self, object: &K) {
        let name = Name::of(object);
        let mut objects = self.objects.write();
        // A new object of the same name may have been seen in the meantime, by a write's answer.
        if objects.get(&name).is_some_and(|known| known.meta().uid != object.meta().uid) {
            return;
        }
        if let Some(before) = objects.remove(&name) {
            self.tell(Seen { name, before: Some(before), after: None });
        }
    }

    /// Takes in that a namespace, or all of them, has these objects and no others.
    fn retain(&self, namespace: Option<&str>, listed: &HashSet<Name>) {
        let mut objects = self.objects.write();
        let unlisted = |name: &&Name| {
            !listed.contains(*name) && namespace.is_none_or(|namespace| *name.namespace == *namespace)
        };
        let missing: Vec<Name> = objects.keys().filter(unlisted).cloned().collect();
        for name in missing {
            let before = objects.remove(&name);
            self.tell(Seen { name, before, after: None });
        }
    }

    fn tell(&self, seen: Seen<K>) {
        // The receiver goes only at shutdown, when nothing follows from a change any more.
        let _ = self.changes.send(seen);
    }
}

/// Feeds a cache from the events of a watch; remembers what a list has named until the list is done.
pub struct Feed<K> {
    cache: Arc<Cache<K>>,
    namespace: Option<String>,
    listed: HashSet<Name>,
}

impl<K: Resource> Feed<K> {
    /// A feed of this cache from the watch of one namespace, or of all.
    pub fn new(cache: Arc<Cache<K>>, namespace: Option<String>) -> Self {
        Self { cache, namespace, listed: HashSet::new() }
    }

    /// Takes one event in. True: a list is done.
    pub fn take(&mut self, event: watcher::Event<K>) -> bool {
        match event {
            watcher::Event::Apply(object) => self.cache.put(object),
            watcher::Event::Delete(object) => self.cache.remove(&object),
            watcher::Event::Init => self.listed.clear(),
            watcher::Event::InitApply(object) => {
                self.listed.insert(Name::of(&object));
                self.cache.put(object);
            }
            watcher::Event::InitDone => {
                self.cache.retain(self.namespace.as_deref(), &std::mem::take(&mut self.listed));
                return true;
            }
        }
        false
    }
}

/// Drops what is never read and would be kept in memory for every object.
fn strip(object: &mut impl Resource) {
    object.managed_fields_mut().clear();
    object.annotations_mut().remove("kubectl.kubernetes.io/last-applied-configuration");
}

/// Kubernetes promises that resource versions of one object can be compared as numbers (KEP-5504; true of every release with etcd).
fn newer_or_same<K: Resource>(known: &K, other: &K) -> bool {
    let version = |object: &K| object.resource_version().and_then(|text| text.parse::<u64>().ok());
    match (version(known), version(other)) {
        (Some(known_version), Some(other_version)) => {
            known.meta().uid == other.meta().uid && known_version >= other_version
        }
        _ => false,
    }
}
