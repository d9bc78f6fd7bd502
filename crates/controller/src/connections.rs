//! How each Backend stands, as objects ask it: a link to the back end, or the reason why there is none.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::{Duration, Instant},
};

use k8s_openapi::jiff::Timestamp;
use parking_lot::Mutex;

use super::{cache::Name, tenants::Session};
use rolewright_api::{Counts, DeletionPolicy, Mode, Reason};
use rolewright_core::model::Kind;

/// A working connection of one Backend.
#[derive(Clone)]
pub struct Link {
    /// The account as this credential sees it.
    pub session: Arc<Session>,
    /// The Backend's mode: objects can only be stricter.
    pub mode: Mode,
    /// What happens to what deleted objects hold, unless they say otherwise.
    pub deletion: DeletionPolicy,
    /// How often its tenant is swept.
    pub interval: Duration,
    /// The kinds of things that the account does not have although the vendor does, and why.
    pub lacks: Arc<BTreeMap<Kind, String>>,
    /// When the credential ends, where the back end tells.
    pub expires: Option<Timestamp>,
}

/// How a Backend stands.
#[derive(Clone)]
pub enum Connection {
    /// It works.
    Ready(Link),
    /// It does not.
    Broken {
        /// Why, in a word.
        reason: Reason,
        /// Why.
        message: String,
        /// There is no credential to try: objects that wait for one to be deleted are let go in the end.
        no_credential: bool,
        /// The link that worked before the credential was taken away: it still serves what goes together with its Backend.
        last: Option<Link>,
    },
}

/// All Backends.
#[derive(Default)]
pub struct Connections {
    states: Mutex<HashMap<Name, State>>,
}

#[derive(Default)]
struct State {
    connection: Option<Connection>,
    /// Which version of the spec and of the Secrets the connection was made from.
    made_from: String,
    /// A call was answered 401 since the last probe.
    doubted: bool,
    /// When a try of the credential last took such a doubt away.
    cleared: Option<Instant>,
    next_probe: Option<Instant>,
    swept: Option<Swept>,
    swept_written: Option<Instant>,
}

/// What becomes of a doubt about a credential.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It is the first: the credential has to be tried.
    New,
    /// The credential is about to be tried.
    Known,
    /// The credential has just been tried, and it is good.
    Unfounded,
}

/// What a sweep tells of a Backend.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// How its objects stand.
    pub counts: Counts,
    /// How often it is swept, where that is less often than its spec says.
    pub stretched: Option<String>,
}

impl Connections {
    fn with<T>(&self, backend: &Name, f: impl FnOnce(&mut State) -> T) -> T {
        let mut states = self.states.lock();
        f(states.entry(backend.clone()).or_default())
    }

    /// How a Backend stands; None where it was not looked at yet.
    pub fn get(&self, backend: &Name) -> Option<Connection> {
        self.with(backend, |state| state.connection.clone())
    }

    /// The link of a Backend that works.
    pub fn link(&self, backend: &Name) -> Option<Link> {
        match self.get(backend) {
            Some(Connection::Ready(link)) => Some(link),
            _ => None,
        }
    }

    /// The link of a Backend that works, or that worked until its credential was taken away.
    pub fn last_link(&self, backend: &Name) -> Option<Link> {
        match self.get(backend)? {
            Connection::Ready(link) => Some(link),
            Connection::Broken { last, .. } => last,
        }
    }

    /// The link that worked until its credential was taken away does not work any more either.
    pub fn forget_last(&self, backend: &Name) {
        self.with(backend, |state| {
            if let Some(Connection::Broken { last, .. }) = &mut state.connection {
                *last = None;
            }
        });
    }

