//! Which objects share workers.

use std::{
    hash::{Hash, Hasher},
    sync::Arc,
};

use rolewright_reconcile::{account::Account, object::ObjectName};

/// Objects that share workers.
#[derive(Clone, PartialEq, Eq, Hash)]
pub enum Group {
    /// Backends that are new or work.
    Backends,
    /// Backends that do not work. Each can wait for a host that does not answer.
    FailedBackends,
    /// The objects of one account.
    Account(SameAccount),
    /// The AccessRequests of a namespace: they call no back end.
    AccessRequests(Arc<str>),
    /// The objects of a Backend that is not connected: they call no back end.
    Unconnected(ObjectName),
}

impl Group {
    /// How many objects of the group are reconciled at one time.
    pub fn workers(&self) -> usize {
        const BACKENDS: usize = 16;
        match self {
            Self::Backends | Self::FailedBackends => BACKENDS,
            Self::Account(SameAccount(account)) => {
                usize::try_from(account.budget.limits().concurrency).unwrap_or(1)
            }
            // One by one: each counts the ones before it.
            Self::AccessRequests(_) | Self::Unconnected(_) => 1,
        }
    }
}

/// An account, compared by its address.
#[derive(Clone)]
pub struct SameAccount(pub Arc<Account>);

impl PartialEq for SameAccount {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for SameAccount {}

impl Hash for SameAccount {
    fn hash<H: Hasher>(&self, state: &mut H) {
        Arc::as_ptr(&self.0).hash(state);
    }
}
