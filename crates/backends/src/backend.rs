//! The trait that every back end implements, and its contract.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::error::Error;
use rolewright_core::model::{
    Body, Change, Dialect, Entry, Grant, Group, Id, Kind, Level, Observed, Restriction, Role, Snapshot,
};

/// Who a credential is, as far as the back end shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// What the credential is, or what it sees, as the end of a sentence.
    pub description: String,
    /// Identifiers that only this account has. Two credentials that share an anchor belong to one account. Empty where the credential
    /// sees too little.
    pub anchors: BTreeSet<String>,
    /// The kinds that the vendor offers and this account does not have, for example without a licence, and why.
    pub lacks: BTreeMap<Kind, String>,
    /// The names and ids of the credential's own account, where the back end shows them: without its roles, nothing can be managed.
    pub own: BTreeSet<String>,
    /// When the credential expires, where the back end shows it.
    pub expires: Option<Timestamp>,
}

/// Which parts of an account a snapshot has to show. A back end reads nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// The kinds of things.
    pub kinds: BTreeSet<Kind>,
    /// The levels of the directory at which names are needed.
    pub levels: BTreeSet<Level>,
    /// What [`SweepHints::hint`] returns for managed things: what to read beside the lists, so that each is observed or its absence is
    /// proven.
    ///
    /// [`SweepHints::hint`]: rolewright_core::model::SweepHints::hint
    pub hints: BTreeSet<Id>,
}

/// Actions and resources that the account is known to have, for messages about wrong ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Vocabulary {
    actions: BTreeSet<String>,
    resources: BTreeSet<String>,
}

impl Vocabulary {
    /// Adds an action, and a resource that it applies to.
    pub fn add(&mut self, action: &str, resource: Option<&str>) {
        let add = |all: &mut BTreeSet<String>, text: &str| {
            if !text.is_empty() && !all.contains(text) {
                all.insert(text.to_owned());
            }
        };
        add(&mut self.actions, action);
        add(&mut self.resources, resource.unwrap_or_default());
    }

    /// The known actions, or else the known resources.
    pub fn of(&self, actions: bool) -> &BTreeSet<String> {
        if actions { &self.actions } else { &self.resources }
    }
}

/// One account of a vendor, used with one credential.
///
/// # Who calls what
///
/// Callers use [`probe`](Self::probe), [`snapshot`](Self::snapshot), [`look_up`](Self::look_up), [`read`](Self::read),
/// [`find`](Self::find) and [`write`](Self::write), and nothing else. A vendor implements the first three, and of the small methods those
/// for what its capabilities offer: `read_role`, `create_grant` and so on. `read`, `find` and `write` choose the small method. The small
/// methods that a vendor leaves out return an error that names the vendor and the kind, because no plan contains such a change.
///
/// # Reads
///
/// Reads change nothing and can be repeated.
///
/// `Ok(None)` means *not visible*: deleted, or hidden from the credential. Only a snapshot proves absence, by its
/// [`Proof`](rolewright_core::model::Proof). A call that failed never becomes `None`, an empty list or a shorter list: it stays an error, or
/// an unread part of a snapshot.
/// `read` and `find` show the state of the back end at this moment, never a cached one.
///
/// # Writes
///
/// The caller reads the thing right before it updates or deletes it. Where the back end creates duplicates, the caller looks for one right
/// before it creates one.
///
/// * **Create** makes one thing. If the natural key or the chosen id is taken, it changes nothing and returns `Conflict`.
/// * **Update** makes the thing equal to `after` and leaves alone what Rolewright does not manage. Repeating it does no harm.
/// * **Delete** removes this one thing, and never a grant with it: while subjects have a role, it returns `Conflict`. If the thing is already
///   deleted, it returns `Ok`, or `Missing` where the back end cannot tell "deleted" from "hidden".
///
/// Each write is sent once. A create or an update returns the thing as the back end shows it afterwards.
///
/// # Errors
///
/// The class decides what the caller does next, whatever the vendor:
///
/// | [`Class`](super::Class) | the caller |
/// |---|---|
/// | `Invalid`, `Unsupported` | reports it on the object, whose spec has to change; retries slowly |
/// | `Denied` | reports it on the object; retries slowly |
/// | `Unauthenticated` | probes the credential of the Backend; its objects wait |
/// | `Missing` | reads the thing again: if it is still visible, the call was denied; if not, a new snapshot decides |
/// | `Conflict` | after a create, looks for the thing with `find` |
/// | `Throttled` | waits as long as it says, for the whole account |
/// | `Lost` | the write was executed or not: looks with `find` or `read` before it tries again |
/// | `Transient` | retries with back-off |
///
/// # Example
///
/// ```
/// # use async_trait::async_trait;
/// # use rolewright_backends::{Backend, Class, Error, Identity, Needs};
/// # use rolewright_core::model::{Dialect, Entry, Id, Level, Observed, Role, Snapshot};
/// # struct Directory;
/// # impl Directory {
/// #     async fn get(&self, _: &Id) -> Result<Observed, Error> { unimplemented!() }
/// #     async fn post(&self, _: &Role) -> Result<Observed, Error> { unimplemented!() }
/// # }
/// #[async_trait]
/// impl Backend for Directory {
///     // ... dialect, probe, snapshot, look_up
/// #     fn dialect(&self) -> &'static dyn Dialect { unimplemented!() }
/// #     async fn probe(&self) -> Result<Identity, Error> { unimplemented!() }
/// #     async fn snapshot(&self, _: &Needs) -> Result<Snapshot, Error> { unimplemented!() }
/// #     async fn look_up(&self, _: Level, _: &str, _: Option<&Id>) -> Result<Vec<Entry>, Error> { unimplemented!() }
///
///     async fn read_role(&self, id: &Id) -> Result<Option<Observed>, Error> {
///         match self.get(id).await {
///             // Deleted or hidden: this server answers both alike.
///             Err(error) if error.class == Class::Missing => Ok(None),
///             role => role.map(Some),
///         }
///     }
///
///     async fn create_role(&self, _id: Option<&Id>, role: &Role) -> Result<Observed, Error> {
///         // A taken name is a 409, which is a `Conflict`; a lost answer is `Lost`. The HTTP stack sets both.
///         self.post(role).await
///     }
/// }
/// ```
#[async_trait]
pub trait Backend: Send + Sync {
    /// The vendor's pure part.
    fn dialect(&self) -> &'static dyn Dialect;

