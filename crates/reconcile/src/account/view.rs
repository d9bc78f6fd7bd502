//! One account as one credential sees it: the client, the last snapshot, and reading a new one.
//!
//! A credential has a view of its own, because what a snapshot shows and proves depends on the credential.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Mutex, RwLock};
use rolewright_backends::{Backend, Class, Error, Needs, Priority};
use rolewright_core::model::{Entry, Id, Kind, Level, Observed, ReadFailure, Snapshot};

use super::{accounts::Account, sweep_trigger::SweepTrigger};

/// A read that failed for a passing reason counts this long for callers that come later: many objects ask one after another.
const FAILED_READ_TTL: Duration = Duration::from_millis(500);

/// One account as one credential sees it.
pub struct AccountView {
    /// The account.
    pub account: Arc<Account>,
    /// The client.
    pub backend: Arc<dyn Backend>,
    /// A hash of the connection and its credential: equal for two Backends that can share this view.
    pub digest: String,
    cached: RwLock<Cached>,
    /// Locked while a snapshot is read. When and why the last read failed.
    reading: tokio::sync::Mutex<Option<(Instant, Error)>>,
    /// Raised while an object waits for a snapshot.
    pub priority: Priority,
    suspicion: Mutex<Option<String>>,
    /// Things that were listed when a read by their id found nothing.
    listed_and_missing: Mutex<HashSet<(Kind, Id)>>,
    /// Starts the next sweep.
    pub sweep_trigger: SweepTrigger,
}

#[derive(Default)]
struct Cached {
    snapshot: Option<Snapshot>,
    /// What the snapshot covers.
    needs: Needs,
    /// When the read of the snapshot ended; None when it is no longer valid.
    taken: Option<Instant>,
    /// When the read of the snapshot began.
    begun: Option<Instant>,
    /// A read that began before this is not valid.
    invalidated: Option<Instant>,
    /// What was written or read again while a new snapshot is being read.
    journal: Option<Vec<Note>>,
}

enum Note {
    Put(Box<Observed>),
    Remove(Kind, Id),
    Miss(Kind, Id),
    Fail(Kind, Id, ReadFailure),
    Learn(Box<Entry>),
}

impl Cached {
    fn covers(&self, needs: &Needs) -> bool {
        self.snapshot.is_some()
            && needs.kinds.is_subset(&self.needs.kinds)
            && needs.levels.is_subset(&self.needs.levels)
    }
}

impl AccountView {
    /// A view without a snapshot.
    pub fn new(account: Arc<Account>, backend: Arc<dyn Backend>, digest: String) -> Self {
        Self {
            account,
            backend,
            digest,
            cached: RwLock::default(),
            reading: tokio::sync::Mutex::default(),
            priority: Priority::default(),
            suspicion: Mutex::default(),
            listed_and_missing: Mutex::default(),
            sweep_trigger: SweepTrigger::default(),
        }
    }

    /// Calls `f` with the snapshot. None: no snapshot covers these needs.
    pub fn with_snapshot<T>(&self, needs: &Needs, f: impl FnOnce(&Snapshot) -> T) -> Option<T> {
        self.with_snapshot_since(needs, |snapshot, _| f(snapshot))
    }

    /// The same, with the time at which the read of the snapshot began.
    pub fn with_snapshot_since<T>(
        &self,
        needs: &Needs,
        f: impl FnOnce(&Snapshot, Instant) -> T,
    ) -> Option<T> {
        let cached = self.cached.read();
        if !cached.covers(needs) {
            return None;
        }
        cached.snapshot.as_ref().zip(cached.begun).map(|(snapshot, begun)| f(snapshot, begun))
    }

    /// Whether a valid snapshot covers these needs.
    pub fn covers(&self, needs: &Needs) -> bool {
        self.is_fresh(needs, Duration::MAX)
    }

