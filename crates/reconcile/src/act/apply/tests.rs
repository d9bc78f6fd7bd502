//! Steps against a back end that moves.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use parking_lot::Mutex;

use super::*;
use crate::account::{Account, Accounts, Address};
use crate::object::ObjectName;
use rolewright_backends::{Backend, Identity, Limits, Needs};
use rolewright_core::model::{
    Capabilities, Dialect, Entry, Fault, Fingerprint, Grant, Grants, IdentityRules, Kind, Level, Named,
    Restrictions, Role, RoleNames, RoleRef, Snapshot, SpecRules, SweepHints,
};
use rolewright_core::planner::{Adopt, Claim, Desired, DesiredThing, Origin, Policy, Removal, plan, testing};
use url::Url;

/// Refuses no duplicates.
struct Lenient;

static CAPABILITIES: Capabilities = Capabilities {
    vendor: "Lenient",
    subjects: &[],
    levels: &[],
    role_names: RoleNames::Renamable,
    grants: Grants::Direct { levels: &[], scope_optional: false },
    restrictions: Restrictions::None { instead: None },
    duplicates: &[Kind::Role, Kind::Grant],
};

impl IdentityRules for Lenient {
    fn capabilities(&self) -> &'static Capabilities {
        &CAPABILITIES
    }

    fn key(&self, _: &Body) -> Key {
        unreachable!("keys are recorded")
    }
}

impl SpecRules for Lenient {
    fn check_role(&self, _: Role) -> Result<Role, Vec<Fault>> {
        unreachable!("nothing is resolved")
    }
}

impl SweepHints for Lenient {}

/// A back end with one grant, or without it.
struct Shows {
    /// What reading and looking show, one after another; the last for ever.
    seen: Mutex<Vec<Option<Observed>>>,
    /// A claim that another object registers during the next read.
    asks: Mutex<Option<Claim>>,
    /// Whether the answers to writes are lost.
    loses: bool,
    account: Weak<Account>,
    writes: AtomicUsize,
}

impl Shows {
    fn next(&self) -> Option<Observed> {
        let mut seen = self.seen.lock();
        if seen.len() > 1 { seen.remove(0) } else { seen[0].clone() }
    }
}

#[async_trait]
impl Backend for Shows {
    fn dialect(&self) -> &'static dyn Dialect {
        &Lenient
    }

    async fn probe(&self) -> Result<Identity, Error> {
        unreachable!("nobody connects")
    }

    async fn snapshot(&self, _: &Needs) -> Result<Snapshot, Error> {
        unreachable!("nobody sweeps")
    }

    async fn look_up(&self, _: Level, _: &str, _: Option<&Id>) -> Result<Vec<Entry>, Error> {
        unreachable!("nobody looks names up")
    }

    async fn read(&self, _: Kind, _: &Id) -> Result<Option<Observed>, Error> {
        if let (Some(claim), Some(account)) = (self.asks.lock().take(), self.account.upgrade()) {
            account.claims.lock().set(claimant("b"), claim);
        }
        Ok(self.next())
    }

    async fn find(&self, _: &Body) -> Result<Option<Observed>, Error> {
        Ok(self.next())
    }

    async fn write(&self, _: &Change) -> Result<Option<Observed>, Error> {
        self.writes.fetch_add(1, Ordering::Relaxed);
        if self.loses { Err(Error::new(Class::Lost, "no answer came")) } else { Ok(None) }
    }
}

fn claimant(uid: &str) -> Claimant {
    Claimant { created: "2026-01-01T00:00:00Z".to_owned(), uid: uid.to_owned() }
}

fn claim(desired: &[&Observed], managed: &[&Observed]) -> Claim {
    let kind = Kind::Grant;
    Claim {
        title: "RoleBinding x".to_owned(),
        namespace: "team-a".to_owned(),
        credential: Some("one".into()),
        desired: desired.iter().map(|it| ((kind, it.key.clone()), desired_thing(it))).collect(),
        managed: managed.iter().map(|it| (kind, it.key.clone(), Some(it.id.clone()))).collect(),
        taken: Box::default(),
        active: true,
        is_being_deleted: false,
    }
}

fn desired_thing(seen: &Observed) -> DesiredThing {
    DesiredThing { fingerprint: seen.body.fingerprint(), seen: Some(seen.id.clone()), refused: false }
}

/// The grant that these tests are about.
fn alices() -> Observed {
    let named = |id: &str| Named::new(Level::USER, Id::new(id), id);
    let grant = Grant { role: RoleRef::Existing(named("role")), subject: named("alice"), scope: None };
    Observed::new(Id::new("grant-1"), Key::new([("subject", "alice")]), Body::Grant(grant))
}

