//! The objects of one kind. A watch and the answers to own writes feed the cache, so a reconcile never reads a status that is older than
//! the one it wrote itself.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    ops::Bound,
    sync::Arc,
    time::Duration,
};

use kube::{Resource, ResourceExt, core::DeserializeGuard, runtime::watcher};
use parking_lot::RwLock;
use rolewright_api::annotations;
use rolewright_core::model::nearest;
use rolewright_reconcile::object::{ObjectName, name_of};
use tokio::{sync::mpsc, time::Instant};

/// One change in a cache.
pub struct CacheChange<K> {
    /// The object.
    pub name: ObjectName,
    /// The object before.
    pub before: Option<Arc<K>>,
    /// The object now; None when it was deleted.
    pub after: Option<Arc<K>>,
}

/// The objects of one kind.
pub struct Cache<K> {
    stored: RwLock<Stored<K>>,
    changes: mpsc::UnboundedSender<CacheChange<K>>,
}

struct Stored<K> {
    objects: BTreeMap<ObjectName, Arc<K>>,
    /// Objects that this process created since the last list began: that list can lack them.
    created: HashSet<ObjectName>,
    /// Objects whose present version cannot be decoded.
    undecoded: BTreeSet<ObjectName>,
    /// UIDs of deleted objects, and since when: the answer to an own write can arrive after the watch reported the deletion.
    deleted: HashMap<String, Instant>,
}

impl<K: Resource> Stored<K> {
    fn mark_deleted(&mut self, object: &impl Resource) {
        // No own call takes longer.
        const MAX_CALL: Duration = Duration::from_secs(60);
        const PRUNE_AT: usize = 1024;
        if self.deleted.len() >= PRUNE_AT {
            self.deleted.retain(|_, since| since.elapsed() < MAX_CALL);
        }
        if let Some(uid) = object.uid() {
            self.deleted.insert(uid, Instant::now());
        }
    }

    fn is_deleted(&self, object: &K) -> bool {
        object.meta().uid.as_ref().is_some_and(|uid| self.deleted.contains_key(uid))
    }
}

/// All changes of a cache, in order, from watches and from own writes.
pub type Changes<K> = mpsc::UnboundedReceiver<CacheChange<K>>;

impl<K: Resource> Cache<K> {
    /// An empty cache and its future changes.
    pub fn new() -> (Arc<Self>, Changes<K>) {
        let (changes, receiver) = mpsc::unbounded_channel();
        (
            Arc::new(Self {
                stored: RwLock::new(Stored {
                    objects: BTreeMap::new(),
                    created: HashSet::new(),
                    undecoded: BTreeSet::new(),
                    deleted: HashMap::new(),
                }),
                changes,
            }),
            receiver,
        )
    }

    /// The object of this name.
    pub fn get(&self, name: &ObjectName) -> Option<Arc<K>> {
        self.stored.read().objects.get(name).cloned()
    }

    /// The objects that the filter accepts, in the order of their names.
    pub fn select(&self, filter: impl Fn(&K) -> bool) -> Vec<Arc<K>> {
        self.stored.read().objects.values().filter(|object| filter(object)).cloned().collect()
    }

    /// The first `limit` objects of a namespace, or of all namespaces if it is empty, that the filter accepts and whose names come after
    /// `last`.
    pub fn select_page(
        &self,
        namespace: &str,
        last: Option<&ObjectName>,
        limit: usize,
        filter: impl Fn(&K) -> bool,
    ) -> Vec<Arc<K>> {
        let first = ObjectName::new(namespace, "");
        let start = last.map_or(Bound::Included(&first), Bound::Excluded);
        let stored = self.stored.read();
        let rest = stored.objects.range((start, Bound::Unbounded));
        let here = rest.take_while(|(name, _)| namespace.is_empty() || *name.namespace == *namespace);
        here.map(|(_, object)| object).filter(|object| filter(object)).take(limit).cloned().collect()
    }

    /// The name in the same namespace that is most like this one.
    pub fn nearest_name(&self, name: &ObjectName) -> Option<String> {
        let stored = self.stored.read();
        let here = stored.objects.keys().filter(|known| known.namespace == name.namespace);
        nearest(&name.name, here.map(|known| &*known.name)).map(str::to_owned)
    }

    /// All objects, in the order of their names.
    pub fn all(&self) -> Vec<Arc<K>> {
        self.stored.read().objects.values().cloned().collect()
    }

