//! The work queue: which object is looked at next. An object is looked at by one worker at a time, and once however often it was
//! woken; each has a back-off of its own; a panic is an error of that object alone.

use std::{
    collections::{HashMap, VecDeque},
    future::Future,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::{
    sync::CancellationToken,
    time::{DelayQueue, delay_queue},
};

use super::cache::Name;

/// What can be worked on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A connection.
    Backend,
    /// A role.
    Role,
    /// A role's holders.
    RoleBinding,
    /// A closed resource.
    ResourceRestriction,
}

impl Kind {
    /// The kind's name in the Kubernetes API.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Backend => "Backend",
            Kind::Role => "Role",
            Kind::RoleBinding => "RoleBinding",
            Kind::ResourceRestriction => "ResourceRestriction",
        }
    }
}

/// One object to work on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Item {
    /// Its kind.
    pub kind: Kind,
    /// Its namespace and name.
    pub name: Name,
}

impl std::fmt::Display for Item {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.kind.as_str(), self.name)
    }
}

/// Wakes objects. Cheap to clone.
#[derive(Clone)]
pub struct Waker {
    sender: mpsc::UnboundedSender<(Item, Duration)>,
    awake: Arc<AtomicBool>,
}

impl Waker {
    /// Asks for a look at once.
    pub fn wake(&self, item: Item) {
        self.wake_after(item, Duration::ZERO);
    }

    /// Asks for a look after some time, if none comes earlier.
    pub fn wake_after(&self, item: Item, time: Duration) {
        if self.awake.load(Ordering::Relaxed) {
            // The receiver goes only at shutdown, when nothing is looked at any more.
            let _ = self.sender.send((item, time));
        }
    }

    /// From now on objects are looked at. Before, as a follower, nobody would be there to do it.
    pub fn rise(&self) {
        self.awake.store(true, Ordering::Relaxed);
    }
}

/// The receiving half.
pub struct Queue {
    receiver: mpsc::UnboundedReceiver<(Item, Duration)>,
    waiting: DelayQueue<Item>,
    slots: HashMap<Item, Slot>,
    /// In the order of [`lane`]: first what others wait for, so that these need not be looked at in vain.
    ready: [VecDeque<Item>; 3],
}

#[derive(Default)]
struct Slot {
    /// Set while the object waits for its time.
    timer: Option<(delay_queue::Key, Instant)>,
    /// Set while the object stands in line for a worker.
    in_line: bool,
    /// Set while a worker has it.
    running: bool,
    /// What was asked for while a worker had it.
    again: Option<Instant>,
}

/// Objects wait for their Backends, bindings for their roles, and never the other way round.
fn lane(kind: Kind) -> usize {
    match kind {
        Kind::Backend => 0,
        Kind::Role => 1,
        Kind::RoleBinding | Kind::ResourceRestriction => 2,
    }
}

/// A queue and its waker.
pub fn queue() -> (Waker, Queue) {
    let (sender, receiver) = mpsc::unbounded_channel();
    let queue =
        Queue { receiver, waiting: DelayQueue::new(), slots: HashMap::new(), ready: Default::default() };
    (Waker { sender, awake: Arc::default() }, queue)
}