    /// The age of the snapshot.
    pub fn age(&self) -> Option<Duration> {
        let cached = self.cached.read();
        cached.taken.map(|taken| taken.elapsed())
    }

    /// Makes sure that a snapshot covers these needs and is at most this old.
    ///
    /// # Errors
    /// Why the back end could not be read; the older snapshot stays.
    pub async fn ensure(&self, needs: &Needs, max_age: Duration) -> Result<(), Error> {
        let _waiting = self.priority.raise();
        self.read_if_older(needs, max_age).await
    }

    /// The same at low priority, for sweeps: no object waits for it.
    ///
    /// # Errors
    /// As for [`AccountView::ensure`].
    pub async fn read_if_older(&self, needs: &Needs, max_age: Duration) -> Result<(), Error> {
        if self.is_fresh(needs, max_age) {
            return Ok(());
        }
        let asked = Instant::now();
        let mut failed = self.reading.lock().await;
        if self.is_fresh(needs, max_age) {
            return Ok(());
        }
        // A read that failed while this call waited for it has failed for both.
        let still_counts = |(at, error): &&(Instant, Error)| {
            let passing = matches!(error.class, Class::Lost | Class::Transient);
            *at + if passing { FAILED_READ_TTL } else { Duration::ZERO } >= asked
        };
        if let Some((_, error)) = failed.as_ref().filter(still_counts) {
            return Err(error.clone());
        }
        let mut read = self.read(needs).await;
        if read.is_ok() && !self.covers(needs) {
            // The snapshot was invalidated while it was read.
            read = self.read(needs).await;
        }
        *failed = read.as_ref().err().map(|error| (Instant::now(), error.clone()));
        read
    }

    /// Makes sure that a snapshot covers these needs and that its read began at `since` or later. Concurrent callers share one read.
    ///
    /// # Errors
    /// As for [`AccountView::ensure`].
    pub async fn ensure_read_since(&self, needs: &Needs, since: Instant) -> Result<(), Error> {
        let _waiting = self.priority.raise();
        let _reading = self.reading.lock().await;
        let begun = self.cached.read().begun;
        if self.covers(needs) && begun.is_some_and(|begun| begun >= since) {
            return Ok(());
        }
        self.read(needs).await
    }

    fn is_fresh(&self, needs: &Needs, max_age: Duration) -> bool {
        let cached = self.cached.read();
        cached.covers(needs) && cached.taken.is_some_and(|taken| taken.elapsed() <= max_age)
    }

    async fn read(&self, needs: &Needs) -> Result<(), Error> {
        let begun = Instant::now();
        let all = {
            let mut cached = self.cached.write();
            cached.journal = Some(Vec::new());
            Needs {
                kinds: cached.needs.kinds.union(&needs.kinds).copied().collect(),
                levels: cached.needs.levels.union(&needs.levels).cloned().collect(),
                // Only a sweep names them, and then all of them.
                hints: if needs.hints.is_empty() { &cached.needs } else { needs }.hints.clone(),
            }
        };
        let read = self.backend.snapshot(&all).await;
        let mut cached = self.cached.write();
        let journal = cached.journal.take().unwrap_or_default();
        let mut snapshot = read?;
        for note in journal {
            match note {
                Note::Put(observed) => snapshot.put(*observed),
                Note::Remove(kind, id) => snapshot.remove(kind, &id),
                Note::Miss(..) | Note::Fail(..) => {}
                Note::Learn(entry) => snapshot.add_name(*entry),
            }
        }
        self.listed_and_missing.lock().retain(|(kind, id)| snapshot.by_id(*kind, id).is_some());
        cached.snapshot = Some(snapshot);
        cached.needs = all;
        cached.taken = cached.invalidated.is_none_or(|at| at <= begun).then(Instant::now);
        cached.begun = Some(begun);
        Ok(())
    }

    /// Puts the answer to a write, or something that was read again, into the snapshot.
    pub fn put(&self, observed: Observed) {
        self.listed_and_missing.lock().remove(&(observed.body.kind(), observed.id.clone()));
        self.note(Note::Put(Box::new(observed)));
    }

