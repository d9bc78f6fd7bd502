//! The labels of namespaces, by which ClusterBackends select those that they serve.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use k8s_openapi::api::core::v1::Namespace;
use kube::{Api, Client, ResourceExt, core::PartialObjectMeta, runtime::watcher};
use parking_lot::RwLock;
use rolewright_reconcile::decide::Labels;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinSet,
};

use super::watch;

/// The labels of all namespaces.
pub struct NamespaceLabels {
    known: RwLock<BTreeMap<String, Arc<Labels>>>,
    changes: mpsc::UnboundedSender<String>,
}

impl NamespaceLabels {
    /// No labels yet, and the names of the namespaces whose labels change.
    pub fn new() -> (Arc<Self>, mpsc::UnboundedReceiver<String>) {
        let (changes, receiver) = mpsc::unbounded_channel();
        (Arc::new(Self { known: RwLock::default(), changes }), receiver)
    }

    /// The labels of a namespace. None if it is not known to exist.
    pub fn of(&self, namespace: &str) -> Option<Arc<Labels>> {
        self.known.read().get(namespace).cloned()
    }

    fn set(&self, namespace: &str, labels: Option<Labels>) {
        let mut known = self.known.write();
        let before = known.remove(namespace);
        let has_changed = before.as_deref() != labels.as_ref();
        if let Some(labels) = labels {
            known.insert(namespace.to_owned(), Arc::new(labels));
        }
        if has_changed {
            // The receiver is dropped only at shutdown.
            let _ = self.changes.send(namespace.to_owned());
        }
    }

    /// Applies one event. True when a list is complete.
    fn apply(
        &self,
        event: watcher::Event<PartialObjectMeta<Namespace>>,
        listed: &mut BTreeSet<String>,
    ) -> bool {
        let set = |mut namespace: PartialObjectMeta<Namespace>| {
            let labels = std::mem::take(namespace.labels_mut());
            self.set(&namespace.name_any(), Some(labels));
        };
        match event {
            watcher::Event::Apply(namespace) => set(namespace),
            watcher::Event::Delete(namespace) => self.set(&namespace.name_any(), None),
            watcher::Event::Init => listed.clear(),
            watcher::Event::InitApply(namespace) => {
                listed.insert(namespace.name_any());
                set(namespace);
            }
            watcher::Event::InitDone => {
                let known: Vec<String> = self.known.read().keys().cloned().collect();
                let deleted = known.iter().filter(|name| !listed.contains(*name));
                deleted.for_each(|name| self.set(name, None));
                return true;
            }
        }
        false
    }
}

/// Follows the labels for ever. The receiver resolves after the first list.
pub fn follow(
    client: &Client,
    labels: &Arc<NamespaceLabels>,
    tasks: &mut JoinSet<()>,
) -> oneshot::Receiver<()> {
    let (done, first) = oneshot::channel();
    let api: Api<PartialObjectMeta<Namespace>> = Api::all(client.clone());
    let (labels, mut listed) = (labels.clone(), BTreeSet::new());
    let apply = move |event| labels.apply(event, &mut listed);
    tasks.spawn(watch::follow(api, "Namespace".to_owned(), apply, done));
    first
}