    /// Asks who the credential is, or what it sees where the API has no such call.
    async fn probe(&self) -> Result<Identity, Error>;

    /// Actions and resources that the account has, as far as the vendor shows them beside its roles. Called after a role was refused; at
    /// most one call to the back end, whose failure shortens a message and nothing else.
    async fn vocabulary(&self) -> Vocabulary {
        Vocabulary::default()
    }

    /// Reads every list that is needed to its end. A refused list leaves its part empty, unproven and noted as refused. A list or a single
    /// read that fails leaves its part unproven and recorded as unread: see [`Snapshot::failures`].
    ///
    /// # Errors
    /// A failure that every call has: `Unauthenticated`, `Throttled`, a missing API, or a back end of which nothing could be read.
    async fn snapshot(&self, needs: &Needs) -> Result<Snapshot, Error>;

    /// Looks up one name that came after the last snapshot. More than one entry means that the name is ambiguous.
    async fn look_up(&self, level: Level, name: &str, parent: Option<&Id>) -> Result<Vec<Entry>, Error>;

    /// Reads one thing by its id. None: not visible.
    async fn read(&self, kind: Kind, id: &Id) -> Result<Option<Observed>, Error> {
        match kind {
            Kind::Role => self.read_role(id).await,
            Kind::Grant => self.read_grant(id).await,
            Kind::Restriction => self.read_restriction(id).await,
            Kind::Group => self.read_group(id).await,
        }
    }

    /// Looks for the thing with this body's natural key. None: not visible.
    async fn find(&self, body: &Body) -> Result<Option<Observed>, Error> {
        match body {
            Body::Role(role) => self.find_role(role).await,
            Body::Grant(grant) => self.find_grant(grant).await,
            Body::Restriction(restriction) => self.find_restriction(restriction).await,
            Body::Group(group) => self.find_group(group).await,
        }
    }

    /// Executes one change. Returns the thing as the back end shows it afterwards; None for a delete.
    async fn write(&self, change: &Change) -> Result<Option<Observed>, Error> {
        match change {
            Change::Create { id, after, .. } => match after {
                Body::Role(role) => self.create_role(id.as_ref(), role).await,
                Body::Grant(grant) => self.create_grant(grant).await,
                Body::Restriction(restriction) => self.create_restriction(restriction).await,
                Body::Group(group) => self.create_group(group).await,
            }
            .map(Some),
            Change::Update { id, before, after, .. } => match (before, after) {
                (Body::Role(before), Body::Role(after)) => self.update_role(id, before, after).await,
                (Body::Grant(before), Body::Grant(after)) => self.update_grant(id, before, after).await,
                (Body::Restriction(before), Body::Restriction(after)) => {
                    self.update_restriction(id, before, after).await
                }
                (Body::Group(before), Body::Group(after)) => self.update_group(id, before, after).await,
                _ => Err(Error::mistake(format!("a {} cannot become a {}", before.kind(), after.kind()))),
            }
            .map(Some),
            Change::Delete { id, before, .. } => match before {
                Body::Role(role) => self.delete_role(id, role).await,
                Body::Grant(grant) => self.delete_grant(id, grant).await,
                Body::Restriction(restriction) => self.delete_restriction(id, restriction).await,
                Body::Group(group) => self.delete_group(id, group).await,
            }
            .map(|()| None),
        }
    }

