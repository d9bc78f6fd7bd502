//! Reconciles one Backend: connect it, publish its state to its objects, report. Objects wait for it, so ten thousand objects with an
//! invalid credential make a handful of calls.

mod attempt;
mod connect;
mod counts;
mod credential;
mod judge;
mod probe;
mod reader;
mod status;
mod sweep;
mod waiting;

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use kube::Resource;
use rolewright_api::{AnyBackend, Reason, TenantPin};
use rolewright_reconcile::{
    account::{Account, AccountId, BackendState},
    decide::{self, Resolve},
    object::{ObjectName, ObjectRef, is_paused, name_of, reconcile_request},
};
use serde_json::json;

use self::{attempt::Attempt, connect::connect};
use crate::{
    approvals,
    context::Context,
    kube::{Cached, Visitor},
    kube::{WriteError, writes},
    removals,
};

/// Reconciles one Backend. Returns the time until the next reconcile.
pub async fn reconcile(ctx: &Arc<Context>, name: &ObjectName) -> Option<Duration> {
    let Some(backend) = ctx.caches.backends.get(name) else {
        after_deletion(ctx, name);
        return approvals::decide_without_object(ctx, &ObjectRef::backend(name)).await;
    };
    if !ctx.may_write() {
        return None;
    }
    match run(ctx, name, backend).await {
        Ok(time) => Some(time),
        Err(WriteError::Gone) => None,
        Err(WriteError::Stale) => Some(Duration::from_millis(200)),
        Err(WriteError::Api(error)) => {
            tracing::warn!(kind = ObjectRef::backend(name).kind.as_str(), namespace = %name.namespace, name = %name.name, %error, "a status could not be written");
            Some(Duration::from_secs(10))
        }
    }
}

/// The objects of a deleted Backend can still need its credential for their deletion: it stays in memory until the last is deleted.
fn after_deletion(ctx: &Context, name: &ObjectName) {
    if Dependents::of(ctx, name).with_finalizer == 0 {
        disconnect(ctx, name);
    } else if let Some(link) = ctx.backends.link(name) {
        let message = format!("there is no {}", ObjectRef::backend(name));
        let state = BackendState::NotReady {
            reason: Reason::NotFound,
            message,
            no_credential: true,
            last: Some(link),
        };
        ctx.backends.set(name, state, String::new());
        ctx.enqueue(ctx.accounts.suspend_objects_of(name));
    }
    ctx.enqueue_objects_of(name);
}

fn disconnect(ctx: &Context, name: &ObjectName) {
    ctx.enqueue(ctx.accounts.disconnect(name));
    ctx.backends.remove(name);
    ctx.forget(&ObjectRef::backend(name));
    ctx.metrics.forget(name);
}

async fn run(
    ctx: &Arc<Context>,
    name: &ObjectName,
    mut backend: Arc<AnyBackend>,
) -> Result<Duration, WriteError> {
    let is_being_deleted = backend.meta().deletion_timestamp.is_some();
    let dependents = Dependents::of(ctx, name);
    if is_being_deleted && dependents.with_finalizer == 0 {
        writes::remove_finalizer(&ctx.client, &ctx.caches.backends, &*backend).await?;
        disconnect(ctx, name);
        return Ok(ctx.options.secret_interval);
    }
    let reference = ObjectRef::backend(name);
    let handled = backend.status.as_ref().and_then(|status| status.last_handled_reconcile_at.clone());
    let request = reconcile_request(&*backend).filter(|request| Some(request) != handled.as_ref());
    let requested = request.as_ref().is_some_and(|request| ctx.requests.act_on(&reference, request));
    let known = ctx.backends.made_from(name);
    let (attempt, made_from) = connect(ctx, name, &backend, &known, requested).await;
    let is_new = known != made_from;
    let mut wait = ctx.options.secret_interval;
    // The state is published and the objects are enqueued before the status is written: that write can fail.
    let (changed, failure) = match attempt {
        Attempt::Unchanged => (false, None),
        Attempt::Connected(link) => {
            // A request that could not be acted on is a new one in the next reconcile.
            let pinned = pin(ctx, backend, &link.pin).await;
            backend = pinned.inspect_err(|_| ctx.requests.forget(&reference))?;
            ctx.back_off.reset(&reference);
            ctx.backends.set_next_probe(name, None);
            register_held(ctx, &link.view.account, name);
            let view = link.view.clone();
            // Without a Backend that was ready, nothing kept the snapshot up to date.
            let was_idle = ctx.backends.links_of(&view).is_empty();
            if was_idle {
                view.invalidate();
            }
            let changed = ctx.backends.set(name, BackendState::Ready(link), made_from);
            reader::start(ctx, &view, was_idle);
            (changed, None)
        }
        Attempt::Failed { ready, no_credential, retry_after } => {
            wait = wait.min(retry_after);
            // The credential in memory can still remove what is deleted together with its Backend.
            let last = ctx.backends.last_link(name).filter(|_| no_credential);
            let is_serving = is_being_deleted && last.is_some();
            let (reason, message) = (ready.reason, ready.message.clone());
            let state = BackendState::NotReady { reason, message, no_credential, last };
            let changed = ctx.backends.set(name, state, made_from) || is_serving;
            ctx.enqueue(ctx.accounts.suspend_objects_of(name));
            (changed, Some(ready))
        }
    };
    let paused_changed = ctx.backends.set_paused(name, is_paused(&*backend));
    if let Some(request) = request.filter(|_| requested)
        && let Some(link) = ctx.backends.link(name)
    {
        link.view.reader.request(ctx.requests.see(&reference, &request));
    }
    if requested || is_new {
        // What failed before can succeed now.
        ctx.retry_objects_of(name);
    } else if changed || paused_changed {
        ctx.enqueue_objects_of(name);
    }
    let mode = backend.spec.mode.unwrap_or_default();
    status::write(ctx, name, &backend, failure, &dependents).await?;
    waiting::decide_approvals(ctx, name, mode).await?;
    Ok(wait)
}

