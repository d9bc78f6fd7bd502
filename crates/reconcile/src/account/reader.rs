//! Requests to the reader of a view: the only task that reads snapshots.
//!
//! An object that needs a newer snapshot does not wait in a worker. It is parked here, and enqueued again when a read ended. One read
//! serves all objects that were parked before it began, and a failed read is repeated once for all of them.

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicBool, Ordering},
};

use parking_lot::Mutex;
use rolewright_backends::{Error, Needs, Priority, Raised};
use rolewright_core::model::{Id, Kind};
use tokio::{sync::Notify, time::Instant};

use crate::object::ObjectRef;

/// Whether the snapshot serves an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Access {
    /// It does.
    Served,
    /// Not yet: the reader enqueues the object after the next read.
    Parked,
    /// The last read brought no snapshot. The reader enqueues the object when one does.
    Withheld(Withheld),
}

/// Why a read brought no snapshot.
#[derive(Clone, Debug, PartialEq)]
pub enum Withheld {
    /// The back end could not be read.
    Failed(Error),
    /// Too much vanished at once for the result to be trusted.
    Suspect(String),
}

impl Withheld {
    /// Whether an object that reported one has nothing new to report of the other.
    fn reads_like(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Failed(one), Self::Failed(other)) => {
                one.message == other.message
                    && std::mem::discriminant(&one.class) == std::mem::discriminant(&other.class)
            }
            _ => self == other,
        }
    }
}

/// Requests to the reader of one view.
#[derive(Default)]
pub struct Reader {
    state: Mutex<State>,
    notify: Notify,
    has_started: AtomicBool,
    /// Raised while something waits for a read: it then uses the whole budget.
    pub priority: Priority,
    /// The last external thing that was read whole in turn.
    pub last_read_whole: Mutex<Option<(Kind, Id)>>,
}

#[derive(Default)]
struct State {
    /// What the parked objects need.
    needs: Needs,
    /// Objects that wait for the next result.
    parked: BTreeSet<ObjectRef>,
    /// Objects that reported the last failure and wait for a success.
    informed: BTreeSet<ObjectRef>,
    /// When the last read that brought no snapshot began, and why.
    withheld: Option<(Instant, Withheld)>,
    /// Something waits for a read.
    is_requested: bool,
    /// A user requested a read, or the connection is new: the next read does not wait for the back-off.
    is_urgent: bool,
    /// A read must begin at this time or later to answer the user's request.
    since: Option<Instant>,
    raised: Option<Raised>,
}

impl Reader {
    /// True for the first caller, who must start the task.
    pub fn start_once(&self) -> bool {
        !self.has_started.swap(true, Ordering::Relaxed)
    }

    /// A user requests a read that begins at `since` or later.
    pub fn request(&self, since: Instant) {
        let mut state = self.state.lock();
        state.since = state.since.max(Some(since));
        state.is_urgent = true;
        self.raise(&mut state);
    }

    /// The next read begins at once.
    pub fn hurry(&self) {
        self.state.lock().is_urgent = true;
        self.notify.notify_one();
    }

    /// A failed read is repeated at once: its cause can be fixed.
    pub fn retry(&self) {
        if self.state.lock().withheld.is_some() {
            self.hurry();
        }
    }

    /// Whether an object or a user waits for a read.
    pub fn is_awaited(&self) -> bool {
        let state = self.state.lock();
        state.is_requested || !state.parked.is_empty() || !state.informed.is_empty()
    }

    pub(super) fn access(
        &self,
        object: &ObjectRef,
        needs: &Needs,
        since: Option<Instant>,
        serves: impl FnOnce() -> bool,
    ) -> Access {
        // Locked before the snapshot is checked: a read that ends meanwhile enqueues the object.
        let mut state = self.state.lock();
        if serves() {
            return Access::Served;
        }
        state.needs.kinds.extend(needs.kinds.iter().copied());
        state.needs.levels.extend(needs.levels.iter().copied());
        let answer = state.withheld.as_ref().filter(|(begun, _)| since.is_none_or(|since| *begun >= since));
        if let Some((_, why)) = answer {
            let why = why.clone();
            state.informed.insert(object.clone());
            return Access::Withheld(why);
        }
        state.parked.insert(object.clone());
        self.raise(&mut state);
        Access::Parked
    }

    fn raise(&self, state: &mut State) {
        state.is_requested = true;
        state.raised.get_or_insert_with(|| self.priority.raise());
        self.notify.notify_one();
    }