/// An account whose creates settle after a time, with this in it.
fn account(settle: Duration, seen: Vec<Option<Observed>>, loses: bool) -> (AccountView, Arc<Shows>) {
    let identity = Identity {
        description: String::new(),
        anchors: BTreeSet::new(),
        lacks: BTreeMap::new(),
        expires: None,
    };
    let address = Address::new("arize", &Url::parse("https://api.example.com").unwrap(), "");
    let name = ObjectName::new("team-a", "arize");
    let account = Accounts::new(settle).connect(&name, &address, &identity, None, "x", Limits::default());
    let backend = Arc::new(Shows {
        seen: Mutex::new(seen),
        asks: Mutex::default(),
        loses,
        account: Arc::downgrade(&account),
        writes: AtomicUsize::new(0),
    });
    (AccountView::new(account, backend.clone(), String::new()), backend)
}

/// Executes one step for an object that manages the grant. Returns the result and the number of writes so far.
async fn step(view: &AccountView, backend: &Shows, change: Change, resumed: bool) -> (StepResult, usize) {
    let created = change.verb() == Verb::Create;
    let state = match created {
        true => HeldState::Pending { chosen: None, unsettled: false },
        false => HeldState::Present { id: alices().id, revision: None },
    };
    let held = Held {
        kind: Kind::Grant,
        key: alices().key,
        name: None,
        origin: Origin::Created,
        fingerprint: Fingerprint::from_status(""),
        state,
        taken: None,
        other_claims: OtherClaims::None,
    };
    let step = testing::step(change, resumed);
    let result = execute(view, &step, &held, &claimant("a")).await;
    (result, backend.writes.load(Ordering::Relaxed))
}

fn removal() -> Change {
    testing::delete(alices().id, alices().body)
}

fn creation() -> Change {
    testing::create(None, alices().body)
}

#[tokio::test]
async fn a_thing_claimed_meanwhile_is_not_deleted() {
    for (asked_for, changed, expected) in [(true, true, 0), (false, false, 1)] {
        let seen = alices();
        let (view, backend) = account(Duration::ZERO, vec![Some(seen.clone())], false);
        view.account.claims.lock().set(claimant("a"), claim(&[], &[&seen]));
        *backend.asks.lock() = asked_for.then(|| claim(&[&seen], &[]));
        let (result, writes) = step(&view, &backend, removal(), false).await;
        assert_eq!(
            (matches!(result, StepResult::Moved(Moved::Changed)), writes),
            (changed, expected),
            "{result:?}"
        );
    }
}

#[tokio::test]
async fn an_unanswered_delete_needs_a_new_snapshot() {
    let (view, backend) = account(Duration::ZERO, vec![Some(alices()), None], true);
    let (result, writes) = step(&view, &backend, removal(), false).await;
    assert!(matches!(result, StepResult::Moved(Moved::Removed)) && writes == 1, "{result:?}");
    let (view, backend) = account(Duration::ZERO, vec![Some(alices())], true);
    let (result, _) = step(&view, &backend, removal(), false).await;
    assert!(matches!(&result, StepResult::Failed(error) if error.class == Class::Lost), "{result:?}");
}

#[tokio::test]
async fn an_existing_thing_is_not_created_twice() {
    for (resumed, ours) in [(true, true), (false, false)] {
        let (view, backend) = account(Duration::ZERO, vec![Some(alices())], false);
        let (result, writes) = step(&view, &backend, creation(), resumed).await;
        assert_eq!((matches!(result, StepResult::Moved(Moved::Changed)), writes), (ours, 0), "{result:?}");
    }
}

#[tokio::test]
async fn only_an_unanswered_create_is_unsettled() {
    const LONG: Duration = Duration::from_secs(3600);
    for (loses, unsettled) in [(true, true), (false, false)] {
        let made = if loses { None } else { Some(alices()) };
        let (view, backend) = account(LONG, vec![None, made], loses);
        let before = view.account.unanswered.settled_at(Kind::Grant, &alices().key);
        let (result, writes) = step(&view, &backend, creation(), false).await;
        let lost = matches!(&result, StepResult::Failed(error) if error.class == Class::Lost);
        assert_eq!((lost, writes), (unsettled, 1), "{result:?}");
        let after = view.account.unanswered.settled_at(Kind::Grant, &alices().key);
        assert_eq!(after > before, unsettled);
    }
}

#[test]
fn a_later_refusal_says_nothing_about_an_earlier_try() {
    let body = testing::role("a", &["read"]);
    let dialect = testing::TestDialect::NoScopes;
    let policy = Policy { identity: &dialect, adopt: Adopt::Never, removal: Removal::Delete };
    let intent = testing::pending(dialect, &body, None);
    for (held, refused) in [(vec![], true), (vec![intent], false)] {
        let plan = plan(&[Desired::new(None, body.clone())], &Snapshot::default(), &held, &policy);
        let denied = StepResult::Failed(Error::new(Class::Denied, "no"));
        assert_eq!(held_after(&plan, &[denied])[0].is_refused(), refused);
    }
}
