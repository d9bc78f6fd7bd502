//! One account as one credential sees it: the client, the last snapshot, and the writes since then.
//!
//! A credential has a view of its own, because what a snapshot shows and proves depends on the credential.

use std::{collections::HashSet, sync::Arc, time::Duration};

use parking_lot::{Mutex, RwLock};
use rolewright_backends::{Backend, Class, Error, Needs};
use rolewright_core::model::{Entry, Id, Kind, Level, Observed, ReadFailure, Snapshot};
use tokio::time::Instant;

use super::{
    accounts::Account,
    reader::{Access, Reader, Withheld},
};
use crate::object::ObjectRef;

/// One account as one credential sees it.
pub struct AccountView {
    /// The account.
    pub account: Arc<Account>,
    /// The client.
    pub backend: Arc<dyn Backend>,
    /// A hash of the connection and its credential: equal for two Backends that can share this view.
    pub digest: Arc<str>,
    cached: RwLock<Cached>,
    /// Requests to the only task that reads snapshots.
    pub reader: Arc<Reader>,
    suspicion: Mutex<Option<String>>,
    /// Things that were listed when a read by their id found nothing.
    listed_and_missing: Mutex<HashSet<(Kind, Id)>>,
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
    /// All objects have claimed what they desire: the first of them can act.
    is_open: bool,
    /// A read that began before this is not valid.
    invalidated: Option<Instant>,
    /// What was written or read again while a new snapshot is being read.
    journal: Option<Vec<Note>>,
}

#[derive(Clone)]
enum Note {
    Put(Box<Observed>),
    Remove(Kind, Id),
    Miss(Kind, Id),
    Fail(Kind, Id, ReadFailure),
    Learn(Box<Entry>),
    Refuse(Level, String),
}

impl Note {
    /// Adds the note to a newer snapshot. That a read found nothing, or failed, says nothing about it.
    fn apply(self, snapshot: &mut Snapshot) {
        match self {
            Self::Put(observed) => snapshot.put(*observed),
            Self::Remove(kind, id) => snapshot.remove(kind, &id),
            Self::Miss(..) | Self::Fail(..) | Self::Refuse(..) => {}
            Self::Learn(entry) => snapshot.add_name(*entry),
        }
    }
}

/// A read under way.
pub struct Read {
    /// Everything that it must cover.
    pub needs: Needs,
    /// When it began.
    pub begun: Instant,
}

/// The result of publishing a snapshot.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Published {
    /// Objects can use it.
    pub is_trusted: bool,
    /// It covers more than the one before, so objects can claim what they could not before.
    pub is_wider: bool,
    /// Whether objects can write has changed.
    pub changed: bool,
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
            digest: digest.into(),
            cached: RwLock::default(),
            reader: Arc::default(),
            suspicion: Mutex::default(),
            listed_and_missing: Mutex::default(),
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

    /// The age of the snapshot.
    pub fn age(&self) -> Option<Duration> {
        let cached = self.cached.read();
        cached.taken.map(|taken| taken.elapsed())
    }

    /// Whether the snapshot serves an object: it covers these needs, and its read began at `since` or later. Otherwise the object waits
    /// for the reader, which enqueues it again.
    pub fn access(&self, object: &ObjectRef, needs: &Needs, since: Option<Instant>) -> Access {
        self.reader.access(object, needs, since, || self.serves(needs, since))
    }

    fn serves(&self, needs: &Needs, since: Option<Instant>) -> bool {
        let cached = self.cached.read();
        let is_recent = since.is_none_or(|since| cached.begun.is_some_and(|begun| begun >= since));
        cached.is_open && cached.taken.is_some() && cached.covers(needs) && is_recent
    }

    /// Starts a read: the writes from now on are added to the snapshot when it is published. Returns everything that must be read: these
    /// needs, those of waiting objects, and what earlier snapshots covered.
    pub fn begin_read(&self, needs: Needs) -> Read {
        let (waiting, begun) = self.reader.begin();
        let mut cached = self.cached.write();
        cached.journal = Some(Vec::new());
        let needs = Needs {
            kinds: cached.needs.kinds.iter().copied().chain(needs.kinds).chain(waiting.kinds).collect(),
            levels: cached.needs.levels.iter().copied().chain(needs.levels).chain(waiting.levels).collect(),
            // Only a sweep names them, and then all of them.
            hints: if needs.hints.is_empty() { cached.needs.hints.clone() } else { needs.hints },
        };
        Read { needs, begun }
    }

    /// Publishes a snapshot if `judge` trusts it. Otherwise the older one stays, and nothing is written on its basis.
    ///
    /// Writes wait meanwhile: what an object has recorded is in the judged snapshot.
    pub fn publish(
        &self,
        read: Read,
        mut snapshot: Snapshot,
        judge: impl FnOnce(&Snapshot) -> Option<String>,
    ) -> Published {
        let mut cached = self.cached.write();
        for note in cached.journal.take().unwrap_or_default() {
            note.apply(&mut snapshot);
        }
        let suspicion = judge(&snapshot);
        let is_trusted = suspicion.is_none();
        let changed = std::mem::replace(&mut *self.suspicion.lock(), suspicion).is_none() != is_trusted;
        let is_wider = !cached.is_open || !cached.covers(&read.needs);
        if is_trusted {
            self.listed_and_missing.lock().retain(|(kind, id)| snapshot.by_id(*kind, id).is_some());
            cached.taken = cached.invalidated.is_none_or(|at| at <= read.begun).then(Instant::now);
            cached.snapshot = Some(snapshot);
            cached.needs = read.needs;
            cached.begun = Some(read.begun);
        }
        Published { is_trusted, is_wider, changed }
    }

    /// Lets objects act on the published snapshot, and returns those that waited for it.
    pub fn open(&self, begun: Instant) -> Vec<ObjectRef> {
        self.cached.write().is_open = true;
        self.reader.finish(begun, None)
    }

    /// Ends a read without a new snapshot. Returns the objects that must report it.
    pub fn withhold(&self, begun: Instant, why: Withheld) -> Vec<ObjectRef> {
        self.cached.write().journal = None;
        self.reader.finish(begun, Some(why))
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

    /// Drops the rules of a role from the snapshot if its version mark is this one, which is recorded: [`Observed::shorten`].
    pub fn shorten(&self, kind: Kind, id: &Id, revision: &str) {
        let mut cached = self.cached.write();
        if let Some(snapshot) = &mut cached.snapshot {
            snapshot.shorten(kind, id, revision);
        }
        for note in cached.journal.iter_mut().flatten() {
            if let Note::Put(seen) = note
                && (seen.body.kind(), &seen.id) == (kind, id)
            {
                seen.shorten(revision);
            }
        }
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

    /// The back end refused to look up a name at this level: until the next sweep, names that are not found can exist.
    pub fn refuse_names(&self, level: Level, why: &str) {
        self.note(Note::Refuse(level, why.to_owned()));
    }

    fn note(&self, note: Note) {
        let mut cached = self.cached.write();
        if let Some(journal) = &mut cached.journal {
            journal.push(note.clone());
        }
        let Some(snapshot) = &mut cached.snapshot else { return };
        match note {
            Note::Miss(kind, id) => snapshot.mark_missing(kind, id),
            Note::Fail(kind, id, failure) => snapshot.mark_unread(kind, id, failure),
            Note::Refuse(level, why) => snapshot.refuse_names(level, &why),
            other => other.apply(snapshot),
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
}

impl Drop for AccountView {
    /// The reader's task notices at once that its view has ended.
    fn drop(&mut self) {
        self.reader.hurry();
    }
}
