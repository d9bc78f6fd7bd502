//! Checks each write at the moment it is sent to a back end: who sends it, and whose thing it changes.

use std::{cell::RefCell, collections::BTreeSet, sync::Arc};

use parking_lot::Mutex;
use serde_json::Value;
use tracing::{
    Metadata, Subscriber,
    field::{Field, Visit},
    span::{Attributes, Id},
};
use tracing_subscriber::{
    Layer,
    layer::{Context, SubscriberExt},
    registry::{LookupSpan, Registry},
};

use super::{
    api_server::ApiServer,
    process::{Call, Process},
};

/// The namespace and the name of the operator's Lease.
pub const LEASE: (&str, &str) = ("rolewright", "rolewright");

/// What the writes of all processes of a cluster showed.
#[derive(Clone)]
pub struct Witness {
    api: ApiServer,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    violations: Vec<String>,
    /// The writes to things that an object manages.
    checked: usize,
}

impl Witness {
    /// A witness of writes, which reads the objects of this API server.
    pub fn new(api: ApiServer) -> Self {
        Self { api, seen: Arc::default() }
    }

    /// The writes that must not have been.
    pub fn violations(&self) -> Vec<String> {
        self.seen.lock().violations.clone()
    }

    /// The writes to things that an object manages.
    pub fn checked(&self) -> usize {
        self.seen.lock().checked
    }

    /// Checks a write to a back end. Only the process that holds the Lease writes. An object changes nothing that only objects of other
    /// namespaces manage.
    pub fn write(&self, process: &Process, call: &Call, changes: impl Fn(&Value) -> bool) {
        let mut seen = self.seen.lock();
        if let Some(identity) = process.identity() {
            let lease = self.api.get("leases", LEASE.0, LEASE.1);
            let holder = lease.map(|lease| lease["spec"]["holderIdentity"].clone());
            if holder != Some(Value::from(identity.as_str())) {
                seen.violations.push(format!("{identity} sends {call}, and the Lease is held by {holder:?}"));
            }
        }
        let managers = self.managers(changes);
        if !managers.is_empty() {
            seen.checked += 1;
            let by = current_namespace();
            if by.as_ref().is_none_or(|by| !managers.contains(by)) {
                seen.violations.push(format!("{by:?} sends {call}, and {managers:?} manage that"));
            }
        }
    }

    /// The namespaces with objects that manage such a thing.
    fn managers(&self, changes: impl Fn(&Value) -> bool) -> BTreeSet<String> {
        let mut managers = BTreeSet::new();
        for plural in ["roles", "rolebindings", "resourcerestrictions"] {
            self.api.all(plural, |object| {
                let held = object["status"]["held"].as_array();
                let is_it = |entry: &Value| entry["state"] == "Present" && changes(entry);
                if held.into_iter().flatten().any(is_it) {
                    managers.extend(object["metadata"]["namespace"].as_str().map(str::to_owned));
                }
                true
            });
        }
        managers
    }
}

thread_local! {
    /// The namespaces of the objects that are being reconciled, the innermost last.
    static NAMESPACES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// The namespace of the object whose reconcile makes the present call.
fn current_namespace() -> Option<String> {
    NAMESPACES.with_borrow(|namespaces| namespaces.last().cloned())
}

/// Follows the spans of reconciles on this thread until the result is dropped.
pub fn follow_objects() -> tracing::subscriber::DefaultGuard {
    tracing::subscriber::set_default(Registry::default().with(Objects))
}

struct Objects;

/// The namespace of a span's object.
struct Namespace(String);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Objects {
    fn enabled(&self, metadata: &Metadata<'_>, _: Context<'_, S>) -> bool {
        metadata.is_span() && metadata.name() == "object"
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut found = Found(None);
        attributes.record(&mut found);
        if let (Some(span), Some(namespace)) = (context.span(id), found.0) {
            span.extensions_mut().insert(Namespace(namespace));
        }
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        let span = context.span(id).expect("a span that exists");
        let namespace = span.extensions().get::<Namespace>().map(|it| it.0.clone()).unwrap_or_default();
        NAMESPACES.with_borrow_mut(|namespaces| namespaces.push(namespace));
    }

    fn on_exit(&self, _: &Id, _: Context<'_, S>) {
        NAMESPACES.with_borrow_mut(|namespaces| drop(namespaces.pop()));
    }
}

struct Found(Option<String>);

impl Visit for Found {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        if field.name() == "namespace" {
            self.0 = Some(format!("{value:?}"));
        }
    }
}
