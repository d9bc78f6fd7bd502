//! One [`Account`] for each account of a back end: its budget, and the claims of all objects on it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use rolewright_api::TenantPin;
use rolewright_backends::{Budget, Identity, Limits};
use rolewright_core::planner::{Claimant, Claims};

use super::{
    identity::{AccountId, Address},
    ledger::Ledger,
    unanswered_creates::UnansweredCreates,
};
use crate::object::{ObjectName, ObjectRef};

/// How much an account is called. All its Backends share it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Usage {
    /// The calls per second that it allows at present.
    pub per_second: f64,
    /// The calls since the start.
    pub calls: u64,
    /// The time that calls have waited for its limits.
    pub waited: Duration,
}

/// One account of a back end.
pub struct Account {
    /// Which account.
    pub id: AccountId,
    /// The limits of all calls to it.
    pub budget: Arc<Budget>,
    /// What its objects claim.
    pub claims: Mutex<Claims>,
    /// Its creates without an answer.
    pub unanswered: UnansweredCreates,
    /// The removals that were made without an approval.
    pub ledger: Mutex<Ledger>,
    /// Its holder writes the ledger into the status of a Backend.
    pub recording: tokio::sync::Mutex<()>,
    anchors: Mutex<BTreeSet<String>>,
    /// What each Backend that is connected to it allows.
    limits: Mutex<BTreeMap<ObjectName, Limits>>,
}

impl Account {
    /// Sets or removes the limits of one Backend. Of several limits the strictest counts: all protect the same account.
    fn set_limits(&self, backend: &ObjectName, limits: Option<Limits>) {
        let mut all = self.limits.lock();
        match limits {
            Some(limits) => all.insert(backend.clone(), limits),
            None => all.remove(backend),
        };
        if let Some(strictest) = all.values().copied().reduce(Limits::stricter) {
            self.budget.set(strictest);
        }
    }

    fn forget(&self, claimant: &Claimant) -> Vec<ObjectRef> {
        let mut claims = self.claims.lock();
        let touched = claims.remove(claimant);
        claims.objects(&touched)
    }

    fn suspend(&self, suspended: impl Fn(&Claimant, &ObjectName) -> bool) -> Vec<ObjectRef> {
        let mut claims = self.claims.lock();
        let of_these = claims.select(|claimant, claim| suspended(claimant, &claim.backend));
        let touched: Vec<Claimant> = of_these.iter().flat_map(|claimant| claims.suspend(claimant)).collect();
        claims.objects(&touched)
    }
}

/// The accounts that Backends are connected to.
pub struct Accounts {
    settle: Duration,
    accounts: Mutex<Vec<Arc<Account>>>,
}

impl Accounts {
    /// An empty list. `settle`: how long a create without an answer can take at a back end.
    pub fn new(settle: Duration) -> Self {
        Self { settle, accounts: Mutex::default() }
    }

    /// Connects a Backend with these limits to its account: the one that it recorded, or that shares an anchor with `identity`, or a new
    /// one. `fallback_name` names an account that shows no anchors, so that it is never taken for another one.
    pub fn connect(
        &self,
        backend: &ObjectName,
        address: &Address,
        identity: &Identity,
        pin: Option<&TenantPin>,
        fallback_name: &str,
        limits: Limits,
    ) -> Arc<Account> {
        let pinned = pin.and_then(|pin| AccountId::of_pin(address, pin));
        let mut accounts = self.accounts.lock();
        let same = |account: &&Arc<Account>| {
            let shares_anchor = || !account.anchors.lock().is_disjoint(&identity.anchors);
            pinned.as_ref() == Some(&account.id) || (account.id.is_near(address) && shares_anchor())
        };
        let account = accounts.iter().find(same).cloned().unwrap_or_else(|| {
            let organization = || identity.anchors.first().map_or(fallback_name, String::as_str);
            let account = Arc::new(Account {
                id: pinned.clone().unwrap_or_else(|| AccountId::new(address, organization())),
                budget: Arc::new(Budget::new(limits)),
                claims: Mutex::default(),
                unanswered: UnansweredCreates::new(self.settle),
                ledger: Mutex::default(),
                recording: tokio::sync::Mutex::default(),
                anchors: Mutex::default(),
                limits: Mutex::default(),
            });
            accounts.push(account.clone());
            account
        });
        account.anchors.lock().extend(identity.anchors.iter().cloned());
        account.set_limits(backend, Some(limits));
        account
    }

