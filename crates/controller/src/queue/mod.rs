//! The work queue. One worker at a time reconciles an object, and once however often it was added meanwhile. A panic is a failure of
//! that object alone. [`Ready`] decides which object is next.

mod arrivals;
mod back_off;
mod group;
mod ready;
mod requests;
pub mod triggers;

use std::{
    collections::HashMap,
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use rolewright_reconcile::object::ObjectRef;
use tokio::{sync::mpsc, task::JoinSet, time::Instant};
use tokio_util::{
    sync::CancellationToken,
    time::{DelayQueue, delay_queue},
};

use self::ready::{Ready, Urgency};
pub use self::{
    arrivals::Arrivals,
    back_off::BackOff,
    group::{Group, SameAccount},
    requests::Requests,
};

/// Adds objects to the queue. Cheap to clone.
#[derive(Clone)]
pub struct Enqueue {
    sender: mpsc::UnboundedSender<Added>,
    is_open: Arc<AtomicBool>,
}

struct Added {
    object: ObjectRef,
    after: Duration,
    urgency: Urgency,
}

impl Enqueue {
    /// Requests a reconcile at once: a user waits for it.
    pub fn add(&self, object: ObjectRef) {
        self.send(object, Duration::ZERO, Urgency::Change);
    }

    /// Requests a reconcile that no user waits for.
    pub fn add_in_background(&self, object: ObjectRef) {
        self.send(object, Duration::ZERO, Urgency::Background);
    }

    /// Requests a reconcile after some time, if none comes earlier.
    pub fn add_after(&self, object: ObjectRef, time: Duration) {
        self.send(object, time, Urgency::Background);
    }

    fn send(&self, object: ObjectRef, after: Duration, urgency: Urgency) {
        if self.is_open.load(Ordering::Relaxed) {
            // The receiver is dropped only at shutdown.
            let _ = self.sender.send(Added { object, after, urgency });
        }
    }

    /// Accepts objects from now on. A follower reconciles nothing, so it collects nothing.
    pub fn open(&self) {
        self.is_open.store(true, Ordering::Relaxed);
    }
}

/// The receiving half.
pub struct Queue {
    receiver: mpsc::UnboundedReceiver<Added>,
    delayed: DelayQueue<ObjectRef>,
    slots: HashMap<ObjectRef, Slot>,
    ready: Ready<Group>,
}

#[derive(Default)]
struct Slot {
    /// Set while the object waits for its time.
    timer: Option<(delay_queue::Key, Instant)>,
    /// Set while the object waits for a worker: of which group, and how urgently.
    waits: Option<(Group, Urgency)>,
    /// Set while a worker has it: a worker of which group.
    runs: Option<Group>,
    /// The earliest request that arrived while a worker had it.
    requeue: Option<(Instant, Urgency)>,
}

/// How the queue reconciles objects.
pub trait Work: Send + Sync + 'static {
    /// The group whose workers reconcile an object.
    fn group(&self, object: &ObjectRef) -> Group;

    /// Whether somebody has a role for longer than an object says: its reconcile comes first.
    fn is_overdue(&self, object: &ObjectRef) -> bool;

    /// Reconciles an object. Returns the time until the next reconcile, if any.
    fn reconcile(&self, object: ObjectRef) -> impl Future<Output = Option<Duration>> + Send + 'static;

    /// The time until the next reconcile of an object whose reconcile panicked.
    fn panicked(&self, object: &ObjectRef) -> Duration;
}

/// A queue and the handle that adds to it.
pub fn queue() -> (Enqueue, Queue) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let queue =
        Queue { receiver, delayed: DelayQueue::new(), slots: HashMap::new(), ready: Ready::default() };
    (Enqueue { sender, is_open: Arc::default() }, queue)
}

