//! The state of each Backend, as its objects need it: a link to the account, or the reason why there is none.

use std::{
    collections::BTreeMap,
    sync::{Arc, Weak},
    time::Duration,
};

use jiff::Timestamp;
use parking_lot::Mutex;
use rolewright_api::{ClusterTerms, Counts, DeletionPolicy, Guards, Mode, Reason, TenantPin, WaitingPlans};
use rolewright_core::model::Kind;
use tokio::time::Instant;

use super::{accounts::Account, view::AccountView};
use crate::object::ObjectName;

/// The working connection of one Backend.
#[derive(Clone)]
pub struct Link {
    /// The account as this credential sees it.
    pub view: Arc<AccountView>,
    /// What the status records of the account, so that the Backend never moves to another one.
    pub pin: TenantPin,
    /// Who the credential is, for the status.
    pub identity: String,
    /// The Backend has the pause annotation: all of its objects are paused.
    pub paused: bool,
    /// This cluster alone manages the account.
    pub exclusive: bool,
    /// The mode of the Backend. An object can only be stricter.
    pub mode: Mode,
    /// How much can be removed without an approval.
    pub guards: Arc<Guards>,
    /// What the ClusterBackend allows. None for a Backend.
    pub terms: Option<Arc<ClusterTerms>>,
    /// The names and ids of the credential's own account in the back end, where it shows them.
    pub own: Arc<[String]>,
    /// What happens to external things whose object is deleted, unless the object has its own policy.
    pub deletion: DeletionPolicy,
    /// The time between two sweeps.
    pub interval: Duration,
    /// The kinds of external things that the vendor has and this account lacks, and why.
    pub lacks: Arc<BTreeMap<Kind, String>>,
    /// When the credential expires, where the back end shows it.
    pub expires: Option<Timestamp>,
}

/// The state of one Backend.
#[derive(Clone)]
pub enum BackendState {
    /// The connection works.
    Ready(Link),
    /// The connection does not work.
    NotReady {
        /// The reason of its condition.
        reason: Reason,
        /// The message of its condition.
        message: String,
        /// There is no credential to try: objects that wait for one to be deleted are released in the end.
        no_credential: bool,
        /// The link that worked before the credential was deleted. It still serves objects that are deleted with their Backend.
        last: Option<Link>,
    },
}

/// The states of all Backends.
#[derive(Default)]
pub struct BackendStates {
    entries: Mutex<BTreeMap<ObjectName, Entry>>,
    views: Mutex<Vec<Weak<AccountView>>>,
}

#[derive(Default)]
struct Entry {
    state: Option<BackendState>,
    /// The versions of the spec and of the Secrets that the connection was made from.
    made_from: String,
    /// A call was answered 401 since the last probe.
    doubted: bool,
    /// When a probe last found a doubted credential to be valid.
    confirmed: Option<Instant>,
    next_probe: Option<Instant>,
    paused: bool,
    /// When the last complete sweep began.
    swept: Option<Instant>,
    sweep_failure: Option<SweepFailure>,
    /// The time between two sweeps as the last complete sweep found it; None before that sweep.
    stretched: Option<Option<String>>,
    report_written: Option<Instant>,
}

/// The result of a 401 to one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CredentialDoubt {
    /// The first doubt: the credential must be probed.
    New,
    /// The credential is about to be probed.
    Known,
    /// The credential was probed a moment ago and is valid: the 401 concerns that one call.
    Unfounded,
}

/// Why sweeps do not read an account completely.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SweepFailure {
    /// When the first of a row of incomplete sweeps ended.
    pub since: Instant,
    /// The last one read a part of the account.
    pub is_partial: bool,
    /// The calls that failed in the last one.
    pub message: String,
}

/// What the status of a Backend shows of its objects and of the account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Its objects by state.
    pub counts: Counts,
    /// The names of what no object manages, by kind.
    pub unmanaged: BTreeMap<String, Vec<String>>,
    /// The plans that wait for an approval.
    pub waiting: Option<WaitingPlans>,
    /// The time between two sweeps, where it is longer than the spec requests.
    pub stretched: Option<String>,
}

/// The shortest time between two writes of changed counts.
pub const REPORT_INTERVAL: Duration = Duration::from_secs(10);

impl BackendStates {
    /// Changes what is known of a Backend, also before its first state.
    fn with<T>(&self, backend: &ObjectName, f: impl FnOnce(&mut Entry) -> T) -> T {
        let mut entries = self.entries.lock();
        f(entries.entry(backend.clone()).or_default())
    }

    /// Reads or changes what is known of a Backend. An object can name a Backend that does not exist: nothing is stored for that one.
    fn known<T: Default>(&self, backend: &ObjectName, f: impl FnOnce(&mut Entry) -> T) -> T {
        self.entries.lock().get_mut(backend).map(f).unwrap_or_default()
    }

    /// The state of a Backend; None before its first reconcile.
    pub fn get(&self, backend: &ObjectName) -> Option<BackendState> {
        self.known(backend, |entry| entry.state.clone())
    }