    /// Takes something that was deleted out of the snapshot.
    pub fn remove(&self, kind: Kind, id: &Id) {
        self.note(Note::Remove(kind, id.clone()));
    }

    /// Records in the snapshot that a read by this id found nothing. If the snapshot shows the thing, it is older than the deletion and is
    /// read again, but only once: a thing that lists still show then is unread.
    pub fn miss(&self, kind: Kind, id: &Id) {
        let is_listed = |snapshot: &Snapshot| snapshot.by_id(kind, id).is_some();
        if !self.with_snapshot(&Needs::default(), is_listed).unwrap_or_default() {
            self.note(Note::Miss(kind, id.clone()));
        } else if self.listed_and_missing.lock().insert((kind, id.clone())) {
            self.invalidate();
        } else {
            let message = format!("the back end lists {id}, and does not find it by this id");
            self.note(Note::Fail(kind, id.clone(), ReadFailure::failed(&message)));
        }
    }

    /// Records the failure of a read of one thing in the snapshot.
    ///
    /// # Errors
    /// The failure, if it does not concern this thing alone.
    pub fn fail(&self, kind: Kind, id: &Id, error: Error) -> Result<(), Error> {
        let failure = match error.class {
            Class::Lost | Class::Transient => ReadFailure::failed(&error.message),
            Class::Denied => ReadFailure::denied(&error.message),
            _ => return Err(error),
        };
        self.note(Note::Fail(kind, id.clone(), failure));
        Ok(())
    }

    /// Records that a name could not be looked up.
    pub fn fail_name(&self, level: Level, name: &str, error: &Error) {
        if let Some(snapshot) = &mut self.cached.write().snapshot {
            snapshot.mark_name_unread(level, name, ReadFailure::failed(&error.message));
        }
    }

    /// Tries failed reads of single things and names again when a decision needs them.
    pub fn retry_unread(&self) {
        if let Some(snapshot) = &mut self.cached.write().snapshot {
            snapshot.retry_unread();
        }
    }

    /// The parts that the snapshot lacks because calls failed, in one text.
    pub fn unread(&self) -> Option<String> {
        self.cached.read().snapshot.as_ref().and_then(|snapshot| snapshot.failures().summary())
    }

    /// Adds a name that was looked up to the snapshot's directory.
    pub fn learn(&self, entry: Entry) {
        self.note(Note::Learn(Box::new(entry)));
    }

    fn note(&self, note: Note) {
        let mut cached = self.cached.write();
        if let Some(snapshot) = &mut cached.snapshot {
            match &note {
                Note::Put(observed) => snapshot.put((**observed).clone()),
                Note::Remove(kind, id) => snapshot.remove(*kind, id),
                Note::Miss(kind, id) => snapshot.mark_missing(*kind, id.clone()),
                Note::Fail(kind, id, failure) => snapshot.mark_unread(*kind, id.clone(), failure.clone()),
                Note::Learn(entry) => snapshot.add_name((**entry).clone()),
            }
        }
        if let Some(journal) = &mut cached.journal {
            journal.push(note);
        }
    }

    /// Invalidates the snapshot: the next caller reads a new one.
    pub fn invalidate(&self) {
        let mut cached = self.cached.write();
        cached.taken = None;
        cached.invalidated = Some(Instant::now());
    }

    /// Why no write is allowed on the basis of this snapshot, if so.
    pub fn suspicion(&self) -> Option<String> {
        self.suspicion.lock().clone()
    }

    /// Sets or removes the suspicion. True if that changes whether writes are allowed.
    pub fn set_suspicion(&self, why: Option<String>) -> bool {
        let mut suspicion = self.suspicion.lock();
        let changed = suspicion.is_some() != why.is_some();
        *suspicion = why;
        changed
    }
}