impl Queue {
    /// Reconciles objects, at most `max` at a time, until `stop`; then waits for those under way.
    pub async fn run(mut self, max: usize, stop: CancellationToken, work: impl Work) {
        let mut running: JoinSet<(ObjectRef, Option<Duration>)> = JoinSet::new();
        let mut tasks: HashMap<tokio::task::Id, ObjectRef> = HashMap::new();
        loop {
            // The choice of the next object needs all requests: a Role that was requested last comes before a binding that waits for it.
            while let Ok(added) = self.receiver.try_recv() {
                self.add(&work, added);
            }
            while running.len() < max && !stop.is_cancelled() {
                let Some((group, object)) = self.ready.pop(Group::workers) else { break };
                let slot = self.slots.entry(object.clone()).or_default();
                let waited = slot.waits.take();
                if let Some((_, urgency)) = waited.filter(|_| work.group(&object) != group) {
                    // Its Backend connected to another account while it waited.
                    self.ready.finish(&group);
                    self.make_ready(&work, object, urgency);
                    continue;
                }
                slot.runs = Some(group);
                let task = work.reconcile(object.clone());
                let handle = running.spawn({
                    let object = object.clone();
                    async move { (object, task.await) }
                });
                tasks.insert(handle.id(), object);
            }
            // What is done comes first: it makes room.
            tokio::select! {
                biased;
                () = stop.cancelled() => break,
                Some(done) = running.join_next_with_id(), if !running.is_empty() => {
                    let (object, requeue_after) = match done {
                        Ok((id, (object, requeue_after))) => {
                            tasks.remove(&id);
                            (object, requeue_after)
                        }
                        Err(error) => {
                            let Some(object) = tasks.remove(&error.id()) else { continue };
                            let requeue_after = work.panicked(&object);
                            (object, Some(requeue_after))
                        }
                    };
                    self.finish(&work, object, requeue_after);
                }
                Some(expired) = std::future::poll_fn(|cx| self.delayed.poll_expired(cx)), if !self.delayed.is_empty() => {
                    self.request(&work, expired.into_inner(), Instant::now(), Urgency::Background);
                }
                Some(added) = self.receiver.recv() => self.add(&work, added),
            }
        }
        while running.join_next().await.is_some() {}
    }

    fn add(&mut self, work: &impl Work, Added { object, after, urgency }: Added) {
        self.request(work, object, Instant::now() + after, urgency);
    }

    fn request(&mut self, work: &impl Work, object: ObjectRef, at: Instant, urgency: Urgency) {
        let urgency = if work.is_overdue(&object) { Urgency::Overdue } else { urgency };
        let slot = self.slots.entry(object.clone()).or_default();
        if slot.runs.is_some() {
            let known = slot.requeue.unwrap_or((at, urgency));
            slot.requeue = Some((known.0.min(at), known.1.max(urgency)));
        } else if let Some((group, known)) = &mut slot.waits {
            if urgency > *known {
                *known = urgency;
                self.ready.push(group.clone(), object, urgency);
            }
        } else if at <= Instant::now() {
            self.make_ready(work, object, urgency);
        } else if slot.timer.as_ref().is_none_or(|(_, known)| at < *known) {
            if let Some((key, _)) = slot.timer.take() {
                self.delayed.remove(&key);
            }
            let key = self.delayed.insert_at(object, at);
            slot.timer = Some((key, at));
        }
    }

    fn make_ready(&mut self, work: &impl Work, object: ObjectRef, urgency: Urgency) {
        let slot = self.slots.entry(object.clone()).or_default();
        if let Some((key, _)) = slot.timer.take() {
            // The timer can have expired already.
            self.delayed.try_remove(&key);
        }
        let group = work.group(&object);
        slot.waits = Some((group.clone(), urgency));
        self.ready.push(group, object, urgency);
    }

    /// Returns the memory of a burst: an empty table would keep the size that it needed for all objects at once.
    fn shrink(&mut self) {
        const KEPT: usize = 1024;
        if self.slots.capacity() > KEPT && self.slots.len() < self.slots.capacity() / 8 {
            self.slots.shrink_to(KEPT);
        }
    }