    /// Stores the answer to an own write, or an event of the watch. An older version than the stored one changes nothing.
    pub fn put(&self, mut object: K) {
        strip(&mut object);
        let name = name_of(&object);
        let mut known = self.stored.write();
        known.undecoded.remove(&name);
        let before = known.objects.get(&name).cloned();
        if known.is_deleted(&object) || before.as_ref().is_some_and(|known| newer_or_same(&**known, &object))
        {
            return;
        }
        let after = Arc::new(object);
        known.objects.insert(name.clone(), after.clone());
        self.notify(CacheChange { name, before, after: Some(after) });
    }

    /// An object whose present version cannot be decoded, if there is one: what it says is not known.
    pub fn first_undecoded(&self) -> Option<ObjectName> {
        self.stored.read().undecoded.first().cloned()
    }

    fn mark_undecoded(&self, name: ObjectName) {
        self.stored.write().undecoded.insert(name);
    }

    /// Stores an object that this process created.
    pub fn put_created(&self, object: K) {
        self.stored.write().created.insert(name_of(&object));
        self.put(object);
    }

    /// Removes a deleted object.
    pub fn remove(&self, object: &impl Resource) {
        let name = name_of(object);
        let mut known = self.stored.write();
        known.mark_deleted(object);
        known.created.remove(&name);
        known.undecoded.remove(&name);
        // The answer to a write can have brought a new object of the same name already.
        if known.objects.get(&name).is_some_and(|known| known.meta().uid != object.meta().uid) {
            return;
        }
        if let Some(before) = known.objects.remove(&name) {
            self.notify(CacheChange { name, before: Some(before), after: None });
        }
    }

    /// Removes all objects of a scope that a list did not contain.
    fn retain(&self, scope: &Scope, listed: &HashSet<ObjectName>) {
        let mut known = self.stored.write();
        known.undecoded.retain(|name| !scope.contains(name) || listed.contains(name));
        let unlisted = |name: &&ObjectName| {
            scope.contains(name) && !listed.contains(*name) && !known.created.contains(*name)
        };
        let missing: Vec<ObjectName> = known.objects.keys().filter(unlisted).cloned().collect();
        for name in missing {
            let Some(before) = known.objects.remove(&name) else { continue };
            known.mark_deleted(&*before);
            self.notify(CacheChange { name, before: Some(before), after: None });
        }
    }

    fn notify(&self, change: CacheChange<K>) {
        // The receiver is dropped only at shutdown.
        let _ = self.changes.send(change);
    }
}

/// The objects that one watch shows.
#[derive(Clone)]
pub enum Scope {
    /// Those without a namespace.
    Cluster,
    /// Those of all namespaces.
    Namespaces,
    /// Those of one namespace.
    Namespace(String),
}

impl Scope {
    fn contains(&self, name: &ObjectName) -> bool {
        match self {
            Scope::Cluster => name.is_of_cluster(),
            Scope::Namespaces => !name.is_of_cluster(),
            Scope::Namespace(namespace) => *name.namespace == **namespace,
        }
    }
}

/// Feeds a cache from the events of a watch. Collects the names of a list until the list is complete.
pub struct Feed<K> {
    cache: Arc<Cache<K>>,
    /// The kind that the watch shows, for messages.
    pub kind: String,
    scope: Scope,
    listed: HashSet<ObjectName>,
}

impl<K: Resource> Feed<K> {
    /// A feed from the watch of a scope.
    pub fn new(cache: Arc<Cache<K>>, kind: &K::DynamicType, scope: Scope) -> Self {
        Self { cache, kind: K::kind(kind).into_owned(), scope, listed: HashSet::new() }
    }

    /// Applies one event. True when a list is complete.
    ///
    /// An object that cannot be decoded is unknown, not deleted: the version before it stays, and the other objects do not wait.
    pub fn apply(&mut self, event: watcher::Event<DeserializeGuard<K>>) -> bool {
        match event {
            watcher::Event::Apply(object) => self.put(object),
            watcher::Event::Delete(object) => self.cache.remove(&object),
            watcher::Event::Init => {
                self.listed.clear();
                self.cache.stored.write().created.retain(|name| !self.scope.contains(name));
            }
            watcher::Event::InitApply(object) => {
                self.listed.insert(name_of(&object));
                self.put(object);
            }
            watcher::Event::InitDone => {
                self.cache.retain(&self.scope, &std::mem::take(&mut self.listed));
                return true;
            }
        }
        false
    }

