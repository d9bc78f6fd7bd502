//! What is known of back-end accounts: one [`Tenant`] an account, with its budget and the claims of all objects on it; one [`Session`] a
//! credential, because what a snapshot shows and proves depends on the key.

use std::{
    collections::{BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use parking_lot::{Mutex, RwLock};

use super::{bell::Bell, cache::Name, creates::Creates, queue::Item};
use rolewright_backends::{Backend, Budget, Class, Error, Haste, Identity, Limits, Needs};
use rolewright_core::model::{Entry, Id, Kind, Observed, Snapshot};
use rolewright_core::planner::{Claimant, Claims};

/// One account of a back end.
pub struct Tenant {
    /// Its origin and, where known, its identity.
    pub id: String,
    /// What all calls to it may use up.
    pub budget: Arc<Budget>,
    /// What its objects claim.
    pub claims: Mutex<Claims>,
    /// Its creates that were never answered.
    pub creates: Creates,
    /// Which object a claimant is.
    pub objects: Mutex<HashMap<Claimant, Item>>,
    anchors: Mutex<BTreeSet<String>>,
    /// What each of its Backends allows.
    limits: Mutex<HashMap<Name, Limits>>,
}

impl Tenant {
    /// Puts the limits of one of its Backends in force, or takes them away with it. Where several differ the strictest holds:
    /// it is one account that they protect.
    pub fn limit(&self, backend: &Name, limits: Option<Limits>) {
        let mut all = self.limits.lock();
        match limits {
            Some(limits) => all.insert(backend.clone(), limits),
            None => all.remove(backend),
        };
        if let Some(strictest) = all.values().copied().reduce(Limits::stricter) {
            self.budget.set(strictest);
        }
    }
}

/// All accounts that any Backend has been connected to since the start.
pub struct Tenants {
    settle: Duration,
    tenants: Mutex<Vec<Arc<Tenant>>>,
}

impl Tenants {
    /// None yet. `settle` is how long a create whose answer was lost may take at a back end.
    pub fn new(settle: Duration) -> Self {
        Self { settle, tenants: Mutex::default() }
    }

    /// The account that an identity belongs to: one whose anchors it shares, or that has the pinned id, or a new one.
    ///
    /// `alone` names an account that shows no anchors: it is never taken for another's.
    pub fn of(
        &self,
        origin: &str,
        identity: &Identity,
        pinned: Option<&str>,
        alone: &str,
        limits: Limits,
    ) -> Arc<Tenant> {
        let mut tenants = self.tenants.lock();
        let same = |tenant: &&Arc<Tenant>| {
            let anchors = tenant.anchors.lock();
            pinned == Some(tenant.id.as_str())
                || (tenant.id.starts_with(origin) && !anchors.is_disjoint(&identity.anchors))
        };
        if let Some(tenant) = tenants.iter().find(same) {
            tenant.anchors.lock().extend(identity.anchors.iter().cloned());
            return tenant.clone();
        }
        let id = pinned.map(str::to_owned).unwrap_or_else(|| {
            format!("{origin}#{}", identity.anchors.first().map_or(alone, String::as_str))
        });
        let tenant = Arc::new(Tenant {
            id,
            budget: Arc::new(Budget::new(limits)),
            claims: Mutex::default(),
            creates: Creates::new(self.settle),
            objects: Mutex::default(),
            anchors: Mutex::new(identity.anchors.clone()),
            limits: Mutex::default(),
        });
        tenants.push(tenant.clone());
        tenant
    }

    /// The budget of an account that is known already by its id.
    pub fn budget(&self, id: &str) -> Option<Arc<Budget>> {
        let tenants = self.tenants.lock();
        tenants.iter().find(|tenant| tenant.id == id).map(|tenant| tenant.budget.clone())
    }
}

/// How long a failed reading stands for those who ask after it.
const A_MOMENT: Duration = Duration::from_millis(500);

/// One account as one credential sees it.
pub struct Session {
    /// The account.
    pub tenant: Arc<Tenant>,
    /// The client.
    pub backend: Arc<dyn Backend>,
    /// Tells credentials apart without being one.
    pub digest: String,
    view: RwLock<View>,
    /// Held by whoever reads; why and when the last reading failed.
    reading: tokio::sync::Mutex<Option<(Instant, Error)>>,
    /// Whether anybody waits for a view.
    pub haste: Haste,
    suspect: Mutex<Option<String>>,
    /// Wakes the task that sweeps it.
    pub bell: Bell,
}

#[derive(Default)]
struct View {
    snapshot: Option<Snapshot>,
    needs: Needs,
    taken: Option<Instant>,
    /// When the reading of it began.
    begun: Option<Instant>,
    /// What was read before this is not to be trusted.
    distrusted: Option<Instant>,
    /// What was written or read again while a new snapshot is being taken.
    journal: Option<Vec<Note>>,
}

enum Note {
    Put(Box<Observed>),
    Remove(Kind, Id),
    Miss(Kind, Id),
    Learn(Box<Entry>),
}

impl Session {
    /// A session that has seen nothing yet.
    pub fn new(tenant: Arc<Tenant>, backend: Arc<dyn Backend>, digest: String) -> Self {
        Self {
            tenant,
            backend,
            digest,
            view: RwLock::default(),
            reading: tokio::sync::Mutex::default(),
            haste: Haste::default(),
            suspect: Mutex::default(),
            bell: Bell::default(),
        }
    }

    /// Looks at the view, if there is one that shows what is needed.
    pub fn look<T>(&self, needs: &Needs, with: impl FnOnce(&Snapshot) -> T) -> Option<T> {
        self.look_since(needs, |snapshot, _| with(snapshot))
    }

    /// The same, with the time at which the reading of the view began.
    pub fn look_since<T>(&self, needs: &Needs, with: impl FnOnce(&Snapshot, Instant) -> T) -> Option<T> {
        let view = self.view.read();
        if !view.covers(needs) {
            return None;
        }
        view.snapshot.as_ref().zip(view.begun).map(|(snapshot, begun)| with(snapshot, begun))
    }

    /// Whether there is a view that is trusted and shows what is needed.
    pub fn shows(&self, needs: &Needs) -> bool {
        self.fresh(needs, Duration::MAX)
    }

    /// How old the view is.
    pub fn age(&self) -> Option<Duration> {
        let view = self.view.read();
        view.taken.map(|taken| taken.elapsed())
    }

    /// Sees to it that there is a view that shows what is needed and is no older than `at_most`.
    ///
    /// # Errors
    /// Whatever kept the back end from being read; the older view stays.
    pub async fn ensure(&self, needs: &Needs, at_most: Duration) -> Result<(), Error> {
        let _waiting = self.haste.wait();
        self.read_if_older(needs, at_most).await
    }

    /// The same for whoever does not wait for it.
    ///
    /// # Errors
    /// As for [`Session::ensure`].
    pub async fn read_if_older(&self, needs: &Needs, at_most: Duration) -> Result<(), Error> {
        if self.fresh(needs, at_most) {
            return Ok(());
        }
        let asked = Instant::now();
        let mut failed = self.reading.lock().await;
        if self.fresh(needs, at_most) {
            return Ok(());
        }
        // A reading that failed while this waited for it has failed for both. So has one that failed for a passing reason a moment ago: many
        // objects ask one after another.
        let stands = |(at, error): &&(Instant, Error)| {
            let passing = matches!(error.class, Class::Lost | Class::Transient);
            *at + if passing { A_MOMENT } else { Duration::ZERO } >= asked
        };
        if let Some((_, error)) = failed.as_ref().filter(stands) {
            return Err(error.clone());
        }
        let mut read = self.read(needs).await;
        if read.is_ok() && !self.shows(needs) {
            // Somebody learned meanwhile that what this had begun to read is old.
            read = self.read(needs).await;
        }
        *failed = read.as_ref().err().map(|error| (Instant::now(), error.clone()));
        read
    }

    /// Sees to it that there is a view that shows what is needed and whose reading began at `since` or later. Many that ask at once
    /// share one reading.
    ///
    /// # Errors
    /// As for [`Session::ensure`].
    pub async fn ensure_since(&self, needs: &Needs, since: Instant) -> Result<(), Error> {
        let _waiting = self.haste.wait();
        let _only_one_reads = self.reading.lock().await;
        let begun = self.view.read().begun;
        if self.shows(needs) && begun.is_some_and(|begun| begun >= since) {
            return Ok(());
        }
        self.read(needs).await
    }

    fn fresh(&self, needs: &Needs, at_most: Duration) -> bool {
        let view = self.view.read();
        view.covers(needs) && view.taken.is_some_and(|taken| taken.elapsed() <= at_most)
    }

    async fn read(&self, needs: &Needs) -> Result<(), Error> {
        let begun = Instant::now();
        let wanted = {
            let mut view = self.view.write();
            view.journal = Some(Vec::new());
            Needs {
                kinds: view.needs.kinds.union(&needs.kinds).copied().collect(),
                levels: view.needs.levels.union(&needs.levels).cloned().collect(),
                // Only a sweep names them, and then all.
                held: if needs.held.is_empty() { &view.needs } else { needs }.held.clone(),
            }
        };
        let read = self.backend.snapshot(&wanted).await;
        let mut view = self.view.write();
        let journal = view.journal.take().unwrap_or_default();
        let mut snapshot = read?;
        for note in journal {
            match note {
                Note::Put(observed) => snapshot.put(*observed),
                Note::Remove(kind, id) => snapshot.remove(kind, &id),
                Note::Miss(..) => {}
                Note::Learn(entry) => snapshot.add_name(*entry),
            }
        }
        view.snapshot = Some(snapshot);
        view.needs = wanted;
        view.taken = view.distrusted.is_none_or(|at| at <= begun).then(Instant::now);
        view.begun = Some(begun);
        Ok(())
    }

    /// Brings the answer to a write, or a thing read again, into the view.
    pub fn put(&self, observed: Observed) {
        self.note(Note::Put(Box::new(observed)));
    }

    /// Takes a thing that was removed out of the view.
    pub fn remove(&self, kind: Kind, id: &Id) {
        self.note(Note::Remove(kind, id.clone()));
    }

    /// Notes in the view that a thing was asked for by its id and not seen.
    pub fn miss(&self, kind: Kind, id: &Id) {
        self.note(Note::Miss(kind, id.clone()));
    }

    /// Brings a name that was looked up into the view.
    pub fn learn(&self, entry: Entry) {
        self.note(Note::Learn(Box::new(entry)));
    }

    fn note(&self, note: Note) {
        let mut view = self.view.write();
        if let Some(snapshot) = &mut view.snapshot {
            match &note {
                Note::Put(observed) => snapshot.put((**observed).clone()),
                Note::Remove(kind, id) => snapshot.remove(*kind, id),
                Note::Miss(kind, id) => snapshot.mark_missing(*kind, id.clone()),
                Note::Learn(entry) => snapshot.add_name((**entry).clone()),
            }
        }
        if let Some(journal) = &mut view.journal {
            journal.push(note);
        }
    }

    /// Drops the view: what comes next reads anew.
    pub fn distrust(&self) {
        let mut view = self.view.write();
        view.taken = None;
        view.distrusted = Some(Instant::now());
    }

    /// Why nothing may be written by this view, if so.
    pub fn suspect(&self) -> Option<String> {
        self.suspect.lock().clone()
    }

    /// Says that the view cannot be trusted, or can again. True if that is news.
    pub fn set_suspect(&self, why: Option<String>) -> bool {
        let mut suspect = self.suspect.lock();
        let news = suspect.is_some() != why.is_some();
        *suspect = why;
        news
    }
}

impl View {
    fn covers(&self, needs: &Needs) -> bool {
        self.snapshot.is_some()
            && needs.kinds.is_subset(&self.needs.kinds)
            && needs.levels.is_subset(&self.needs.levels)
    }
}

/// How often each object's things were put back in the last hour.
#[derive(Default)]
pub struct Corrections {
    times: Mutex<HashMap<Item, VecDeque<Instant>>>,
}

/// How many corrections within [`Corrections::WINDOW`] make an object contested.
const CONTESTED: usize = 3;

impl Corrections {
    /// The window in which corrections are counted.
    pub const WINDOW: Duration = Duration::from_secs(3600);

    /// Counts one.
    pub fn add(&self, item: &Item) {
        let mut times = self.times.lock();
        times.entry(item.clone()).or_default().push_back(Instant::now());
    }

    /// Whether somebody keeps changing back what this object says; if so, when it may next be put right.
    pub fn contested(&self, item: &Item) -> Option<Instant> {
        const FIRST_WAIT: Duration = Duration::from_secs(300);
        let mut times = self.times.lock();
        let known = times.get_mut(item)?;
        known.retain(|time| time.elapsed() < Self::WINDOW);
        if known.is_empty() {
            times.remove(item);
            return None;
        }
        let more = known.len().checked_sub(CONTESTED)?;
        let doublings = u32::try_from(more).unwrap_or(u32::MAX).min(4);
        known.back().map(|last| *last + FIRST_WAIT * 2_u32.pow(doublings))
    }

    /// Forgets an object.
    pub fn forget(&self, item: &Item) {
        self.times.lock().remove(item);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_strictest_of_two_backends_on_one_account_holds_until_it_goes() {
        let limits = |per_second, concurrency| Limits { per_second, burst: 10, concurrency };
        let identity = Identity {
            description: String::new(),
            anchors: BTreeSet::from(["org-1".to_owned()]),
            lacks: BTreeMap::new(),
            expires: None,
        };
        let (strict, loose) = (Name::new("team-a", "arize"), Name::new("team-b", "arize"));
        let tenants = Tenants::new(Duration::ZERO);
        let tenant = tenants.of("https://api.example.com", &identity, None, "uid", limits(9, 1));
        tenant.limit(&strict, Some(limits(2, 4)));
        tenant.limit(&loose, Some(limits(9, 1)));
        assert_eq!(tenant.budget.limits(), limits(2, 1));
        tenant.limit(&strict, None);
        assert_eq!(tenant.budget.limits(), limits(9, 1));
    }
}