    /// The usage of each Backend's account.
    pub fn usage(&self) -> BTreeMap<ObjectName, Usage> {
        let usage_of = |account: Arc<Account>| {
            let backends: Vec<ObjectName> = account.limits.lock().keys().cloned().collect();
            let (calls, waited) = account.budget.usage();
            let usage = Usage { per_second: account.budget.per_second(), calls, waited };
            backends.into_iter().map(move |backend| (backend, usage))
        };
        self.all().into_iter().flat_map(usage_of).collect()
    }

    /// The budget of an account, if it is known.
    pub fn budget(&self, id: &AccountId) -> Option<Arc<Budget>> {
        let accounts = self.accounts.lock();
        accounts.iter().find(|account| account.id == *id).map(|account| account.budget.clone())
    }

    /// Removes the claims of a deleted object, whatever the state of its Backend. Returns the objects whose standing can have changed.
    pub fn forget(&self, claimant: &Claimant) -> Vec<ObjectRef> {
        self.all().iter().flat_map(|account| account.forget(claimant)).collect()
    }

    /// Makes the claims of one object inactive, because its Backend is not ready. Returns the objects whose standing can have changed.
    pub fn suspend(&self, claimant: &Claimant) -> Vec<ObjectRef> {
        let accounts = self.all();
        accounts.iter().flat_map(|account| account.suspend(|one, _| one == claimant)).collect()
    }

    /// Makes the claims of all objects of a Backend inactive, because it is not ready. Returns the objects whose standing can have
    /// changed.
    pub fn suspend_objects_of(&self, backend: &ObjectName) -> Vec<ObjectRef> {
        let accounts = self.all();
        accounts.iter().flat_map(|account| account.suspend(|_, of| of == backend)).collect()
    }

    /// Disconnects a deleted Backend. An account is dropped, with its claims, when its last Backend is. Returns the objects whose
    /// standing can have changed.
    pub fn disconnect(&self, backend: &ObjectName) -> Vec<ObjectRef> {
        let touched = self.suspend_objects_of(backend);
        let mut accounts = self.accounts.lock();
        accounts.retain(|account| {
            account.set_limits(backend, None);
            !account.limits.lock().is_empty()
        });
        touched
    }

