//! The objects of one kind as last seen: fed by a watch and by the answers to our own writes, so that a reconcile never
//! reads a status older than the one it wrote itself.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::{Duration, Instant},
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
    known: RwLock<Known<K>>,
    changes: mpsc::UnboundedSender<Seen<K>>,
}

struct Known<K> {
    objects: HashMap<Name, Arc<K>>,
    /// UIDs of objects that are gone, and since when: the answer to a write of ours can come in after the watch has told of the end.
    gone: HashMap<String, Instant>,
}

impl<K: Resource> Known<K> {
    fn bury(&mut self, object: &K) {
        // No call of ours takes longer.
        const LATEST_ANSWER: Duration = Duration::from_secs(60);
        const PRUNE_AT: usize = 1024;
        if self.gone.len() >= PRUNE_AT {
            self.gone.retain(|_, since| since.elapsed() < LATEST_ANSWER);
        }
        if let Some(uid) = object.uid() {
            self.gone.insert(uid, Instant::now());
        }
    }

    fn is_gone(&self, object: &K) -> bool {
        object.meta().uid.as_ref().is_some_and(|uid| self.gone.contains_key(uid))
    }
}

/// Everything that changes in a cache, in order, whoever brought it.
pub type Changes<K> = mpsc::UnboundedReceiver<Seen<K>>;

impl<K: Resource> Cache<K> {
    /// An empty one, and what will change in it.
    pub fn new() -> (Arc<Self>, Changes<K>) {
        let (changes, receiver) = mpsc::unbounded_channel();
        (
            Arc::new(Self {
                known: RwLock::new(Known { objects: HashMap::new(), gone: HashMap::new() }),
                changes,
            }),
            receiver,
        )
    }

    /// One object.
    pub fn get(&self, name: &Name) -> Option<Arc<K>> {
        self.known.read().objects.get(name).cloned()
    }

    /// The objects that are wanted, in no order.
    pub fn those(&self, wanted: impl Fn(&K) -> bool) -> Vec<Arc<K>> {
        self.known.read().objects.values().filter(|object| wanted(object)).cloned().collect()
    }

    /// All objects, in no order.
    pub fn all(&self) -> Vec<Arc<K>> {
        self.known.read().objects.values().cloned().collect()
    }

    /// Takes in the answer to a write of ours, or an event of the watch. An older version than the known one changes nothing.
    pub fn put(&self, mut object: K) {
        strip(&mut object);
        let name = Name::of(&object);
        let mut known = self.known.write();
        let before = known.objects.get(&name).cloned();
        if known.is_gone(&object) || before.as_ref().is_some_and(|known| newer_or_same(&**known, &object)) {
            return;
        }
        let after = Arc::new(object);
        known.objects.insert(name.clone(), after.clone());
        self.tell(Seen { name, before, after: Some(after) });
    }

    /// Takes in that an object is gone.
    pub fn remove(&self, object: &K) {
        let name = Name::of(object);
        let mut known = self.known.write();
        known.bury(object);
        // A new object of the same name may have been seen in the meantime, by a write's answer.
        if known.objects.get(&name).is_some_and(|known| known.meta().uid != object.meta().uid) {
            return;
        }
        if let Some(before) = known.objects.remove(&name) {
            self.tell(Seen { name, before: Some(before), after: None });
        }
    }

    /// Takes in that a namespace, or all of them, has these objects and no others.
    fn retain(&self, namespace: Option<&str>, listed: &HashSet<Name>) {
        let mut known = self.known.write();
        let unlisted = |name: &&Name| {
            !listed.contains(*name) && namespace.is_none_or(|namespace| *name.namespace == *namespace)
        };
        let missing: Vec<Name> = known.objects.keys().filter(unlisted).cloned().collect();
        for name in missing {
            let Some(before) = known.objects.remove(&name) else { continue };
            known.bury(&before);
            self.tell(Seen { name, before: Some(before), after: None });
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
    object.meta_mut().managed_fields = None;
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

#[cfg(test)]
mod tests {
    use super::*;
    use rolewright_api::{BackendRef, ResourceRef, ResourceRestriction, ResourceRestrictionSpec};

    fn object(uid: &str, version: u64) -> ResourceRestriction {
        let resource = ResourceRef { id: Some("x".to_owned()), ..ResourceRef::default() };
        let backend_ref = BackendRef { kind: None, name: "arize".to_owned() };
        let spec =
            ResourceRestrictionSpec { backend_ref, resource, adopt: None, mode: None, deletion_policy: None };
        let mut object = ResourceRestriction::new("one", spec);
        object.metadata.namespace = Some("ns".to_owned());
        object.metadata.uid = Some(uid.to_owned());
        object.metadata.resource_version = Some(version.to_string());
        object
    }

    #[test]
    fn an_answer_that_comes_after_the_end_does_not_bring_an_object_back() {
        let (cache, _changes) = Cache::new();
        let name = Name::new("ns", "one");
        cache.put(object("a", 5));
        cache.remove(&object("a", 6));
        cache.put(object("a", 5));
        assert!(cache.get(&name).is_none());
        cache.put(object("b", 7));
        assert!(cache.get(&name).is_some(), "a new object of the same name is another one");
    }

    #[test]
    fn an_older_version_does_not_take_the_place_of_a_newer_one() {
        let (cache, _changes) = Cache::new();
        cache.put(object("a", 12));
        cache.put(object("a", 9));
        let known = cache.get(&Name::new("ns", "one")).unwrap();
        assert_eq!(known.metadata.resource_version.as_deref(), Some("12"));
    }
}
