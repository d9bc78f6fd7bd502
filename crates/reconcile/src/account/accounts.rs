//! One [`Account`] for each account of a back end: its budget, and the claims of all objects on it.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
    time::Duration,
};

use parking_lot::Mutex;
use rolewright_backends::{Budget, Identity, Limits};
use rolewright_core::planner::{Claimant, Claims};

use super::unanswered_creates::UnansweredCreates;
use crate::object::{ObjectName, ObjectRef};

/// One account of a back end.
pub struct Account {
    /// Its origin and, where known, its identity: `https://api.example.com#org-1`.
    pub id: String,
    /// The limits of all calls to it.
    pub budget: Arc<Budget>,
    /// What its objects claim.
    pub claims: Mutex<Claims>,
    /// Its creates without an answer.
    pub unanswered: UnansweredCreates,
    /// The object behind each claimant.
    pub objects: Mutex<HashMap<Claimant, ObjectRef>>,
    anchors: Mutex<BTreeSet<String>>,
    /// What each of its Backends allows.
    limits: Mutex<HashMap<ObjectName, Limits>>,
}

impl Account {
    /// Sets the limits of one of its Backends; None removes them with the Backend. Of several limits the strictest counts: all
    /// protect the same account.
    pub fn set_limits(&self, backend: &ObjectName, limits: Option<Limits>) {
        let mut all = self.limits.lock();
        match limits {
            Some(limits) => all.insert(backend.clone(), limits),
            None => all.remove(backend),
        };
        if let Some(strictest) = all.values().copied().reduce(Limits::stricter) {
            self.budget.set(strictest);
        }
    }

    /// The objects of these claimants, as far as they are known.
    pub fn objects_of(&self, claimants: &[Claimant]) -> Vec<ObjectRef> {
        let objects = self.objects.lock();
        claimants.iter().filter_map(|claimant| objects.get(claimant).cloned()).collect()
    }
}

/// All accounts that any Backend was connected to since the start.
pub struct Accounts {
    settle: Duration,
    accounts: Mutex<Vec<Arc<Account>>>,
}

impl Accounts {
    /// An empty list. `settle`: how long a create without an answer can take at a back end.
    pub fn new(settle: Duration) -> Self {
        Self { settle, accounts: Mutex::default() }
    }

    /// The account of an identity: the one that shares an anchor or has the pinned id, or a new one.
    ///
    /// `fallback_name` names an account that shows no anchors, so that it is never taken for another one.
    pub fn get_or_create(
        &self,
        origin: &str,
        identity: &Identity,
        pinned: Option<&str>,
        fallback_name: &str,
        limits: Limits,
    ) -> Arc<Account> {
        let mut accounts = self.accounts.lock();
        let same = |account: &&Arc<Account>| {
            let anchors = account.anchors.lock();
            pinned == Some(account.id.as_str())
                || (account.id.starts_with(origin) && !anchors.is_disjoint(&identity.anchors))
        };
        if let Some(account) = accounts.iter().find(same) {
            account.anchors.lock().extend(identity.anchors.iter().cloned());
            return account.clone();
        }
        let id = pinned.map(str::to_owned).unwrap_or_else(|| {
            format!("{origin}#{}", identity.anchors.first().map_or(fallback_name, String::as_str))
        });
        let account = Arc::new(Account {
            id,
            budget: Arc::new(Budget::new(limits)),
            claims: Mutex::default(),
            unanswered: UnansweredCreates::new(self.settle),
            objects: Mutex::default(),
            anchors: Mutex::new(identity.anchors.clone()),
            limits: Mutex::default(),
        });
        accounts.push(account.clone());
        account
    }

    /// The budget of the account with this id, if it is known.
    pub fn budget(&self, id: &str) -> Option<Arc<Budget>> {
        let accounts = self.accounts.lock();
        accounts.iter().find(|account| account.id == id).map(|account| account.budget.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn strictest_limits_of_two_backends_count_until_deleted() {
        let limits = |per_second, concurrency| Limits { per_second, burst: 10, concurrency };
        let identity = Identity {
            description: String::new(),
            anchors: BTreeSet::from(["org-1".to_owned()]),
            lacks: BTreeMap::new(),
            expires: None,
        };
        let (strict, loose) = (ObjectName::new("team-a", "arize"), ObjectName::new("team-b", "arize"));
        let accounts = Accounts::new(Duration::ZERO);
        let account = accounts.get_or_create("https://api.example.com", &identity, None, "uid", limits(9, 1));
        account.set_limits(&strict, Some(limits(2, 4)));
        account.set_limits(&loose, Some(limits(9, 1)));
        assert_eq!(account.budget.limits(), limits(2, 1));
        account.set_limits(&strict, None);
        assert_eq!(account.budget.limits(), limits(9, 1));
    }
}
