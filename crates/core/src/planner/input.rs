//! The input of a plan besides the snapshot: what an object desires, what it manages, and its policy.

use std::{collections::HashSet, sync::OnceLock};

use super::problem::Problem;
use crate::model::{Body, ChosenId, Defaults, Fingerprint, Id, IdentityRules, Key, Kind};

/// One external thing that an object's spec desires.
#[derive(Clone, Debug)]
pub struct Desired {
    /// Its name in the spec, where the spec lists several: the name of a subject.
    pub name: Option<String>,
    /// Its content.
    pub body: DesiredBody,
    /// The id to create it with, where Rolewright chooses the id.
    pub chosen: Option<ChosenId>,
    /// Its standing among the claims of other objects.
    pub standing: Standing,
    /// The default permissions that were taken away for the previous manager, if the thing is handed over to this object; or for this
    /// object, before its status was lost.
    pub inherited: Option<Defaults>,
    /// Computed on first use.
    pub(super) fingerprint: OnceLock<Fingerprint>,
}

/// The content of a desired thing.
#[derive(Clone, Debug)]
pub enum DesiredBody {
    /// All names in the spec were resolved.
    Resolved(Body),
    /// A name in the spec could not be resolved. What the object manages under that name stays as it is; under any name, if the item has
    /// none.
    Unresolved(Problem),
    /// A name that all listed items refer to could not be resolved, such as the scope of all grants. What the object manages under these
    /// names of the spec, and under no name, stays as it is.
    AllUnresolved(Problem, HashSet<String>),
}

impl Desired {
    /// A resolved item that no other object claims.
    pub fn new(name: Option<String>, body: Body) -> Self {
        Self::with_body(name, DesiredBody::Resolved(body))
    }

    /// An item that could not be resolved.
    pub fn unresolved(name: Option<String>, problem: Problem) -> Self {
        Self::with_body(name, DesiredBody::Unresolved(problem))
    }

    /// An item for a whole list whose items all refer to something that could not be resolved. `names`: the list.
    pub fn all_unresolved(names: impl IntoIterator<Item = String>, problem: Problem) -> Self {
        Self::with_body(None, DesiredBody::AllUnresolved(problem, names.into_iter().collect()))
    }

    /// A problem of a field of the spec. What the object manages under these names stays.
    pub fn problem_of(field: &str, names: impl IntoIterator<Item = String>, problem: Problem) -> Self {
        let names = names.into_iter().collect();
        Self::with_body(Some(field.to_owned()), DesiredBody::AllUnresolved(problem, names))
    }

    pub(super) fn with_body(name: Option<String>, body: DesiredBody) -> Self {
        Self {
            name,
            body,
            chosen: None,
            standing: Standing::Free,
            inherited: None,
            fingerprint: OnceLock::new(),
        }
    }

    /// The fingerprint of the desired body. None if the item is not resolved.
    pub fn fingerprint(&self) -> Option<&Fingerprint> {
        match &self.body {
            DesiredBody::Resolved(body) => Some(self.fingerprint.get_or_init(|| body.fingerprint())),
            DesiredBody::Unresolved(_) | DesiredBody::AllUnresolved(..) => None,
        }
    }
}

/// Whether an object can have a desired thing, given the claims of other objects. A text names the other object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// No other object is in the way.
    Free,
    /// Other objects manage the thing and desire the same.
    Shared(String),
    /// The managers release the thing or do not write, and this object is the next.
    NextOwner,
    /// Another object manages the thing, or is older.
    Blocked(String),
    /// Another object desires the same and must create the thing first.
    Waiting(String),
}

/// How an object came to manage a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The object created it.
    Created,
    /// It existed, and the object adopted it.
    Adopted,
    /// Another object managed it already and desired the same.
    Shared,
}

/// What other objects claim of a thing that this object manages. A text names one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum OtherClaims {
    /// Nothing.
    #[default]
    None,
    /// Others manage it too: it stays when this object releases it, and this object alone cannot change it.
    Shared(String),
    /// Another object waits for it: it is handed over, not deleted.
    Waiting(String),
}

