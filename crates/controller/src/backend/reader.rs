//! The reader: one task for each view, the only one that reads snapshots. It reads at each interval and on request, publishes what it read
//! after it was judged, and wakes the objects that waited for it.

use std::{
    panic::AssertUnwindSafe,
    sync::{Arc, Weak},
    time::Duration,
};

use futures::FutureExt;
use rolewright_backends::{Class, Error, metered};
use rolewright_reconcile::{
    account::{AccountView, Link, Published, Reader, Withheld, min_interval, read_next_outline},
    decide::Vanished,
    object::{ObjectKind, ObjectName, ObjectRef},
};
use tokio::time::Instant;

use super::{judge::judge, sweep};
use crate::context::Context;

/// Starts the task of a view, once. Later, a failed read is repeated at once, and so is one that no Backend needed for a while
/// (`was_idle`). The task ends with the view.
pub fn start(ctx: &Arc<Context>, view: &Arc<AccountView>, was_idle: bool) {
    if view.reader.start_once() {
        ctx.spawn(supervise(ctx.clone(), Arc::downgrade(view), view.reader.clone()));
    } else if was_idle {
        view.reader.hurry();
    } else {
        view.reader.retry();
    }
}

/// Restarts the task after a panic, which then costs one read and not all later ones.
async fn supervise(ctx: Arc<Context>, view: Weak<AccountView>, reader: Arc<Reader>) {
    let mut wait = Duration::from_secs(10);
    while AssertUnwindSafe(run(&ctx, &view, &reader)).catch_unwind().await.is_err() {
        let account = view.upgrade().map(|view| view.account.id.to_string());
        tracing::error!(tenant = account, "a sweep panicked");
        ctx.metrics.panic(ObjectKind::Backend);
        tokio::time::sleep(wait).await;
        wait = (wait * 2).min(Duration::from_secs(600));
    }
}

async fn run(ctx: &Arc<Context>, view: &Weak<AccountView>, reader: &Reader) {
    let mut memory = Memory::default();
    loop {
        let wait = {
            let Some(view) = view.upgrade() else { return };
            memory.read(ctx, &view).await
        };
        let jitter = wait.mul_f64(fastrand::f64() * 0.05);
        reader.wait(Instant::now() + wait + jitter).await;
    }
}

/// The result of one sweep.
struct Swept {
    calls: u64,
    is_complete: bool,
}

/// What one read leaves to the next.
#[derive(Default)]
struct Memory {
    failures: u32,
    acknowledged: Vanished,
}

impl Memory {
    /// Reads once. Returns the time until the next read.
    async fn read(&mut self, ctx: &Arc<Context>, view: &Arc<AccountView>) -> Duration {
        const IDLE: Duration = Duration::from_secs(60);
        let links = ctx.backends.links_of(view);
        // Without a Backend that is ready, only objects that are deleted together with their Backend need a read.
        let interval = links.iter().map(|(_, link)| link.interval).min().unwrap_or(IDLE);
        if links.is_empty() && !view.reader.is_awaited() {
            return IDLE;
        }
        let started = Instant::now();
        let read = self.sweep(ctx, view, &links).await;
        let is_complete = matches!(read, Ok(Swept { is_complete: true, .. }));
        ctx.metrics.sweep(started.elapsed(), is_complete);
        match read {
            Ok(Swept { calls, is_complete }) => {
                let period = if is_complete { interval } else { self.back_off(interval).min(interval) };
                if is_complete {
                    self.failures = 0;
                }
                // Counted from start to start. A slow back end gets a break too.
                period.max(min_interval(calls, view)).saturating_sub(started.elapsed()).max(interval / 10)
            }
            Err(Error { class: Class::Throttled(pause), .. }) => self.back_off(interval).max(pause),
            Err(_) => self.back_off(interval),
        }
    }

    async fn sweep(
        &mut self,
        ctx: &Arc<Context>,
        view: &Arc<AccountView>,
        links: &[(ObjectName, Link)],
    ) -> Result<Swept, Error> {
        let read = view.begin_read(sweep::needs(ctx, links));
        let began = read.begun;
        let snapshot = view.backend.snapshot(&read.needs);
        let (snapshot, calls) = metered(view.reader.priority.clone(), snapshot).await;
        let snapshot = match snapshot {
            Ok(snapshot) => snapshot,
            Err(error) => {
                enqueue(ctx, view.withhold(began, Withheld::Failed(error.clone())));
                sweep::report_failure(ctx, view, links, &error);
                return Err(error);
            }
        };
        let Published { is_trusted, is_wider, changed } =
            view.publish(read, snapshot, |snapshot| judge(ctx, links, snapshot, &mut self.acknowledged));
        if is_trusted {
            view.account.unanswered.prune(began);
            if is_wider {
                sweep::register_claims(ctx, links);
            }
            enqueue(ctx, view.open(began));
        } else if let Some(why) = view.suspicion() {
            links.iter().for_each(|(backend, _)| ctx.backends.set_sweep_failure(backend, false, &why));
            enqueue(ctx, view.withhold(began, Withheld::Suspect(why)));
        }
        if changed {
            links.iter().for_each(|(backend, _)| ctx.queue.add(ObjectRef::backend(backend)));
        }
        if !is_trusted {
            return Ok(Swept { calls, is_complete: false });
        }
        let ((), more) = metered(view.reader.priority.clone(), read_next_outline(view)).await;
        let calls = calls + more;
        let unread = view.unread();
        if let Some(unread) = &unread {
            tracing::warn!(
                tenant = view.account.id.as_str(),
                unread,
                "a sweep could not read the whole back end"
            );
        }
        sweep::compare(ctx, view, links, unread.as_deref(), calls, began).await;
        Ok(Swept { calls, is_complete: unread.is_none() })
    }

    /// The time until the next read after one more that was not complete.
    fn back_off(&mut self, interval: Duration) -> Duration {
        const FIRST: Duration = Duration::from_secs(1);
        let wait = FIRST.saturating_mul(2_u32.saturating_pow(self.failures.min(10)));
        self.failures += 1;
        wait.min(interval.max(Duration::from_secs(300)))
    }
}

fn enqueue(ctx: &Context, objects: Vec<ObjectRef>) {
    objects.into_iter().for_each(|object| ctx.queue.add(object));
}