    /// Records how a Backend stands. True when that changes what its objects can do.
    pub fn set(&self, backend: &Name, connection: Connection, made_from: String) -> bool {
        self.with(backend, |state| {
            // Objects have waited for the answer to the doubt.
            let news = state.doubted
                || match (&state.connection, &connection) {
                    (Some(Connection::Ready(old)), Connection::Ready(new)) => {
                        !Arc::ptr_eq(&old.session, &new.session)
                            || old.mode != new.mode
                            || old.deletion != new.deletion
                            || old.lacks != new.lacks
                    }
                    (
                        Some(Connection::Broken { no_credential: old, .. }),
                        Connection::Broken { no_credential, .. },
                    ) => old != no_credential,
                    _ => true,
                };
            if state.doubted && matches!(connection, Connection::Ready(_)) {
                state.cleared = Some(Instant::now());
            }
            state.connection = Some(connection);
            state.made_from = made_from;
            state.doubted = false;
            news
        })
    }

    /// Forgets a Backend.
    pub fn remove(&self, backend: &Name) {
        self.states.lock().remove(backend);
    }

    /// What the connection was made from.
    pub fn made_from(&self, backend: &Name) -> String {
        self.with(backend, |state| state.made_from.clone())
    }

    /// A call was answered 401: the credential has to be tried again, unless a try within the time `trusted` has shown that it is good
    /// and the answer is about that one call.
    pub fn doubt(&self, backend: &Name, trusted: Duration) -> Doubt {
        self.with(backend, |state| {
            if !state.doubted && state.cleared.is_some_and(|at| at.elapsed() < trusted) {
                return Doubt::Unfounded;
            }
            if std::mem::replace(&mut state.doubted, true) { Doubt::Known } else { Doubt::New }
        })
    }

    /// Whether the credential has to be tried again.
    pub fn doubted(&self, backend: &Name) -> bool {
        self.with(backend, |state| state.doubted)
    }

    /// When the credential may be tried again after it failed.
    pub fn next_probe(&self, backend: &Name) -> Option<Instant> {
        self.with(backend, |state| state.next_probe)
    }

    /// Says when the credential may be tried again.
    pub fn set_next_probe(&self, backend: &Name, at: Option<Instant>) {
        self.with(backend, |state| state.next_probe = at);
    }

    /// What the last sweep counted, if it may be written now: a count that changes is written once a minute at most.
    pub fn swept(&self, backend: &Name, written: Option<Swept>) -> Option<Swept> {
        const AT_MOST_EVERY: Duration = Duration::from_secs(60);
        self.with(backend, |state| {
            let stretched = |swept: &Option<Swept>| swept.as_ref().is_some_and(|it| it.stretched.is_some());
            // Counts may change with every sweep; that sweeps become rare is told at once.
            let too_soon = stretched(&state.swept) == stretched(&written)
                && state.swept_written.is_some_and(|since| since.elapsed() < AT_MOST_EVERY);
            // Before the first sweep there is nothing better than what is written.
            if state.swept.is_none() || state.swept == written || too_soon {
                return written;
            }
            state.swept_written = Some(Instant::now());
            state.swept.clone()
        })
    }

    /// Records what a sweep tells of a Backend.
    pub fn set_swept(&self, backend: &Name, swept: Swept) {
        self.with(backend, |state| state.swept = Some(swept));
    }

    /// All links that work on a session.
    pub fn of_session(&self, session: &Arc<Session>) -> Vec<(Name, Link)> {
        let states = self.states.lock();
        let on_it = |(name, state): (&Name, &State)| match &state.connection {
            Some(Connection::Ready(link)) if Arc::ptr_eq(&link.session, session) => {
                Some((name.clone(), link.clone()))
            }
            _ => None,
        };
        states.iter().filter_map(on_it).collect()
    }

    /// A session of this account and credential that another Backend has already.
    pub fn session(&self, tenant: &str, digest: &str) -> Option<Arc<Session>> {
        let states = self.states.lock();
        states.values().find_map(|state| match &state.connection {
            Some(Connection::Ready(link))
                if link.session.tenant.id == tenant && link.session.digest == digest =>
            {
                Some(link.session.clone())
            }
            _ => None,
        })
    }
}
