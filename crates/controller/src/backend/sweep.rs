//! The sweep: one task for each view reads a new snapshot, compares every object in memory, and enqueues only those that differ.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use futures::FutureExt;
use rolewright_api::{Counts, SYNCED, annotations};
use rolewright_backends::{Class, Error, Needs, metered};
use rolewright_reconcile::{
    account::{
        AccountView, CredentialDoubt, Link, SweepReport, min_interval, read_next_outline, stretched_interval,
        unmanaged,
    },
    act,
    decide::{self, Resolve, Vanished},
    object::{ObjectKind, ObjectName, ObjectRef, reconcile_request},
};

use crate::{
    context::Context,
    kube::{Cached, Visitor},
};

/// Starts the task of a view, once. It ends when the last Backend drops the view.
pub fn start(ctx: &Arc<Context>, view: &Arc<AccountView>) {
    if view.sweep_trigger.start_once() {
        tokio::spawn(supervise(ctx.clone(), Arc::downgrade(view)));
    }
}

/// Restarts the sweeps of a view after a panic, which then costs one sweep and not all later ones.
async fn supervise(ctx: Arc<Context>, view: Weak<AccountView>) {
    let mut wait = Duration::from_secs(10);
    while AssertUnwindSafe(run(ctx.clone(), view.clone())).catch_unwind().await.is_err() {
        let account = view.upgrade().map(|view| view.account.id.clone());
        tracing::error!(tenant = account, "a sweep panicked");
        ctx.metrics.panic(ObjectKind::Backend);
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(600));
    }
}

async fn run(ctx: Arc<Context>, view: Weak<AccountView>) {
    let mut failures = 0_u32;
    let mut is_first = true;
    loop {
        let wait = {
            let Some(view) = view.upgrade() else { return };
            let links = ctx.backends.links_of(&view);
            let Some(interval) = links.iter().map(|(_, link)| link.interval).min() else {
                // The Backend can be between two probes. The view is dropped when it connects anew.
                view.sweep_trigger.wait(Duration::from_secs(1)).await;
                if Arc::strong_count(&view) == 1 {
                    return;
                }
                continue;
            };
            let started = Instant::now();
            // An object can have had everything read right before the first sweep.
            let max_age = if is_first { interval } else { Duration::ZERO };
            is_first = false;
            let _priority = view.sweep_trigger.take_request();
            let done = sweep(&ctx, &view, &links, max_age).await;
            ctx.metrics.sweep(started.elapsed(), matches!(done, Swept::Completely(_)));
            // Counted from start to start. A slow back end gets a break too.
            let after = |period: Duration, calls: u64| {
                period.max(min_interval(calls, &view)).saturating_sub(started.elapsed()).max(interval / 10)
            };
            match done {
                Swept::Completely(calls) => {
                    failures = 0;
                    after(interval, calls)
                }
                Swept::Partly(calls) => {
                    failures += 1;
                    after(back_off(interval, failures).min(interval), calls)
                }
                Swept::Failed => {
                    failures += 1;
                    back_off(interval, failures)
                }
            }
        };
        let Some(view) = view.upgrade() else { return };
        let jitter = wait.mul_f64(fastrand::f64() * 0.05);
        view.sweep_trigger.wait(wait + jitter).await;
    }
}

/// The time until the next sweep after so many incomplete ones.
fn back_off(interval: Duration, failures: u32) -> Duration {
    interval
        .min(Duration::from_secs(5))
        .saturating_mul(2_u32.saturating_pow(failures.min(10)))
        .min(interval.max(Duration::from_secs(300)))
}

/// The needs of all objects of a view. They are read in one snapshot, so that it does not grow with each object.
pub fn sweep_needs(ctx: &Context, view: &Arc<AccountView>) -> Needs {
    struct Collect<'a> {
        needs: &'a mut Needs,
        link: &'a Link,
    }
    impl Visitor for Collect<'_> {
        fn visit<K: Resolve + Cached>(&mut self, object: Arc<K>) {
            let needs = decide::sweep_needs(&*object, self.link);
            self.needs.kinds.extend(needs.kinds);
            self.needs.levels.extend(needs.levels);
            self.needs.hints.extend(needs.hints);
        }
    }
    let mut needs = Needs::default();
    for (backend, link) in ctx.backends.links_of(view) {
        ctx.caches.each_of(&backend, &mut Collect { needs: &mut needs, link: &link });
    }
    needs
}

/// Makes a new snapshot ready for decisions: checks it, and registers the claims of all objects. All claims come before any write, so
/// that the older object has priority, not the faster one.
pub fn publish_snapshot(ctx: &Context, view: &Arc<AccountView>) {
    struct Register<'a>(&'a Context, &'a Link);
    impl Visitor for Register<'_> {
        fn visit<K: Resolve + Cached>(&mut self, object: Arc<K>) {
            let decision = self.0.decide(&*object, self.1);
            let touched = decision.map(|decision| decision.touched);
            touched.into_iter().flatten().for_each(|object| self.0.queue.add(object));
        }
    }
    let links = ctx.backends.links_of(view);
    check_snapshot(ctx, view, &links);
    for (backend, link) in links {
        let link = ctx.with_present_spec(&backend, link);
        ctx.caches.each_of(&backend, &mut Register(ctx, &link));
    }
}

/// How much of the account a sweep read, and the number of its calls.
enum Swept {
    Completely(u64),
    Partly(u64),
    Failed,
}