    /// The link of a Backend that is ready.
    pub fn link(&self, backend: &ObjectName) -> Option<Link> {
        match self.get(backend) {
            Some(BackendState::Ready(link)) => Some(link),
            _ => None,
        }
    }

    /// The link of a Backend that is ready, or was ready until its credential was deleted.
    pub fn last_link(&self, backend: &ObjectName) -> Option<Link> {
        match self.get(backend)? {
            BackendState::Ready(link) => Some(link),
            BackendState::NotReady { last, .. } => last,
        }
    }

    /// The account of a Backend that is ready, or was ready until its credential was deleted.
    pub fn account(&self, backend: &ObjectName) -> Option<Arc<Account>> {
        let entries = self.entries.lock();
        let link = match entries.get(backend)?.state.as_ref()? {
            BackendState::Ready(link) => link,
            BackendState::NotReady { last, .. } => last.as_ref()?,
        };
        Some(link.view.account.clone())
    }

    /// The link that outlived the deletion of its credential does not work any more.
    pub fn forget_last_link(&self, backend: &ObjectName) {
        self.known(backend, |entry| {
            if let Some(BackendState::NotReady { last, .. }) = &mut entry.state {
                *last = None;
            }
        });
    }

    /// Records the state of a Backend. True when that changes what its objects can do.
    pub fn set(&self, backend: &ObjectName, state: BackendState, made_from: String) -> bool {
        self.with(backend, |entry| {
            // Objects wait until a doubted credential was probed.
            let changed = entry.doubted
                || match (&entry.state, &state) {
                    (Some(BackendState::Ready(old)), BackendState::Ready(new)) => {
                        !Arc::ptr_eq(&old.view, &new.view)
                            || old.mode != new.mode
                            || old.deletion != new.deletion
                            || old.guards != new.guards
                            || old.lacks != new.lacks
                    }
                    (
                        Some(BackendState::NotReady { no_credential: old, .. }),
                        BackendState::NotReady { no_credential, .. },
                    ) => old != no_credential,
                    _ => true,
                };
            if entry.doubted && matches!(state, BackendState::Ready(_)) {
                entry.confirmed = Some(Instant::now());
            }
            entry.state = Some(state);
            entry.made_from = made_from;
            entry.doubted = false;
            changed
        })
    }

    /// Records whether a Backend is paused. True if that changed.
    pub fn set_paused(&self, backend: &ObjectName, paused: bool) -> bool {
        self.with(backend, |entry| std::mem::replace(&mut entry.paused, paused) != paused)
    }

    /// Removes a Backend.
    pub fn remove(&self, backend: &ObjectName) {
        self.entries.lock().remove(backend);
    }

    /// The versions of the spec and of the Secrets that the state was made from.
    pub fn made_from(&self, backend: &ObjectName) -> String {
        self.known(backend, |entry| entry.made_from.clone())
    }

    /// A call was answered 401. The credential must be probed, unless a probe within the time `trusted` found it valid: then the
    /// 401 concerns that one call.
    pub fn doubt(&self, backend: &ObjectName, trusted: Duration) -> CredentialDoubt {
        let doubted = self.known(backend, |entry| {
            if !entry.doubted && entry.confirmed.is_some_and(|at| at.elapsed() < trusted) {
                return Some(CredentialDoubt::Unfounded);
            }
            Some(match std::mem::replace(&mut entry.doubted, true) {
                true => CredentialDoubt::Known,
                false => CredentialDoubt::New,
            })
        });
        doubted.unwrap_or(CredentialDoubt::Unfounded)
    }

    /// Whether the credential must be probed before it is used again.
    pub fn is_doubted(&self, backend: &ObjectName) -> bool {
        self.known(backend, |entry| entry.doubted)
    }

    /// The earliest time of the next probe after a failed one.
    pub fn next_probe(&self, backend: &ObjectName) -> Option<Instant> {
        self.known(backend, |entry| entry.next_probe)
    }

    /// Sets the earliest time of the next probe.
    pub fn set_next_probe(&self, backend: &ObjectName, at: Option<Instant>) {
        self.with(backend, |entry| entry.next_probe = at);
    }

    /// The report to write into the status, and when to try again if that one is not the present one: changed counts are written at most
    /// once in ten seconds, so that a storm of new objects does not become one of writes.
    pub fn report_to_write(
        &self,
        backend: &ObjectName,
        present: Option<Report>,
        written: Option<Report>,
    ) -> (Option<Report>, Option<Duration>) {
        // Before the first sweep the written report is the best one.
        if present.is_none() || present == written {
            return (written, None);
        }
        self.with(backend, |entry| {
            let is_stretched =
                |report: &Option<Report>| report.as_ref().is_some_and(|it| it.stretched.is_some());
            let rest = entry.report_written.and_then(|since| REPORT_INTERVAL.checked_sub(since.elapsed()));
            // A change of the interval is written at once.
            if is_stretched(&present) == is_stretched(&written)
                && let Some(rest) = rest.filter(|rest| !rest.is_zero())
            {
                return (written, Some(rest));
            }
            entry.report_written = Some(Instant::now());
            (present, None)
        })
    }

