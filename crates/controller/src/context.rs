//! What every part of the controller shares.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use k8s_openapi::jiff::Timestamp;
use kube::{Client, ResourceExt};
use rolewright_api::AnyBackend;
use rolewright_backends::{Dialling, Transport, Vendor};
use rolewright_core::planner::Problem;
use rolewright_reconcile::{
    access::{is_binding_of, request_of},
    account::{Accounts, BackendStates, Corrections, Link},
    decide::{self, Cluster, Decision, Resolve},
    object::{ManagedObject, ObjectName, ObjectRef, as_binding, is_paused, name_of},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::{
    access,
    approvals::OpenApprovals,
    kube::{Cached, Caches, Definitions, Events, Visitor},
    managers,
    metrics::Metrics,
    queue::{Arrivals, BackOff, Enqueue, Requests},
};

/// How the operator runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// What was built, for the metrics.
    pub build: crate::metrics::Build,
    /// The vendors that Backends can name.
    pub vendors: &'static [Vendor],
    /// The namespaces to serve; all when empty.
    pub namespaces: Vec<String>,
    /// The namespace of the operator itself: for its Lease and its own Events.
    pub own_namespace: String,
    /// Whether to wait for the Lease before the first write.
    pub leader_elect: bool,
    /// The most objects that are reconciled at one time, over all accounts.
    pub max_reconciles: usize,
    /// The addresses that back ends can have.
    pub dialling: Dialling,
    /// How requests reach back ends in a simulation; over the network when None.
    pub transport: Option<Arc<dyn Transport>>,
    /// The time between two reads of a Secret.
    pub secret_interval: Duration,
    /// The first and the longest wait between two probes of a credential that does not work.
    pub probe_backoff: (Duration, Duration),
    /// How long a deleted object waits for a credential before it is released.
    pub abandon_after: Duration,
    /// How long a create without an answer can take at a back end.
    pub settle: Duration,
}

/// The version of a Backend's spec.
pub fn spec_version(backend: &AnyBackend) -> String {
    format!("{}/{}", backend.uid().unwrap_or_default(), backend.metadata.generation.unwrap_or_default())
}

/// Whether a connection was made from this version of the spec. `made_from`: that version, and those of the Secrets after blanks.
pub fn is_made_from(made_from: &str, spec_version: &str) -> bool {
    made_from.split(' ').next() == Some(spec_version)
}

/// What every part shares.
pub struct Context {
    /// The Kubernetes API.
    pub client: Client,
    /// Cancelled when the operator ends, in whatever way.
    pub alive: CancellationToken,
    /// How the operator runs.
    pub options: Options,
    /// The objects.
    pub caches: Caches,
    /// Reads of the CRDs for deletions.
    pub definitions: Definitions,
    /// Adds objects to the queue.
    pub queue: Enqueue,
    /// Accounts of back ends.
    pub accounts: Arc<Accounts>,
    /// The state of each Backend.
    pub backends: BackendStates,
    /// Failures in a row by object.
    pub back_off: BackOff,
    /// The last changes of objects.
    pub arrivals: Arrivals,
    /// Requests for a reconcile by object.
    pub requests: Requests,
    /// The approvals that can still have an effect.
    pub approvals: OpenApprovals,
    /// Corrections of drift by object.
    pub corrections: Corrections,
    /// Events to write.
    pub events: Events,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Whether the CRDs have the schema level of this operator.
    pub schema_fits: AtomicBool,
}