/// Records the account in the status before any object can use it: the Backend never moves to another account.
async fn pin(
    ctx: &Context,
    backend: Arc<AnyBackend>,
    pin: &TenantPin,
) -> Result<Arc<AnyBackend>, WriteError> {
    if backend.status.as_ref().and_then(|status| status.tenant.as_ref()) == Some(pin) {
        return Ok(backend);
    }
    let tenant = json!({ "tenant": pin });
    let pinned = writes::status(&ctx.client, &ctx.caches.backends, &*backend, &["tenant"], tenant).await?;
    Ok(Arc::new(pinned))
}

/// Registers what all objects of an account manage by their statuses, whatever their Backend, before any of them is reconciled.
fn register_held(ctx: &Context, account: &Account, this: &ObjectName) {
    struct Register<'a>(&'a Context, &'a Account);
    impl Visitor for Register<'_> {
        fn visit<K: Resolve + Cached>(&mut self, object: Arc<K>) {
            decide::register_held(&*object, self.1, self.0.is_requested(&*object));
        }
    }
    for backend in ctx.caches.backends.all() {
        let name = name_of(&*backend);
        if name == *this || pinned_account(ctx, &backend).is_some_and(|id| id == account.id) {
            removals::load(account, &name, &backend);
            ctx.caches.each_of(&name, &mut Register(ctx, account));
        }
    }
}

/// The account that a Backend recorded, connected or not.
pub fn pinned_account(ctx: &Context, backend: &AnyBackend) -> Option<AccountId> {
    let block = backend.spec.block()?;
    let vendor = ctx.options.vendors.iter().find(|vendor| vendor.name == block.vendor)?;
    let origin = (vendor.origin)(&block.settings).ok()?;
    let address = probe::address(vendor, &origin, &block);
    AccountId::of_pin(&address, backend.status.as_ref()?.tenant.as_ref()?)
}

/// How many objects the message of a Backend that waits for them names.
const MAX_NAMED: usize = 5;

/// The objects of a Backend that have the finalizer.
#[derive(Default)]
struct Dependents {
    with_finalizer: usize,
    being_deleted: usize,
    /// The first of those that are not being deleted, or else of all.
    first: BTreeSet<(bool, String)>,
}

impl Dependents {
    fn of(ctx: &Context, backend: &ObjectName) -> Self {
        let mut dependents = Self::default();
        ctx.caches.each_of(backend, &mut dependents);
        dependents
    }

    /// The first ones by name. Those that nobody deletes come first: a user has to act.
    fn names(&self) -> String {
        let mut names = self.first.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", ");
        if self.with_finalizer > self.first.len() {
            names.push_str(&format!(" and {} more", self.with_finalizer - self.first.len()));
        }
        names
    }
}

impl Visitor for Dependents {
    fn visit<K: Resolve + Cached>(&mut self, object: Arc<K>) {
        if object.has_finalizer() {
            self.with_finalizer += 1;
            self.being_deleted += usize::from(object.is_being_deleted());
            self.first.insert((object.is_being_deleted(), object.title_in_backend()));
            if self.first.len() > MAX_NAMED {
                self.first.pop_last();
            }
        }
    }
}
