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
use crate::object::{ObjectKind, ObjectName, ObjectRef};
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
    /// How every other read and write fails.
    refuses: Mutex<Option<Class>>,
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
        if let Some(class) = *self.refuses.lock() {
            return Err(Error::new(class, "refused"));
        }
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
        if let Some(class) = *self.refuses.lock() {
            return Err(Error::new(class, "refused"));
        }
        if self.loses { Err(Error::new(Class::Lost, "no answer came")) } else { Ok(None) }
    }
}

fn claimant(uid: &str) -> Claimant {
    Claimant { created: 0, uid: uid.into() }
}

fn claim(desired: &[&Observed], managed: &[&Observed]) -> Claim {
    let kind = Kind::Grant;
    Claim {
        object: ObjectRef { kind: ObjectKind::RoleBinding, name: ObjectName::new("team-a", "x") },
        backend: ObjectName::new("team-a", "backend"),
        credential: Some("one".into()),
        desired: desired.iter().map(|it| ((kind, it.key.clone()), desired_thing(it))).collect(),
        managed: managed.iter().map(|it| (kind, it.key.clone(), Some(it.id.clone()))).collect(),
        taken: Box::default(),
        reach: Box::default(),
        active: true,
        is_being_deleted: false,
        is_requested: false,
        complete: None,
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
        own: BTreeSet::new(),
        expires: None,
    };
    let address = Address::new("arize", &Url::parse("https://api.example.com").unwrap(), "");
    let name = ObjectName::new("team-a", "arize");
    let account = Accounts::new(settle).connect(&name, &address, &identity, None, "x", Limits::new(5, 10, 4));
    let backend = Arc::new(Shows {
        seen: Mutex::new(seen),
        asks: Mutex::default(),
        loses,
        refuses: Mutex::default(),
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
    let result = execute(view, &step, &held, &claimant("a"), (true, true)).await;
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

/// A plan that creates this many grants.
fn many_creates(count: usize) -> Plan {
    let dialect = testing::TestDialect::NoScopes;
    let named = |id: String| Named::new(Level::USER, Id::new(&id), id);
    let grant = |number: usize| {
        let role = RoleRef::Existing(named("role".to_owned()));
        let subject = named(format!("user-{number}"));
        Desired::new(Some(subject.name.to_string()), Body::Grant(Grant { role, subject, scope: None }))
    };
    let desired: Vec<Desired> = (0..count).map(grant).collect();
    let policy = Policy { identity: &dialect, adopt: Adopt::Never, removal: Removal::Delete };
    plan(&desired, &Snapshot::default(), &[], &policy)
}

#[tokio::test]
async fn a_failure_of_every_call_stops_the_plan() {
    let binding: rolewright_api::RoleBinding = serde_json::from_value(serde_json::json!({
        "apiVersion": "rolewright.dev/v1alpha1", "kind": "RoleBinding",
        "metadata": {"name": "readers", "namespace": "team-a"},
        "spec": {"backendRef": {"name": "x"}, "roleRef": {"name": "reader"}, "subjects": []},
    }))
    .expect("a RoleBinding");
    let plan = many_creates(50);
    for (class, stops) in [
        (Class::Unauthenticated, true),
        (Class::Throttled(Duration::from_secs(1)), true),
        (Class::Transient, false),
        (Class::Denied, false),
    ] {
        let (view, backend) = account(Duration::ZERO, vec![None], false);
        *backend.refuses.lock() = Some(class);
        let outcome = apply(&view, &plan, &binding, "", None).await;
        let writes = backend.writes.load(Ordering::Relaxed);
        let most = if stops { MAX_CONCURRENT_STEPS } else { 50 };
        assert!(writes <= most && (stops || writes == 50), "{class:?}: {writes}");
        assert_eq!(outcome.failure().map(|error| error.class), Some(class));
        let skipped = outcome.results.iter().filter(|result| matches!(result, StepResult::Skipped)).count();
        assert_eq!(skipped, 50 - writes, "{class:?}");
        assert_eq!(outcome.held.len(), 50, "intents stay recorded");
    }
}

#[tokio::test]
async fn an_absence_that_cannot_be_confirmed_is_unread() {
    let dialect = testing::TestDialect::NoScopes;
    let body = testing::role("a", &["read"]);
    let held = [testing::present(dialect, "A", &body, None)];
    let policy = Policy { identity: &dialect, adopt: Adopt::Never, removal: Removal::Delete };
    let mut builder = rolewright_core::model::Builder::new();
    builder.prove(Kind::Role, rolewright_core::model::Proof::Everywhere);
    let plan = plan(&[Desired::new(None, body)], &builder.complete(), &held, &policy);
    assert_eq!(plan.absent().len(), 1);
    for (class, passes) in [(Class::Transient, true), (Class::Denied, true), (Class::Unauthenticated, false)]
    {
        let (view, backend) = account(Duration::ZERO, vec![None], false);
        *backend.refuses.lock() = Some(class);
        let confirmed = confirm_absences(&view, &plan).await;
        assert_eq!(confirmed.ok(), passes.then_some(false), "{class:?}");
    }
}

#[tokio::test]
async fn update_that_is_made_already_writes_nothing() {
    let (before, mut after) = (alices(), alices());
    if let Body::Grant(grant) = &mut after.body {
        grant.role = RoleRef::Existing(Named::new(Level::ROLE, Id::new("writer"), "writer"));
    }
    let (view, backend) = account(Duration::ZERO, vec![Some(after.clone())], false);
    let change = testing::update(before.id, before.body, after.body.clone());
    let (result, writes) = step(&view, &backend, change.clone(), false).await;
    assert!(matches!(&result, StepResult::Unchanged(seen) if seen.body == after.body), "{result:?}");
    assert_eq!((result.outcome(), result.is_done(), writes), ("unchanged", true, 0));
    // An earlier attempt, whose end was not recorded, can have written it.
    assert!(matches!(step(&view, &backend, change, true).await.0, StepResult::Done(_)));
}