impl Queue {
    /// Works on objects, at most `workers` at a time, until `stop`; then lets those under way finish.
    ///
    /// `work` gives the time after which it wants to look again, if at all. `panicked` is called for an object whose work panicked.
    pub async fn run<F, W>(
        mut self,
        workers: usize,
        stop: CancellationToken,
        work: W,
        panicked: impl Fn(&Item) -> Duration,
    ) where
        W: Fn(Item) -> F,
        F: Future<Output = Option<Duration>> + Send + 'static,
    {
        let mut running: JoinSet<(Item, Option<Duration>)> = JoinSet::new();
        let mut tasks: HashMap<tokio::task::Id, Item> = HashMap::new();
        loop {
            while running.len() < workers && !stop.is_cancelled() {
                let Some(item) = self.next() else { break };
                let slot = self.slots.entry(item.clone()).or_default();
                slot.in_line = false;
                slot.running = true;
                let task = work(item.clone());
                let handle = running.spawn({
                    let item = item.clone();
                    async move { (item, task.await) }
                });
                tasks.insert(handle.id(), item);
            }
            tokio::select! {
                () = stop.cancelled() => break,
                Some((item, time)) = self.receiver.recv() => self.ask(item, Instant::now() + time),
                Some(expired) = std::future::poll_fn(|cx| self.waiting.poll_expired(cx)), if !self.waiting.is_empty() => {
                    self.stand_in_line(expired.into_inner());
                }
                Some(done) = running.join_next_with_id(), if !running.is_empty() => {
                    let (item, again) = match done {
                        Ok((id, (item, again))) => {
                            tasks.remove(&id);
                            (item, again)
                        }
                        Err(error) => {
                            let Some(item) = tasks.remove(&error.id()) else { continue };
                            let again = panicked(&item);
                            (item, Some(again))
                        }
                    };
                    self.done(item, again);
                }
            }
        }
        while running.join_next().await.is_some() {}
    }

    fn ask(&mut self, item: Item, at: Instant) {
        let slot = self.slots.entry(item.clone()).or_default();
        if slot.running {
            slot.again = Some(slot.again.map_or(at, |earlier| earlier.min(at)));
        } else if slot.in_line {
        } else if at <= Instant::now() {
            self.stand_in_line(item);
        } else if slot.timer.as_ref().is_none_or(|(_, known)| at < *known) {
            if let Some((key, _)) = slot.timer.take() {
                self.waiting.remove(&key);
            }
            let key = self.waiting.insert_at(item, at.into());
            slot.timer = Some((key, at));
        }
    }

    fn next(&mut self) -> Option<Item> {
        self.ready.iter_mut().find_map(VecDeque::pop_front)
    }

    fn stand_in_line(&mut self, item: Item) {
        let slot = self.slots.entry(item.clone()).or_default();
        if let Some((key, _)) = slot.timer.take() {
            // It may be the timer that has just run out.
            self.waiting.try_remove(&key);
        }
        slot.in_line = true;
        self.ready[lane(item.kind)].push_back(item);
    }

    fn done(&mut self, item: Item, again: Option<Duration>) {
        let Some(slot) = self.slots.get_mut(&item) else { return };
        slot.running = false;
        let asked = slot.again.take();
        let wanted = again.map(|time| Instant::now() + time);
        match (asked, wanted) {
            (None, None) => {
                self.slots.remove(&item);
            }
            (Some(at), None) | (None, Some(at)) => self.ask(item, at),
            (Some(a), Some(b)) => self.ask(item, a.min(b)),
        }
    }
}

/// Remembers per object how often work on it failed in a row.
#[derive(Clone, Default)]
pub struct Failures {
    counts: Arc<Mutex<HashMap<Item, Row>>>,
}

/// Failures in a row, and until when the plan that failed is not to be tried again.
struct Row {
    failures: u32,
    until: Instant,
    plan: Option<String>,
}

impl Failures {
    /// Counts one more failure. Gives the time to wait: from `first`, doubled with each failure, at most `most`, with jitter of a quarter.
    pub fn next(&self, item: &Item, first: Duration, most: Duration) -> Duration {
        let mut counts = self.counts.lock();
        let row =
            counts.entry(item.clone()).or_insert(Row { failures: 0, until: Instant::now(), plan: None });
        let time = first.saturating_mul(2_u32.saturating_pow(row.failures)).min(most);
        let time = time.mul_f64(fastrand::f64().mul_add(0.25, 0.875));
        row.failures = row.failures.saturating_add(1);
        row.until = Instant::now() + time;
        time
    }

