//! The work queue. One worker at a time reconciles an object, and once however often it was added meanwhile. A panic is a failure of
//! that object alone.

mod back_off;
mod requests;
pub mod triggers;

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use rolewright_reconcile::object::{ObjectKind, ObjectRef};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::{
    sync::CancellationToken,
    time::{DelayQueue, delay_queue},
};

pub use self::{back_off::BackOff, requests::Requests};

/// Adds objects to the queue. Cheap to clone.
#[derive(Clone)]
pub struct Enqueue {
    sender: mpsc::UnboundedSender<(ObjectRef, Duration)>,
    is_open: Arc<AtomicBool>,
}

impl Enqueue {
    /// Requests a reconcile at once.
    pub fn add(&self, object: ObjectRef) {
        self.add_after(object, Duration::ZERO);
    }

    /// Requests a reconcile after some time, if none comes earlier.
    pub fn add_after(&self, object: ObjectRef, time: Duration) {
        if self.is_open.load(Ordering::Relaxed) {
            // The receiver is dropped only at shutdown.
            let _ = self.sender.send((object, time));
        }
    }

    /// Accepts objects from now on. A follower reconciles nothing, so it collects nothing.
    pub fn open(&self) {
        self.is_open.store(true, Ordering::Relaxed);
    }
}

/// The receiving half.
pub struct Queue {
    receiver: mpsc::UnboundedReceiver<(ObjectRef, Duration)>,
    delayed: DelayQueue<ObjectRef>,
    slots: HashMap<ObjectRef, Slot>,
    /// By [`lane`]: those that others wait for come first.
    ready: [VecDeque<ObjectRef>; 3],
}

#[derive(Default)]
struct Slot {
    /// Set while the object waits for its time.
    timer: Option<(delay_queue::Key, Instant)>,
    /// Set while the object waits for a worker.
    is_ready: bool,
    /// Set while a worker has it.
    is_running: bool,
    /// The earliest request that arrived while a worker had it.
    requeue_at: Option<Instant>,
}

/// Objects wait for their Backends and bindings for their roles, never the other way round.
fn lane(kind: ObjectKind) -> usize {
    match kind {
        ObjectKind::Backend => 0,
        ObjectKind::Role => 1,
        ObjectKind::RoleBinding | ObjectKind::ResourceRestriction => 2,
    }
}

/// A queue and the handle that adds to it.
pub fn queue() -> (Enqueue, Queue) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let queue =
        Queue { receiver, delayed: DelayQueue::new(), slots: HashMap::new(), ready: Default::default() };
    (Enqueue { sender, is_open: Arc::default() }, queue)
}

impl Queue {
    /// Reconciles objects, at most `workers` at a time, until `stop`; then waits for those under way.
    ///
    /// `reconcile` returns the time until the next reconcile, if any. `panicked` returns it for an object whose reconcile panicked.
    pub async fn run<F, R>(
        mut self,
        workers: usize,
        stop: CancellationToken,
        reconcile: R,
        panicked: impl Fn(&ObjectRef) -> Duration,
    ) where
        R: Fn(ObjectRef) -> F,
        F: Future<Output = Option<Duration>> + Send + 'static,
    {
        let mut running: JoinSet<(ObjectRef, Option<Duration>)> = JoinSet::new();
        let mut tasks: HashMap<tokio::task::Id, ObjectRef> = HashMap::new();
        loop {
            while running.len() < workers && !stop.is_cancelled() {
                let Some(object) = self.next() else { break };
                let slot = self.slots.entry(object.clone()).or_default();
                slot.is_ready = false;
                slot.is_running = true;
                let task = reconcile(object.clone());
                let handle = running.spawn({
                    let object = object.clone();
                    async move { (object, task.await) }
                });
                tasks.insert(handle.id(), object);
            }
            tokio::select! {
                () = stop.cancelled() => break,
                Some((object, time)) = self.receiver.recv() => self.request(object, Instant::now() + time),
                Some(expired) = std::future::poll_fn(|cx| self.delayed.poll_expired(cx)), if !self.delayed.is_empty() => {
                    self.make_ready(expired.into_inner());
                }
                Some(done) = running.join_next_with_id(), if !running.is_empty() => {
                    let (object, requeue_after) = match done {
                        Ok((id, (object, requeue_after))) => {
                            tasks.remove(&id);
                            (object, requeue_after)
                        }
                        Err(error) => {
                            let Some(object) = tasks.remove(&error.id()) else { continue };
                            let requeue_after = panicked(&object);
                            (object, Some(requeue_after))
                        }
                    };
                    self.finish(object, requeue_after);
                }
            }
        }
        while running.join_next().await.is_some() {}
    }