    fn all(&self) -> Vec<Arc<Account>> {
        self.accounts.lock().clone()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use rolewright_core::{
        model::{Fingerprint, Id, Key, Kind},
        planner::{Claim, DesiredKeys, DesiredThing},
    };
    use url::Url;

    use super::*;
    use crate::object::ObjectKind;

    fn identity(anchors: &[&str]) -> Identity {
        Identity {
            description: String::new(),
            anchors: anchors.iter().map(|anchor| (*anchor).to_owned()).collect(),
            lacks: BTreeMap::new(),
            own: BTreeSet::new(),
            expires: None,
        }
    }

    fn connect(accounts: &Accounts, backend: &str, url: &str, anchors: &[&str]) -> Arc<Account> {
        let address = Address::new("arize", &Url::parse(url).unwrap(), "");
        let backend = ObjectName::new("team-a", backend);
        accounts.connect(&backend, &address, &identity(anchors), None, &backend.name, Limits::new(5, 10, 4))
    }

    fn claimant(uid: &str) -> Claimant {
        Claimant { created: 0, uid: uid.into() }
    }

    /// Registers an active object of a Backend that desires and manages the one grant.
    fn register(account: &Account, uid: &str, backend: &str) {
        let slot = (Kind::Grant, Key::new([("subject", "alice")]));
        let thing = DesiredThing { fingerprint: Fingerprint::from_status(""), seen: None, refused: false };
        let object = ObjectRef { kind: ObjectKind::RoleBinding, name: ObjectName::new("team-a", uid) };
        let claim = Claim {
            object,
            backend: ObjectName::new("team-a", backend),
            credential: Some("one".into()),
            desired: DesiredKeys::from_iter([(slot.clone(), thing)]),
            managed: vec![(slot.0, slot.1, Some(Id::new("G")))],
            taken: Box::default(),
            reach: Box::default(),
            active: true,
            is_being_deleted: false,
            is_requested: false,
            complete: None,
        };
        account.claims.lock().set(claimant(uid), claim);
    }

    #[test]
    fn strictest_limits_of_two_backends_count_until_deleted() {
        let limits = |per_second, concurrency| Limits::new(per_second, 10, concurrency);
        let address = Address::new("arize", &Url::parse("https://api.example.com").unwrap(), "");
        let (strict, loose) = (ObjectName::new("team-a", "arize"), ObjectName::new("team-b", "arize"));
        let accounts = Accounts::new(Duration::ZERO);
        let connect =
            |backend, limits| accounts.connect(backend, &address, &identity(&["org-1"]), None, "uid", limits);
        connect(&strict, limits(2, 4));
        let account = connect(&loose, limits(9, 1));
        let rates = || {
            let usage = accounts.usage().into_iter();
            usage.map(|(backend, usage)| (backend, usage.per_second)).collect::<BTreeMap<_, _>>()
        };
        assert_eq!(account.budget.limits(), limits(2, 1));
        assert_eq!(rates(), BTreeMap::from([(strict.clone(), 2.0), (loose.clone(), 2.0)]));
        accounts.disconnect(&strict);
        assert_eq!(account.budget.limits(), limits(9, 1));
        assert_eq!(rates(), BTreeMap::from([(loose, 9.0)]));
    }

    #[test]
    fn accounts_are_joined_by_origin_and_anchor() {
        let accounts = Accounts::new(Duration::ZERO);
        let one = connect(&accounts, "one", "https://g", &["org-1"]);
        assert!(Arc::ptr_eq(&one, &connect(&accounts, "two", "https://g", &["org-1", "org-2"])));
        assert!(Arc::ptr_eq(&one, &connect(&accounts, "three", "https://g", &["org-2"])));
        for (url, anchors) in [
            ("https://g:3000", &["org-1"][..]),
            ("https://g.evil.example", &["org-1"]),
            ("https://g", &["org-9"]),
            ("https://g", &[]),
        ] {
            let other = connect(&accounts, "other", url, anchors);
            assert!(!Arc::ptr_eq(&one, &other), "{url} {anchors:?}");
        }
    }

    #[test]
    fn account_is_dropped_with_its_last_backend() {
        let accounts = Accounts::new(Duration::ZERO);
        let account = connect(&accounts, "one", "https://g", &["org-1"]);
        connect(&accounts, "two", "https://g", &["org-1"]);
        for (backend, left) in [("one", 1), ("two", 0)] {
            accounts.disconnect(&ObjectName::new("team-a", backend));
            assert_eq!(accounts.all().len(), left);
        }
        assert!(account.limits.lock().is_empty());
    }

    #[test]
    fn claims_are_inactive_while_the_backend_is_not_ready() {
        let accounts = Accounts::new(Duration::ZERO);
        let account = connect(&accounts, "one", "https://g", &["org-1"]);
        register(&account, "a", "one");
        register(&account, "b", "two");
        let is_active = |uid| account.claims.lock().get(&claimant(uid)).is_some_and(|claim| claim.active);
        let touched = accounts.suspend_objects_of(&ObjectName::new("team-a", "one"));
        assert_eq!(touched.iter().map(|object| &*object.name.name).collect::<Vec<_>>(), ["b"]);
        assert!(!is_active("a") && is_active("b"));
        accounts.suspend(&claimant("b"));
        assert!(!is_active("b"));
        assert!(account.claims.lock().is_managed(Kind::Grant, &Id::new("G")), "records stay");
    }

    #[test]
    fn deleted_objects_leave_no_claim() {
        let accounts = Accounts::new(Duration::ZERO);
        let account = connect(&accounts, "one", "https://g", &["org-1"]);
        register(&account, "a", "one");
        register(&account, "b", "one");
        accounts.suspend_objects_of(&ObjectName::new("team-a", "one"));
        assert_eq!(accounts.forget(&claimant("a")).len(), 1);
        accounts.forget(&claimant("b"));
        assert!(account.claims.lock().is_empty());
    }
}