    /// Remembers which plan it was that failed.
    pub fn tried(&self, item: &Item, plan: &str) {
        if let Some(row) = self.counts.lock().get_mut(item) {
            row.plan = Some(plan.to_owned());
        }
    }

    /// How long a plan is still to be left alone, if it is the one that failed.
    pub fn rest(&self, item: &Item, plan: &str) -> Option<Duration> {
        let counts = self.counts.lock();
        let row = counts.get(item).filter(|row| row.plan.as_deref() == Some(plan))?;
        let rest = row.until.saturating_duration_since(Instant::now());
        (!rest.is_zero()).then_some(rest)
    }

    /// Work on the object succeeded.
    pub fn clear(&self, item: &Item) {
        self.counts.lock().remove(item);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use tokio::sync::Notify;

    use super::*;

    fn item(name: &str) -> Item {
        Item { kind: Kind::Role, name: Name::new("ns", name) }
    }

    #[tokio::test]
    async fn an_object_woken_while_it_is_worked_on_is_looked_at_once_more() {
        let (waker, queue) = queue();
        waker.rise();
        let stop = CancellationToken::new();
        let runs = Arc::new(AtomicUsize::new(0));
        let done = Arc::new(Notify::new());
        let work = {
            let (waker, runs, done) = (waker.clone(), runs.clone(), done.clone());
            move |item: Item| {
                let (waker, runs, done) = (waker.clone(), runs.clone(), done.clone());
                async move {
                    if runs.fetch_add(1, Ordering::SeqCst) == 0 {
                        waker.wake(item.clone());
                        waker.wake(item);
                        tokio::task::yield_now().await;
                    } else {
                        done.notify_one();
                    }
                    None
                }
            }
        };
        waker.wake(item("a"));
        let running = tokio::spawn(queue.run(4, stop.clone(), work, |_| Duration::ZERO));
        done.notified().await;
        stop.cancel();
        running.await.unwrap();
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    }

    #[tokio::test]
    async fn a_panic_is_an_error_of_that_object_alone() {
        let (waker, queue) = queue();
        waker.rise();
        let stop = CancellationToken::new();
        let (sender, mut seen) = mpsc::unbounded_channel();
        let first = Arc::new(AtomicUsize::new(0));
        let work = move |item: Item| {
            let (sender, first) = (sender.clone(), first.clone());
            async move {
                if &*item.name.name == "bad" && first.fetch_add(1, Ordering::SeqCst) == 0 {
                    panic!("only for this test");
                }
                sender.send(item.name.name.to_string()).unwrap();
                None
            }
        };
        waker.wake(item("bad"));
        waker.wake(item("good"));
        let running = tokio::spawn(queue.run(1, stop.clone(), work, |_| Duration::ZERO));
        let mut names = vec![seen.recv().await.unwrap(), seen.recv().await.unwrap()];
        names.sort();
        assert_eq!(names, ["bad", "good"]);
        stop.cancel();
        running.await.unwrap();
    }

    #[tokio::test]
    async fn what_others_wait_for_is_looked_at_first() {
        use Kind::{Backend, ResourceRestriction, Role, RoleBinding};
        let (_waker, mut queue) = queue();
        for kind in [RoleBinding, Role, ResourceRestriction, Backend] {
            queue.ask(Item { kind, ..item("a") }, Instant::now());
        }
        let order: Vec<Kind> = std::iter::from_fn(|| queue.next()).map(|item| item.kind).collect();
        assert_eq!(order, [Backend, Role, RoleBinding, ResourceRestriction]);
    }

    #[test]
    fn each_failure_in_a_row_doubles_the_wait_up_to_the_most() {
        let failures = Failures::default();
        let wait =
            |_| failures.next(&item("a"), Duration::from_secs(1), Duration::from_secs(8)).as_secs_f64();
        let waits: Vec<f64> = (0..6).map(wait).collect();
        assert!(waits[0] < 1.2 && waits[2] > 3.4 && waits[5] < 9.1, "{waits:?}");
    }
}