    fn request(&mut self, object: ObjectRef, at: Instant) {
        let slot = self.slots.entry(object.clone()).or_default();
        if slot.is_running {
            slot.requeue_at = Some(slot.requeue_at.map_or(at, |earlier| earlier.min(at)));
        } else if slot.is_ready {
        } else if at <= Instant::now() {
            self.make_ready(object);
        } else if slot.timer.as_ref().is_none_or(|(_, known)| at < *known) {
            if let Some((key, _)) = slot.timer.take() {
                self.delayed.remove(&key);
            }
            let key = self.delayed.insert_at(object, at.into());
            slot.timer = Some((key, at));
        }
    }

    fn next(&mut self) -> Option<ObjectRef> {
        self.ready.iter_mut().find_map(VecDeque::pop_front)
    }

    fn make_ready(&mut self, object: ObjectRef) {
        let slot = self.slots.entry(object.clone()).or_default();
        if let Some((key, _)) = slot.timer.take() {
            // The timer can have expired already.
            self.delayed.try_remove(&key);
        }
        slot.is_ready = true;
        self.ready[lane(object.kind)].push_back(object);
    }

    fn finish(&mut self, object: ObjectRef, requeue_after: Option<Duration>) {
        let Some(slot) = self.slots.get_mut(&object) else { return };
        slot.is_running = false;
        let requested = slot.requeue_at.take();
        let returned = requeue_after.map(|time| Instant::now() + time);
        match (requested, returned) {
            (None, None) => {
                self.slots.remove(&object);
            }
            (Some(at), None) | (None, Some(at)) => self.request(object, at),
            (Some(a), Some(b)) => self.request(object, a.min(b)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use rolewright_reconcile::object::ObjectName;
    use tokio::sync::Notify;

    use super::*;

    fn object(name: &str) -> ObjectRef {
        ObjectRef { kind: ObjectKind::Role, name: ObjectName::new("ns", name) }
    }

    #[tokio::test]
    async fn an_object_added_while_running_runs_once_more() {
        let (enqueue, queue) = queue();
        enqueue.open();
        let stop = CancellationToken::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let done = Arc::new(Notify::new());
        let reconcile = {
            let (enqueue, runs, done) = (enqueue.clone(), runs.clone(), done.clone());
            move |object: ObjectRef| {
                let (enqueue, runs, done) = (enqueue.clone(), runs.clone(), done.clone());
                async move {
                    if runs.fetch_add(1, Ordering::SeqCst) == 0 {
                        enqueue.add(object.clone());
                        enqueue.add(object);
                        tokio::task::yield_now().await;
                    } else {
                        done.notify_one();
                    }
                    None
                }
            }
        };
        enqueue.add(object("a"));
        let running = tokio::spawn(queue.run(4, stop.clone(), reconcile, |_| Duration::ZERO));
        done.notified().await;
        stop.cancel();
        running.await.unwrap();
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_panic_fails_that_object_alone() {
        let (enqueue, queue) = queue();
        enqueue.open();
        let stop = CancellationToken::new();
        let (sender, mut seen) = mpsc::unbounded_channel();
        let first = Arc::new(AtomicUsize::new(0));
        let reconcile = move |object: ObjectRef| {
            let (sender, first) = (sender.clone(), first.clone());
            async move {
                if &*object.name.name == "bad" && first.fetch_add(1, Ordering::SeqCst) == 0 {
                    panic!("only for this test");
                }
                sender.send(object.name.name.to_string()).unwrap();
                None
            }
        };
        enqueue.add(object("bad"));
        enqueue.add(object("good"));
        let running = tokio::spawn(queue.run(1, stop.clone(), reconcile, |_| Duration::ZERO));
        let mut names = vec![seen.recv().await.unwrap(), seen.recv().await.unwrap()];
        names.sort();
        assert_eq!(names, ["bad", "good"]);
        stop.cancel();
        running.await.unwrap();
    }

    #[tokio::test]
    async fn dependencies_run_first() {
        use ObjectKind::{Backend, ResourceRestriction, Role, RoleBinding};
        let (_enqueue, mut queue) = queue();
        for kind in [RoleBinding, Role, ResourceRestriction, Backend] {
            queue.request(ObjectRef { kind, ..object("a") }, Instant::now());
        }
        let order: Vec<ObjectKind> = std::iter::from_fn(|| queue.next()).map(|object| object.kind).collect();
        assert_eq!(order, [Backend, Role, RoleBinding, ResourceRestriction]);
    }
}