/// One sweep. It compares every object with the parts that it could read.
async fn sweep(
    ctx: &Arc<Context>,
    view: &Arc<AccountView>,
    links: &[(ObjectName, Link)],
    max_age: Duration,
) -> Swept {
    let began = Instant::now();
    let read = async {
        view.read_if_older(&sweep_needs(ctx, view), max_age).await?;
        read_next_outline(view).await;
        Ok::<_, Error>(())
    };
    let (read, calls) = metered(view.priority.clone(), read).await;
    if let Err(error) = read {
        sweep_failed(ctx, view, links, &error);
        return Swept::Failed;
    }
    check_snapshot(ctx, view, links);
    let unread = view.unread();
    if let Some(unread) = &unread {
        tracing::warn!(tenant = view.account.id, unread, "a sweep could not read the whole back end");
    }
    for (backend, link) in links {
        let link = &ctx.with_present_spec(backend, link.clone());
        let mut compare = Compare { ctx, link, counts: Counts::default() };
        ctx.caches.each_of(backend, &mut compare);
        if let Some(unread) = &unread {
            ctx.backends.set_sweep_failure(backend, true, unread);
            ctx.queue.add(ObjectRef::backend(backend));
            continue;
        }
        let mut counts = compare.counts;
        counts.unmanaged = unmanaged(view);
        let stretched = stretched_interval(link.interval, min_interval(calls, view));
        let report = SweepReport { counts, stretched };
        let had_failed = ctx.backends.sweep_failure(backend).is_some();
        ctx.backends.set_report(backend, report.clone(), began);
        ctx.metrics.set_swept(backend);
        let Some(object) = ctx.caches.backends.get(backend) else { continue };
        let status = object.status.clone().unwrap_or_default();
        let is_synced = status.conditions.iter().any(|one| one.type_ == SYNCED && one.status == "True");
        if had_failed
            || !is_synced
            || status.counts != Some(report.counts)
            || status.sweep_interval != report.stretched
            || status.last_handled_reconcile_at != reconcile_request(&*object)
        {
            ctx.queue.add(ObjectRef::backend(backend));
        }
    }
    if unread.is_some() { Swept::Partly(calls) } else { Swept::Completely(calls) }
}

fn sweep_failed(ctx: &Context, view: &AccountView, links: &[(ObjectName, Link)], error: &Error) {
    tracing::warn!(
        tenant = view.account.id,
        error = error.message,
        class = error.class.as_str(),
        "a sweep could not read the back end"
    );
    for (backend, _) in links {
        ctx.backends.set_sweep_failure(backend, false, &error.message);
        let is_refused = error.class == Class::Unauthenticated;
        let trusted = if is_refused { ctx.options.probe_backoff.0 } else { Duration::ZERO };
        let doubt = ctx.backends.doubt(backend, trusted);
        if doubt == CredentialDoubt::New || !is_refused {
            ctx.queue.add(ObjectRef::backend(backend));
        }
    }
}

/// When many managed things vanish at once the snapshot is suspect: nothing is written until they are back or a user confirms.
fn check_snapshot(ctx: &Context, view: &AccountView, links: &[(ObjectName, Link)]) {
    struct Count<'a>(&'a AccountView, Vanished);
    impl Visitor for Count<'_> {
        fn visit<K: Resolve + Cached>(&mut self, object: Arc<K>) {
            let counted =
                self.0.with_snapshot(&Needs::default(), |snapshot| self.1.count(&*object, snapshot));
            debug_assert!(counted.is_some(), "a snapshot was read right before");
        }
    }
    let mut count = Count(view, Vanished::default());
    links.iter().for_each(|(backend, _)| ctx.caches.each_of(backend, &mut count));
    let found = count.1;
    // A confirmation counts until what vanished is created again: with a small budget that takes many sweeps.
    let confirmed = view.sweep_trigger.is_confirmed(found.is_suspicious());
    let why = (found.is_suspicious() && !confirmed).then(|| {
        let (namespace, backend) =
            links.first().map_or(("NAMESPACE", "NAME"), |(name, _)| (&*name.namespace, &*name.name));
        format!(
            "{} of {} managed things vanished from the back end at once, so nothing is written to it until they are visible again. If they \
             really were deleted, confirm it: kubectl annotate --overwrite -n {namespace} backend {backend} {}=\"$(date)\"",
            found.vanished,
            found.managed,
            annotations::RECONCILE_AT
        )
    });
    if view.set_suspicion(why) {
        for (backend, _) in links {
            ctx.queue.add(ObjectRef::backend(backend));
        }
    }
}

/// Counts the objects of a Backend, and enqueues those that differ from their status.
struct Compare<'a> {
    ctx: &'a Arc<Context>,
    link: &'a Link,
    counts: Counts,
}

impl Visitor for Compare<'_> {
    fn visit<K: Resolve + Cached>(&mut self, object: Arc<K>) {
        self.counts.objects += 1;
        self.counts.ready += i64::from(object.is_in_sync());
        for held in object.held() {
            *self.counts.held.entry(held.kind.clone()).or_default() += 1;
        }
        if self.differs(&*object) {
            self.ctx.queue.add(object.reference());
        }
    }
}

impl Compare<'_> {
    fn differs<K: Resolve + Cached>(&self, object: &K) -> bool {
        if object.is_being_deleted() && !object.has_finalizer() {
            return false;
        }
        let decision = self.ctx.decide(object, self.link);
        let Some(decision) = decision else { return true };
        if !decision.plan.to_read().is_empty() {
            return true;
        }
        decision.touched.iter().for_each(|object| self.ctx.queue.add(object.clone()));
        act::differs(object, self.link, &decision, self.ctx.is_contested(&object.reference()))
    }
}
