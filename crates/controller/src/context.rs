//! What every part of the controller shares.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use kube::Client;

use super::{
    cache::{Cache, Name},
    connections::Connections,
    events::Events,
    managed::Managed,
    metrics::Metrics,
    queue::{Failures, Item, Waker},
    tenants::{Corrections, Tenants},
};
use rolewright_api::{Backend, ResourceRestriction, Role, RoleBinding};
use rolewright_backends::{Dialling, Vendor};

/// How the operator runs.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the Kubernetes API is, and as whom; found as kubectl finds it when absent.
    pub kubernetes: Option<kube::Config>,
    /// The back ends that Backends can name.
    pub vendors: &'static [Vendor],
    /// The namespaces to serve; all when empty.
    pub namespaces: Vec<String>,
    /// The namespace of the operator itself: its Lease and its own Events.
    pub own_namespace: String,
    /// Whether to wait for the Lease before writing anything.
    pub leader_elect: bool,
    /// How many objects are worked on at one time.
    pub workers: usize,
    /// Which addresses may be dialled.
    pub dialling: Dialling,
    /// How often Secrets are looked at again.
    pub secret_interval: Duration,
    /// The first and the longest wait between two tries of a credential that does not work.
    pub probe_backoff: (Duration, Duration),
    /// How long a deleted object waits for a credential before it is let go.
    pub abandon_after: Duration,
    /// How long a create whose answer was lost may take at a back end.
    pub settle: Duration,
}

/// The objects of all kinds.
pub struct Caches {
    /// Connections.
    pub backends: Arc<Cache<Backend>>,
    /// Roles.
    pub roles: Arc<Cache<Role>>,
    /// Their holders.
    pub bindings: Arc<Cache<RoleBinding>>,
    /// Closed resources.
    pub restrictions: Arc<Cache<ResourceRestriction>>,
}

impl Caches {
    /// Calls `each` with every object of a Backend.
    pub fn each_of(&self, backend: &Name, each: &mut impl Visitor) {
        visit(&self.roles, backend, &mut |object| each.visit(object));
        visit(&self.bindings, backend, &mut |object| each.visit(object));
        visit(&self.restrictions, backend, &mut |object| each.visit(object));
    }
}

/// Something to do with an object of any managed kind.
pub trait Visitor {
    /// Does it.
    fn visit<K: super::resolve::Resolve + Stored>(&mut self, object: Arc<K>);
}

fn visit<K: Managed>(cache: &Cache<K>, backend: &Name, each: &mut dyn FnMut(Arc<K>)) {
    let of_it = |object: &K| {
        object.backend() == &*backend.name && object.meta().namespace.as_deref() == Some(&*backend.namespace)
    };
    cache.those(of_it).into_iter().for_each(each);
}

/// A kind that has a cache.
pub trait Stored: Managed {
    /// Its cache.
    fn cache(caches: &Caches) -> &Cache<Self>;
}

impl Stored for Role {
    fn cache(caches: &Caches) -> &Cache<Self> {
        &caches.roles
    }
}

impl Stored for RoleBinding {
    fn cache(caches: &Caches) -> &Cache<Self> {
        &caches.bindings
    }
}

impl Stored for ResourceRestriction {
    fn cache(caches: &Caches) -> &Cache<Self> {
        &caches.restrictions
    }
}

/// What every part shares.
pub struct Context {
    /// The Kubernetes API.
    pub client: Client,
    /// How the operator runs.
    pub options: Options,
    /// The objects.
    pub caches: Caches,
    /// Wakes objects.
    pub waker: Waker,
    /// Back-end accounts.
    pub tenants: Tenants,
    /// Backends and how they stand.
    pub connections: Connections,
    /// Failures in a row, by object.
    pub failures: Failures,
    /// Corrections of drift, by object.
    pub corrections: Corrections,
    /// Events to write.
    pub events: Events,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Whether the custom resource definitions are of the level that this operator knows.
    pub schema_fits: AtomicBool,
}

impl Context {
    /// Whether anything may be written at all.
    pub fn may_write(&self) -> bool {
        self.schema_fits.load(Ordering::Relaxed)
    }

    /// Wakes every object of a Backend.
    pub fn wake_dependents(&self, backend: &Name) {
        self.wake_each_of(backend, |_| {});
    }

    /// Wakes every object of a Backend, and has what failed before tried at once.
    pub fn retry_dependents(&self, backend: &Name) {
        self.wake_each_of(backend, |item| self.failures.clear(item));
    }

    fn wake_each_of(&self, backend: &Name, before: impl Fn(&Item)) {
        struct Wake<'a, F>(&'a Waker, F);
        impl<F: Fn(&Item)> Visitor for Wake<'_, F> {
            fn visit<K: super::resolve::Resolve + Stored>(&mut self, object: Arc<K>) {
                let item = object.item();
                self.1(&item);
                self.0.wake(item);
            }
        }
        self.caches.each_of(backend, &mut Wake(&self.waker, before));
    }

    /// Wakes every object of every kind.
    pub fn wake_all(&self) {
        for backend in self.caches.backends.all() {
            self.waker.wake(Item { kind: super::queue::Kind::Backend, name: Name::of(&*backend) });
        }
        self.caches.roles.all().iter().for_each(|object| self.waker.wake(object.item()));
        self.caches.bindings.all().iter().for_each(|object| self.waker.wake(object.item()));
        self.caches.restrictions.all().iter().for_each(|object| self.waker.wake(object.item()));
    }
}