    /// Takes the requests so far: the read that begins now answers them.
    pub(super) fn begin(&self) -> (Needs, Instant) {
        let mut state = self.state.lock();
        (state.is_requested, state.is_urgent) = (false, false);
        (state.needs.clone(), Instant::now())
    }

    /// Ends a read. Returns the objects to enqueue.
    pub(super) fn finish(&self, begun: Instant, withheld: Option<Withheld>) -> Vec<ObjectRef> {
        let mut state = self.state.lock();
        let is_news = match (&state.withheld, &withheld) {
            (Some((_, known)), Some(why)) => !known.reads_like(why),
            _ => true,
        };
        let mut woken: Vec<ObjectRef> = std::mem::take(&mut state.parked).into_iter().collect();
        if is_news {
            woken.extend(std::mem::take(&mut state.informed));
        }
        if withheld.is_none() {
            state.needs = Needs::default();
        }
        state.withheld = withheld.map(|why| (begun, why));
        // A request that came during the read and was not answered by it.
        state.since = state.since.filter(|since| *since > begun);
        if state.since.is_none() {
            state.is_requested = false;
            state.raised = None;
        }
        woken
    }

    /// Waits until the time of the next read, or for a request. After a failure, only for an urgent one.
    pub async fn wait(&self, until: Instant) {
        loop {
            let notified = self.notify.notified();
            {
                let state = self.state.lock();
                if state.is_urgent || state.is_requested && state.withheld.is_none() {
                    return;
                }
            }
            if tokio::time::timeout_at(until, notified).await.is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures::FutureExt;
    use rolewright_backends::Class;

    use super::*;
    use crate::object::{ObjectKind, ObjectName};

    fn object(name: &str) -> ObjectRef {
        ObjectRef { kind: ObjectKind::Role, name: ObjectName::new("ns", name) }
    }

    fn park(reader: &Reader, name: &str, since: Option<Instant>) -> Access {
        reader.access(&object(name), &Needs::default(), since, || false)
    }

    fn failed(why: &str) -> Withheld {
        Withheld::Failed(Error::new(Class::Transient, why.to_owned()))
    }

    fn is_due(reader: &Reader) -> bool {
        reader.wait(Instant::now() + Duration::from_secs(3600)).now_or_never().is_some()
    }

    #[tokio::test]
    async fn one_read_serves_all_that_were_parked() {
        let reader = Reader::default();
        assert!(!is_due(&reader));
        assert_eq!((park(&reader, "a", None), park(&reader, "b", None)), (Access::Parked, Access::Parked));
        assert!(is_due(&reader));
        let (_, begun) = reader.begin();
        assert_eq!(park(&reader, "c", None), Access::Parked);
        assert_eq!(reader.finish(begun, None).len(), 3);
        assert!(!is_due(&reader), "the read answered all of them");
    }

    #[tokio::test]
    async fn a_failure_is_reported_once_and_a_success_wakes_all() {
        let reader = Reader::default();
        park(&reader, "a", None);
        let (_, begun) = reader.begin();
        assert_eq!(reader.finish(begun, Some(failed("down"))), [object("a")]);
        assert_eq!(park(&reader, "a", None), Access::Withheld(failed("down")));
        assert!(!is_due(&reader), "a failed read waits for its back-off");
        let (_, begun) = reader.begin();
        assert_eq!(reader.finish(begun, Some(failed("down"))), [], "nothing new");
        let (_, begun) = reader.begin();
        assert_eq!(reader.finish(begun, Some(failed("worse"))), [object("a")]);
        park(&reader, "a", None);
        let (_, begun) = reader.begin();
        assert_eq!(reader.finish(begun, None), [object("a")]);
    }

    #[tokio::test]
    async fn a_request_needs_a_read_that_begins_later() {
        let reader = Reader::default();
        let (_, begun) = reader.begin();
        let asked = Instant::now();
        reader.request(asked);
        reader.finish(begun, None);
        assert!(is_due(&reader), "the read began before the request");
        let (_, begun) = reader.begin();
        assert_eq!(park(&reader, "a", Some(asked)), Access::Parked);
        reader.finish(begun, Some(failed("down")));
        assert_eq!(park(&reader, "a", Some(asked)), Access::Withheld(failed("down")));
        assert_eq!(park(&reader, "b", Some(Instant::now())), Access::Parked);
        assert!(!is_due(&reader), "only a user's request does not wait for the back-off");
        reader.hurry();
        assert!(is_due(&reader));
    }
}