    /// See [`Backend::read`].
    async fn read_role(&self, _id: &Id) -> Result<Option<Observed>, Error> {
        Err(not_offered(self.dialect(), "read", Kind::Role))
    }

    /// See [`Backend::read`].
    async fn read_grant(&self, _id: &Id) -> Result<Option<Observed>, Error> {
        Err(not_offered(self.dialect(), "read", Kind::Grant))
    }

    /// See [`Backend::read`].
    async fn read_restriction(&self, _id: &Id) -> Result<Option<Observed>, Error> {
        Err(not_offered(self.dialect(), "read", Kind::Restriction))
    }

    /// See [`Backend::read`].
    async fn read_group(&self, _id: &Id) -> Result<Option<Observed>, Error> {
        Err(not_offered(self.dialect(), "read", Kind::Group))
    }

    /// See [`Backend::find`].
    async fn find_role(&self, _role: &Role) -> Result<Option<Observed>, Error> {
        Err(not_offered(self.dialect(), "find", Kind::Role))
    }

    /// See [`Backend::find`].
    async fn find_grant(&self, _grant: &Grant) -> Result<Option<Observed>, Error> {
        Err(not_offered(self.dialect(), "find", Kind::Grant))
    }

    /// See [`Backend::find`].
    async fn find_restriction(&self, _restriction: &Restriction) -> Result<Option<Observed>, Error> {
        Err(not_offered(self.dialect(), "find", Kind::Restriction))
    }

    /// See [`Backend::find`].
    async fn find_group(&self, _group: &Group) -> Result<Option<Observed>, Error> {
        Err(not_offered(self.dialect(), "find", Kind::Group))
    }

    /// Creates a role, under this id where Rolewright chooses ids.
    async fn create_role(&self, _id: Option<&Id>, _role: &Role) -> Result<Observed, Error> {
        Err(not_offered(self.dialect(), "create", Kind::Role))
    }

    /// Grants a role to a subject.
    async fn create_grant(&self, _grant: &Grant) -> Result<Observed, Error> {
        Err(not_offered(self.dialect(), "create", Kind::Grant))
    }

    /// Restricts a resource, where a restriction is a thing of its own.
    async fn create_restriction(&self, _restriction: &Restriction) -> Result<Observed, Error> {
        Err(not_offered(self.dialect(), "create", Kind::Restriction))
    }

    /// Creates the group that a RoleBinding owns.
    async fn create_group(&self, _group: &Group) -> Result<Observed, Error> {
        Err(not_offered(self.dialect(), "create", Kind::Group))
    }

    /// Makes the role `id` equal to `after`.
    async fn update_role(&self, _id: &Id, _before: &Role, _after: &Role) -> Result<Observed, Error> {
        Err(not_offered(self.dialect(), "update", Kind::Role))
    }

    /// Changes the role of the grant `id`, where the natural key of a grant does not include its role.
    async fn update_grant(&self, _id: &Id, _before: &Grant, _after: &Grant) -> Result<Observed, Error> {
        Err(not_offered(self.dialect(), "update", Kind::Grant))
    }

    /// Removes default permissions of a resource, or restores them, where that is how resources are restricted.
    async fn update_restriction(
        &self,
        _id: &Id,
        _before: &Restriction,
        _after: &Restriction,
    ) -> Result<Observed, Error> {
        Err(not_offered(self.dialect(), "update", Kind::Restriction))
    }

    /// Makes the group `id` equal to `after`: its roles and its members.
    async fn update_group(&self, _id: &Id, _before: &Group, _after: &Group) -> Result<Observed, Error> {
        Err(not_offered(self.dialect(), "update", Kind::Group))
    }

    /// Deletes the role `id`, which no subject has.
    async fn delete_role(&self, _id: &Id, _before: &Role) -> Result<(), Error> {
        Err(not_offered(self.dialect(), "delete", Kind::Role))
    }

    /// Takes a role from a subject.
    async fn delete_grant(&self, _id: &Id, _before: &Grant) -> Result<(), Error> {
        Err(not_offered(self.dialect(), "delete", Kind::Grant))
    }

    /// Opens a resource again, where a restriction is a thing of its own.
    async fn delete_restriction(&self, _id: &Id, _before: &Restriction) -> Result<(), Error> {
        Err(not_offered(self.dialect(), "delete", Kind::Restriction))
    }

    /// Deletes the group that a RoleBinding owned.
    async fn delete_group(&self, _id: &Id, _before: &Group) -> Result<(), Error> {
        Err(not_offered(self.dialect(), "delete", Kind::Group))
    }
}

/// The error of every small method that a vendor leaves out.
fn not_offered(dialect: &dyn Dialect, action: &str, kind: Kind) -> Error {
    Error::mistake(format!("{} cannot {action} a {kind}", dialect.vendor()))
}
