//! The sweep: compares every object of a view with a new snapshot in memory, and enqueues only those that differ.

use std::{sync::Arc, time::Duration};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use rolewright_api::{Reason, SYNCED};
use rolewright_backends::{Class, Error, Needs};
use rolewright_reconcile::{
    account::{AccountView, CredentialDoubt, Link, min_interval, stretched_interval},
    act,
    decide::{self, Resolve},
    object::{ObjectName, ObjectRef, reconcile_request},
};
use tokio::time::Instant;

use super::counts::{report, written_report};
use crate::{
    context::Context,
    kube::{Cached, Visitor},
};

/// The needs of all objects of a view. They are read in one snapshot, so that it does not grow with each object.
pub fn needs(ctx: &Context, links: &[(ObjectName, Link)]) -> Needs {
    struct Collect<'a> {
        ctx: &'a Context,
        needs: &'a mut Needs,
        link: &'a Link,
    }
    impl Visitor for Collect<'_> {
        fn visit<K: Resolve + Cached>(&mut self, object: Arc<K>) {
            if self.ctx.refuses(&*object, self.link).is_some() {
                return;
            }
            let needs = decide::sweep_needs(&*object, self.link);
            self.needs.kinds.extend(needs.kinds);
            self.needs.levels.extend(needs.levels);
            self.needs.hints.extend(needs.hints);
        }
    }
    let mut needs = Needs::default();
    for (backend, link) in links {
        ctx.caches.each_of(backend, &mut Collect { ctx, needs: &mut needs, link });
    }
    needs
}

/// Registers the claims of all objects of a view whose snapshot covers more than before. All claims come before any write, so that the
/// older object has priority, not the faster one. Later sweeps register claims while they compare.
pub fn register_claims(ctx: &Context, links: &[(ObjectName, Link)]) {
    struct Register<'a>(&'a Context, &'a Link);
    impl Visitor for Register<'_> {
        fn visit<K: Resolve + Cached>(&mut self, object: Arc<K>) {
            if self.0.refuses(&*object, self.1).is_some() {
                return;
            }
            let decision = self.0.decide(&*object, self.1);
            let touched = decision.map(|decision| decision.touched);
            touched.into_iter().flatten().for_each(|object| self.0.queue.add_in_background(object));
        }
    }
    for (backend, link) in links {
        let link = ctx.with_present_spec(backend, link.clone());
        ctx.caches.each_of(backend, &mut Register(ctx, &link));
    }
}

/// Compares all objects of a view with the snapshot, enqueues those that differ, and reports the sweep on their Backends. `unread`: what
/// could not be read.
pub async fn compare(
    ctx: &Arc<Context>,
    view: &Arc<AccountView>,
    links: &[(ObjectName, Link)],
    unread: Option<&str>,
    calls: u64,
    began: Instant,
) {
    ctx.arrivals.prune();
    for (backend, _) in links {
        let Some(link) = compare_objects(ctx, view, backend).await else { continue };
        if let Some(unread) = unread {
            ctx.backends.set_sweep_failure(backend, true, unread);
            ctx.queue.add_in_background(ObjectRef::backend(backend));
            continue;
        }
        let had_failed = ctx.backends.sweep_failure(backend).is_some();
        let stretched = stretched_interval(link.interval, min_interval(calls, view));
        ctx.backends.set_swept(backend, stretched, began);
        ctx.metrics.set_swept(backend);
        let Some(object) = ctx.caches.backends.get(backend) else { continue };
        let status = object.status.clone().unwrap_or_default();
        let is_synced = status.conditions.iter().any(|one| one.type_ == SYNCED && one.status == "True");
        if had_failed
            || !is_synced
            || report(ctx, backend, &link, None) != written_report(&status)
            || status.last_handled_reconcile_at != reconcile_request(&*object)
        {
            ctx.queue.add_in_background(ObjectRef::backend(backend));
        }
    }
}

/// Compares the objects of a Backend. Ten thousand objects need half a second of the only thread, so other tasks run in between. None if
/// the Backend left the view meanwhile: its objects have other claims then.
async fn compare_objects(ctx: &Arc<Context>, view: &Arc<AccountView>, backend: &ObjectName) -> Option<Link> {
    let mut last = None;
    loop {
        let link = ctx.backends.link(backend).filter(|link| Arc::ptr_eq(&link.view, view))?;
        let link = ctx.with_present_spec(backend, link);
        let compare = &mut Compare { ctx, link: &link };
        let Some(page_end) = ctx.caches.visit_page(backend, last.as_ref(), compare) else {
            return Some(link);
        };
        last = Some(page_end);
        tokio::task::yield_now().await;
    }
}

/// Reports on the Backends of a view that their account could not be read.
pub fn report_failure(ctx: &Context, view: &AccountView, links: &[(ObjectName, Link)], error: &Error) {
    tracing::warn!(
        tenant = view.account.id.as_str(),
        error = error.message,
        class = error.class.as_str(),
        "a sweep could not read the back end"
    );
    for (backend, _) in links {
        ctx.backends.set_sweep_failure(backend, false, &error.message);
        let doubt = match error.class {
            // A back end that requests a pause accepts the credential, and a probe would have to wait too.
            Class::Throttled(_) => CredentialDoubt::Unfounded,
            Class::Unauthenticated => ctx.backends.doubt(backend, ctx.options.probe_backoff.0),
            _ => ctx.backends.doubt(backend, Duration::ZERO),
        };
        if doubt == CredentialDoubt::New || error.class != Class::Unauthenticated {
            ctx.queue.add_in_background(ObjectRef::backend(backend));
        }
    }
}

/// Enqueues the objects of a Backend that differ from their status.
struct Compare<'a> {
    ctx: &'a Arc<Context>,
    link: &'a Link,
}

impl Visitor for Compare<'_> {
    fn visit<K: Resolve + Cached>(&mut self, object: Arc<K>) {
        if self.differs(&*object) {
            self.ctx.queue.add_in_background(object.reference());
        }
    }
}

impl Compare<'_> {
    fn differs<K: Resolve + Cached>(&self, object: &K) -> bool {
        if object.is_being_deleted() && !object.has_finalizer() {
            return false;
        }
        if self.ctx.refuses(object, self.link).is_some() {
            let status = object.status().filter(|it| it.observed_generation == object.meta().generation);
            let is_denied = |one: &Condition| one.type_ == "Ready" && one.reason == Reason::Denied.as_str();
            return !status.is_some_and(|status| status.conditions.iter().any(is_denied));
        }
        let decision = self.ctx.decide(object, self.link);
        let Some(decision) = decision else { return true };
        if !decision.plan.to_read().is_empty() {
            return true;
        }
        decision.touched.iter().for_each(|object| self.ctx.queue.add_in_background(object.clone()));
        act::differs(object, self.link, &decision, self.ctx.is_contested(&object.reference()))
    }
}