    fn put(&self, object: DeserializeGuard<K>) {
        match object.0 {
            Ok(object) => self.cache.put(object),
            Err(invalid) => {
                let namespace = invalid.metadata.namespace.unwrap_or_default();
                let name = invalid.metadata.name.unwrap_or_default();
                self.cache.mark_undecoded(ObjectName::new(&namespace, &name));
                tracing::warn!(
                    kind = self.kind,
                    namespace,
                    name,
                    error = %invalid.error,
                    "this object cannot be decoded: its last known version stays"
                );
            }
        }
    }
}

/// Drops what is never read: it would use memory for every object.
fn strip(object: &mut impl Resource) {
    let meta = object.meta_mut();
    meta.managed_fields = None;
    meta.labels = None;
    meta.owner_references = None;
    if let Some(annotations) = &mut meta.annotations {
        annotations.retain(|name, _| name.starts_with(annotations::PREFIX));
    }
}

/// Resource versions of one object can be compared as numbers (KEP-5504; true for every release with etcd).
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
    fn a_late_answer_does_not_restore_a_deleted_object() {
        let (cache, _changes) = Cache::new();
        let name = ObjectName::new("ns", "one");
        cache.put(object("a", 5));
        cache.remove(&object("a", 6));
        cache.put(object("a", 5));
        assert!(cache.get(&name).is_none());
        cache.put(object("b", 7));
        assert!(cache.get(&name).is_some(), "a new object of the same name is another object");
    }

    #[test]
    fn an_undecodable_object_is_unknown_and_not_deleted() {
        let (cache, _changes) = Cache::new();
        let name = ObjectName::new("ns", "one");
        cache.put(object("a", 5));
        let mut broken = serde_json::to_value(object("a", 6)).unwrap();
        broken["spec"]["resource"] = serde_json::json!("not an object");
        let guard =
            || -> DeserializeGuard<ResourceRestriction> { serde_json::from_value(broken.clone()).unwrap() };
        let mut feed = Feed::new(cache.clone(), &(), Scope::Namespaces);
        for event in [watcher::Event::Init, watcher::Event::InitApply(guard()), watcher::Event::InitDone] {
            feed.apply(event);
        }
        feed.apply(watcher::Event::Apply(guard()));
        assert!(cache.get(&name).is_some());
        feed.apply(watcher::Event::Delete(guard()));
        assert!(cache.get(&name).is_none());
    }

    #[test]
    fn nearest_name_is_of_the_same_namespace() {
        let (cache, _changes) = Cache::new();
        let name = |name: &str| ObjectName::new("team-a", name);
        for (namespace, name) in [("team-a", "grafana"), ("team-b", "grafna")] {
            let mut object = object(&format!("{namespace}-{name}"), 1);
            object.metadata.namespace = Some(namespace.to_owned());
            object.metadata.name = Some(name.to_owned());
            cache.put(object);
        }
        assert_eq!(cache.nearest_name(&name("grafna")).as_deref(), Some("grafana"));
        assert_eq!(cache.nearest_name(&name("arize")), None);
    }

    #[test]
    fn cached_metadata_has_only_what_is_read() {
        let (cache, _changes) = Cache::new();
        let texts =
            |names: &[&str]| Some(names.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect());
        let mut object = object("a", 1);
        object.metadata.labels = texts(&["app"]);
        object.metadata.annotations = texts(&[annotations::PAUSE, "meta.helm.sh/release-name"]);
        object.metadata.managed_fields = Some(Vec::new());
        cache.put(object);
        let known = cache.get(&ObjectName::new("ns", "one")).unwrap();
        assert_eq!(known.metadata.annotations, texts(&[annotations::PAUSE]));
        assert_eq!((&known.metadata.labels, &known.metadata.managed_fields), (&None, &None));
    }

    #[test]
    fn an_older_version_does_not_replace_a_newer_one() {
        let (cache, _changes) = Cache::new();
        cache.put(object("a", 12));
        cache.put(object("a", 9));
        let known = cache.get(&ObjectName::new("ns", "one")).unwrap();
        assert_eq!(known.metadata.resource_version.as_deref(), Some("12"));
    }
}