    fn finish(&mut self, work: &impl Work, object: ObjectRef, requeue_after: Option<Duration>) {
        let Some(slot) = self.slots.get_mut(&object) else { return };
        if let Some(group) = slot.runs.take() {
            self.ready.finish(&group);
        }
        let returned = requeue_after.map(|time| (Instant::now() + time, Urgency::Background));
        match (slot.requeue.take(), returned) {
            (None, None) => {
                self.slots.remove(&object);
                self.shrink();
            }
            (Some((at, urgency)), None) | (None, Some((at, urgency))) => {
                self.request(work, object, at, urgency);
            }
            (Some((at, urgency)), Some((later, _))) => self.request(work, object, at.min(later), urgency),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use rolewright_reconcile::object::{ObjectKind, ObjectName};
    use tokio::sync::Notify;

    use super::*;

    fn object(name: &str) -> ObjectRef {
        ObjectRef { kind: ObjectKind::Role, name: ObjectName::new("ns", name) }
    }

    /// All objects are in one group.
    struct OneGroup<F>(F);

    impl<F, R> Work for OneGroup<F>
    where
        F: Fn(ObjectRef) -> R + Send + Sync + 'static,
        R: Future<Output = Option<Duration>> + Send + 'static,
    {
        fn group(&self, _: &ObjectRef) -> Group {
            Group::Unconnected(ObjectName::new("ns", "b"))
        }

        fn is_overdue(&self, _: &ObjectRef) -> bool {
            false
        }

        fn reconcile(&self, object: ObjectRef) -> impl Future<Output = Option<Duration>> + Send + 'static {
            (self.0)(object)
        }

        fn panicked(&self, _: &ObjectRef) -> Duration {
            Duration::ZERO
        }
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
        let running = tokio::spawn(queue.run(4, stop.clone(), OneGroup(reconcile)));
        done.notified().await;
        stop.cancel();
        running.await.unwrap();
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn role_requested_last_is_reconciled_first() {
        let (enqueue, queue) = queue();
        enqueue.open();
        let stop = CancellationToken::new();
        let (sender, mut seen) = mpsc::unbounded_channel();
        let reconcile = move |object: ObjectRef| {
            let sender = sender.clone();
            async move {
                sender.send(object.kind).unwrap();
                None
            }
        };
        enqueue.add_in_background(ObjectRef { kind: ObjectKind::RoleBinding, ..object("b") });
        enqueue.add(object("a"));
        let running = tokio::spawn(queue.run(1, stop.clone(), OneGroup(reconcile)));
        assert_eq!(seen.recv().await, Some(ObjectKind::Role));
        assert_eq!(seen.recv().await, Some(ObjectKind::RoleBinding));
        stop.cancel();
        running.await.unwrap();
    }

    /// Objects are in the group with this name.
    struct NamedGroup<F>(Arc<parking_lot::Mutex<&'static str>>, F);

    impl<F, R> Work for NamedGroup<F>
    where
        F: Fn(ObjectRef) -> R + Send + Sync + 'static,
        R: Future<Output = Option<Duration>> + Send + 'static,
    {
        fn group(&self, _: &ObjectRef) -> Group {
            Group::Unconnected(ObjectName::new("ns", *self.0.lock()))
        }

        fn is_overdue(&self, _: &ObjectRef) -> bool {
            false
        }

        fn reconcile(&self, object: ObjectRef) -> impl Future<Output = Option<Duration>> + Send + 'static {
            (self.1)(object)
        }

        fn panicked(&self, _: &ObjectRef) -> Duration {
            Duration::ZERO
        }
    }

    #[tokio::test]
    async fn object_that_waits_moves_to_its_new_group() {
        let (enqueue, queue) = queue();
        enqueue.open();
        let stop = CancellationToken::new();
        let (sender, mut started) = mpsc::unbounded_channel();
        let ends: Arc<HashMap<&str, Notify>> =
            Arc::new(["1", "2", "3"].map(|name| (name, Notify::new())).into());
        let reconcile = {
            let ends = ends.clone();
            move |object: ObjectRef| {
                let (sender, ends) = (sender.clone(), ends.clone());
                async move {
                    sender.send(object.name.name.to_string()).unwrap();
                    ends[&*object.name.name].notified().await;
                    None
                }
            }
        };
        let group = Arc::new(parking_lot::Mutex::new("unconnected"));
        let running = tokio::spawn(queue.run(4, stop.clone(), NamedGroup(group.clone(), reconcile)));
        enqueue.add(object("1"));
        assert_eq!(started.recv().await.unwrap(), "1");
        enqueue.add(object("2"));
        tokio::task::yield_now().await;
        *group.lock() = "connected";
        enqueue.add(object("3"));
        assert_eq!(started.recv().await.unwrap(), "3");
        ends["1"].notify_one();
        for _ in 0..10 {
            tokio::task::yield_now().await;
            assert!(started.is_empty(), "the one worker of the new group is busy");
        }
        ends["3"].notify_one();
        assert_eq!(started.recv().await.unwrap(), "2");
        ends["2"].notify_one();
        stop.cancel();
        running.await.unwrap();
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
        let running = tokio::spawn(queue.run(4, stop.clone(), OneGroup(reconcile)));
        let mut names = vec![seen.recv().await.unwrap(), seen.recv().await.unwrap()];
        names.sort();
        assert_eq!(names, ["bad", "good"]);
        stop.cancel();
        running.await.unwrap();
    }
}