impl Context {
    /// Starts a task that ends with the operator at the latest.
    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        let alive = self.alive.clone();
        tokio::spawn(async move {
            alive.run_until_cancelled(task).await;
        })
    }

    /// Whether anything can be written at all.
    pub fn may_write(&self) -> bool {
        self.schema_fits.load(Ordering::Relaxed)
    }

    /// Decides about an object, which also registers its claims. None: no snapshot covers what it needs.
    pub fn decide<K: Resolve + Cached>(&self, object: &K, link: &Link) -> Option<Decision> {
        let role = |name: &ObjectName| self.caches.roles.get(name);
        let nearest_role = |name: &ObjectName| self.caches.roles.nearest_name(name);
        let (may_write, now) = (self.may_write(), Timestamp::now());
        let labels = |namespace: &str| self.caches.namespaces.of(namespace);
        let request = |name: &ObjectName| self.caches.requests.get(name);
        let managers = |link: &Link, namespace: &str| managers::of_account(self, link, namespace);
        let cluster = Cluster {
            role: &role,
            nearest_role: &nearest_role,
            labels: &labels,
            request: &request,
            managers: &managers,
            may_write,
            now,
        };
        let mut decision = decide::decide(object, link, &cluster)?;
        // The object can have been deleted, and its claims removed, since it was taken from the cache.
        let name = name_of(object);
        if K::cache(&self.caches).get(&name).is_none_or(|known| known.uid() != object.uid()) {
            decision.touched.extend(self.accounts.forget(&object.claimant()));
        } else if self.backends.link(&object.backend()).is_none() {
            // The Backend can have become unready meanwhile.
            decision.touched.extend(self.accounts.suspend(&object.claimant()));
        }
        Some(decision)
    }

    /// Drops what is remembered of a deleted object.
    pub fn forget(&self, object: &ObjectRef) {
        self.corrections.forget(object);
        self.back_off.reset(object);
        self.requests.forget(object);
        self.arrivals.forget(object);
    }

    /// Adds these objects to the queue.
    pub fn enqueue(&self, objects: impl IntoIterator<Item = ObjectRef>) {
        objects.into_iter().for_each(|object| self.queue.add(object));
    }

    /// A link with the pause, the mode, the guards, the terms and the deletion policy of the present Backend: these count at once, whatever became of its credential.
    pub fn with_present_spec(&self, backend: &ObjectName, mut link: Link) -> Link {
        if let Some(object) = self.caches.backends.get(backend) {
            link.paused = is_paused(&*object);
            // The connection can be to another account than the one that the present spec means.
            link.exclusive = link.exclusive && object.spec.exclusive == Some(true);
            link.mode = object.spec.mode.unwrap_or_default();
            link.deletion = object.spec.deletion_policy.unwrap_or_default();
            let guards = object.spec.guards.clone().unwrap_or_default();
            if *link.guards != guards {
                link.guards = Arc::new(guards);
            }
            if link.terms.as_deref() != object.terms.as_ref() {
                link.terms = object.terms.clone().map(Arc::new);
            }
        }
        link
    }

    /// Whether a ClusterBackend is connected as its present spec says. A Backend works with its last connection until it is probed again.
    pub fn is_connection_current(&self, backend: &ObjectName) -> bool {
        let is_current =
            |object: Arc<AnyBackend>| is_made_from(&self.backends.made_from(backend), &spec_version(&object));
        !backend.is_of_cluster() || self.caches.backends.get(backend).is_none_or(is_current)
    }

    /// Why the ClusterBackend of an object does not serve its namespace. An object that is being deleted is served.
    pub fn refuses_namespace<K: ManagedObject>(&self, object: &K, link: &Link) -> Option<Problem> {
        let terms = link.terms.as_deref().filter(|_| !object.is_being_deleted())?;
        let labels = self.caches.namespaces.of(object.meta().namespace.as_deref().unwrap_or_default());
        decide::check_namespace(object, terms, labels.as_deref()).err()
    }

    /// Why nothing at all is done for an object: its ClusterBackend does not serve its namespace, and it manages nothing. What an object
    /// manages still ends in time, and leaves with its subjects.
    pub fn refuses<K: ManagedObject>(&self, object: &K, link: &Link) -> Option<Problem> {
        self.refuses_namespace(object, link).filter(|_| object.held().is_empty())
    }

    /// Whether an object is the RoleBinding of an AccessRequest.
    pub fn is_requested<K: ManagedObject>(&self, object: &K) -> bool {
        let Some(binding) = as_binding(object) else { return false };
        let request = request_of(binding).and_then(|name| self.caches.requests.get(&name));
        request.is_some_and(|request| is_binding_of(binding, &request))
    }

    /// Whether others keep changing what an object manages.
    pub fn is_contested(&self, object: &ObjectRef) -> bool {
        self.corrections.next_correction(object).is_some()
    }

    /// Adds all objects of a Backend to the queue.
    pub fn enqueue_objects_of(&self, backend: &ObjectName) {
        self.enqueue_each_of(backend, |_| {});
    }

    /// Adds all objects of a Backend to the queue, and resets their back-off: what failed before is tried at once.
    pub fn retry_objects_of(&self, backend: &ObjectName) {
        self.enqueue_each_of(backend, |object| self.back_off.reset(object));
    }

    fn enqueue_each_of(&self, backend: &ObjectName, before: impl Fn(&ObjectRef)) {
        struct Add<'a, F>(&'a Enqueue, F);
        impl<F: Fn(&ObjectRef)> Visitor for Add<'_, F> {
            fn visit<K: Resolve + Cached>(&mut self, object: Arc<K>) {
                let reference = object.reference();
                self.1(&reference);
                self.0.add_in_background(reference);
            }
        }
        self.caches.each_of(backend, &mut Add(&self.queue, before));
    }

    /// Adds every object of every kind to the queue.
    pub fn enqueue_all(&self) {
        for backend in self.caches.backends.all() {
            self.queue.add_in_background(ObjectRef::backend(&name_of(&*backend)));
        }
        self.caches.roles.all().iter().for_each(|object| self.queue.add_in_background(object.reference()));
        self.caches.bindings.all().iter().for_each(|object| self.queue.add_in_background(object.reference()));
        self.caches
            .restrictions
            .all()
            .iter()
            .for_each(|object| self.queue.add_in_background(object.reference()));
        self.caches.prunes.all().iter().for_each(|object| self.queue.add_in_background(object.reference()));
        for request in self.caches.requests.all() {
            self.queue.add_in_background(access::reference(&request));
        }
    }
}