/// One external thing that an object manages: an entry of `status.held`, and the only basis for changing or deleting anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its kind.
    pub kind: Kind,
    /// Its natural key at the last write.
    pub key: Key,
    /// Its name in the spec, such as the name of a subject.
    pub name: Option<String>,
    /// How the object came to manage it.
    pub origin: Origin,
    /// The fingerprint of the body that was last applied.
    pub fingerprint: Fingerprint,
    /// Whether it exists, as far as the object recorded.
    pub state: HeldState,
    /// The default permissions that were taken away to close a resource. They are restored when the object releases it.
    pub taken: Option<Defaults>,
    /// What other objects claim of it. Not recorded: set before each plan.
    pub other_claims: OtherClaims,
}

/// What an object knows about the existence of a thing that it manages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeldState {
    /// The thing was created or adopted.
    Present {
        /// Its id.
        id: Id,
        /// The version mark of the thing when it last equalled the applied body.
        revision: Option<String>,
    },
    /// Its creation was started, and the outcome is not recorded.
    Pending {
        /// The id to create it with, where Rolewright chooses the id.
        chosen: Option<Id>,
        /// The create was not answered, and the back end may still execute it. Not recorded: set before each plan.
        unsettled: bool,
    },
    /// The back end refused to create it, or to close it. A thing with its natural key is not this object's.
    Refused {
        /// The id to create it with, where Rolewright chooses the id; the id of the resource that was not closed.
        chosen: Option<Id>,
    },
}

impl Held {
    /// The id of the thing, if it is present.
    pub fn id(&self) -> Option<&Id> {
        match &self.state {
            HeldState::Present { id, .. } => Some(id),
            HeldState::Pending { .. } | HeldState::Refused { .. } => None,
        }
    }

    /// The id that the status records: of the thing, or the one to create it with.
    pub fn recorded_id(&self) -> Option<&Id> {
        match &self.state {
            HeldState::Present { id, .. } => Some(id),
            HeldState::Pending { chosen, .. } | HeldState::Refused { chosen } => chosen.as_ref(),
        }
    }

    /// The version mark of the thing when it last equalled the applied body.
    pub fn revision(&self) -> Option<&str> {
        match &self.state {
            HeldState::Present { revision, .. } => revision.as_deref(),
            HeldState::Pending { .. } | HeldState::Refused { .. } => None,
        }
    }

    /// Whether the thing was created or adopted.
    pub fn is_present(&self) -> bool {
        self.id().is_some()
    }

    /// Whether the back end refused to create or close the thing.
    pub fn is_refused(&self) -> bool {
        matches!(self.state, HeldState::Refused { .. })
    }

    /// Whether a create was not answered and may still be executed.
    pub(super) fn is_unsettled(&self) -> bool {
        matches!(self.state, HeldState::Pending { unsettled: true, .. })
    }

    /// Records that the thing exists. Its version mark is unknown until the thing equals the applied body.
    pub(super) fn set_present(&mut self, id: Id) {
        self.state = HeldState::Present { id, revision: None };
    }

    /// The id of the subject of a grant.
    pub(super) fn subject(&self) -> Option<&str> {
        self.key.get("subject")
    }
}

/// What to do with an existing thing that no object manages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adopt {
    /// Report a conflict.
    Never,
    /// The same, because the ClusterBackend does not allow adopting.
    Forbidden,
    /// Adopt it if it equals the desired body; else report a conflict.
    IfIdentical,
    /// Adopt it and change it to the desired body.
    Always,
}

/// What to do with a managed thing that is no longer desired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// Delete it.
    Delete,
    /// Release it, so that it stays.
    Retain,
}

/// The rules that a plan follows.
#[derive(Clone, Copy)]
pub struct Policy<'a> {
    /// The rules of the back end.
    pub identity: &'a dyn IdentityRules,
    /// What to do with existing things.
    pub adopt: Adopt,
    /// What to do with things that are no longer desired.
    pub removal: Removal,
}