    /// Records a complete sweep that began at this time. `stretched`: the time between two sweeps, where it is longer than requested.
    pub fn set_swept(&self, backend: &ObjectName, stretched: Option<String>, began: Instant) {
        self.known(backend, |entry| {
            entry.stretched = Some(stretched);
            entry.swept = Some(began);
            entry.sweep_failure = None;
        });
    }

    /// The time between two sweeps, where it is longer than requested. None before the first complete sweep.
    pub fn stretched(&self, backend: &ObjectName) -> Option<Option<String>> {
        self.known(backend, |entry| entry.stretched.clone())
    }

    /// Records that a sweep did not read the account completely. `is_partial`: it read a part.
    pub fn set_sweep_failure(&self, backend: &ObjectName, is_partial: bool, message: &str) {
        self.known(backend, |entry| {
            let since = entry.sweep_failure.as_ref().map_or_else(Instant::now, |failure| failure.since);
            entry.sweep_failure = Some(SweepFailure { since, is_partial, message: message.to_owned() });
        });
    }

    /// Why sweeps are not complete, and since when. None after a complete sweep, and before the first one.
    pub fn sweep_failure(&self, backend: &ObjectName) -> Option<SweepFailure> {
        self.known(backend, |entry| entry.sweep_failure.clone())
    }

    /// When the last complete sweep began.
    pub fn swept(&self, backend: &ObjectName) -> Option<Instant> {
        self.known(backend, |entry| entry.swept)
    }

    /// The Backends that use a view, with their links.
    pub fn links_of(&self, view: &Arc<AccountView>) -> Vec<(ObjectName, Link)> {
        let entries = self.entries.lock();
        let uses_it = |(name, entry): (&ObjectName, &Entry)| match &entry.state {
            Some(BackendState::Ready(link)) if Arc::ptr_eq(&link.view, view) => {
                Some((name.clone(), link.clone()))
            }
            _ => None,
        };
        entries.iter().filter_map(uses_it).collect()
    }

    /// The view of an account with this digest: the present one, or a new one. Two Backends that connect at the same time get the same.
    ///
    /// # Errors
    /// Those of `new`.
    pub fn view<E>(
        &self,
        account: &Arc<Account>,
        digest: &str,
        new: impl FnOnce() -> Result<AccountView, E>,
    ) -> Result<Arc<AccountView>, E> {
        let mut views = self.views.lock();
        views.retain(|view| view.strong_count() > 0);
        let is_it = |view: &Arc<AccountView>| Arc::ptr_eq(&view.account, account) && *view.digest == *digest;
        if let Some(view) = views.iter().filter_map(Weak::upgrade).find(is_it) {
            return Ok(view);
        }
        let view = Arc::new(new()?);
        views.push(Arc::downgrade(&view));
        Ok(view)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unknown_and_removed_backends_are_not_stored() {
        let states = BackendStates::default();
        let name = ObjectName::new("team-a", "arize");
        assert!(states.get(&name).is_none() && states.last_link(&name).is_none());
        assert!(!states.is_doubted(&name) && states.swept(&name).is_none());
        states.set_sweep_failure(&name, false, "timeout");
        states.set_swept(&name, None, Instant::now());
        assert!(states.entries.lock().is_empty(), "an object can name a Backend that does not exist");

        states.set_next_probe(&name, Some(Instant::now()));
        assert_eq!(states.entries.lock().len(), 1);
        states.remove(&name);
        states.set_sweep_failure(&name, false, "a sweep that ended later");
        assert!(states.entries.lock().is_empty());
    }

    #[test]
    fn changed_counts_are_written_at_most_once_in_ten_seconds() {
        let states = BackendStates::default();
        let name = ObjectName::new("team-a", "arize");
        let report = |objects: i64, stretched: Option<&str>| {
            let counts = Counts { objects, ..Counts::default() };
            Some(Report { counts, stretched: stretched.map(str::to_owned), ..Report::default() })
        };
        assert_eq!(
            states.report_to_write(&name, None, report(1, None)),
            (report(1, None), None),
            "no sweep yet"
        );
        assert_eq!(states.report_to_write(&name, report(1, None), report(1, None)), (report(1, None), None));
        assert_eq!(states.report_to_write(&name, report(2, None), report(1, None)), (report(2, None), None));
        let (kept, again) = states.report_to_write(&name, report(3, None), report(2, None));
        assert_eq!(kept, report(2, None));
        assert!(again.is_some_and(|rest| rest <= REPORT_INTERVAL), "the last counts are written in the end");
        let at_once = states.report_to_write(&name, report(4, Some("6m")), report(2, None));
        assert_eq!(at_once, (report(4, Some("6m")), None));
    }
}
