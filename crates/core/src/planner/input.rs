//! What a plan is made from, beside the snapshot: wants, held things, policy.

use std::sync::OnceLock;

use crate::model::{Body, ChosenId, Defaults, Fingerprint, Id, IdentityRules, Key, Kind};

/// One thing that an object asks for.
#[derive(Clone, Debug)]
pub struct Want {
    /// What the spec calls it where it has several: a subject's name.
    pub name: Option<String>,
    /// What it is to be.
    pub wish: Wish,
    /// The id to make it under, where that is ours to choose.
    pub chosen: Option<ChosenId>,
    /// How it stands to other objects' claims.
    pub standing: Standing,
    /// What was taken away for the object that it would be handed over from.
    pub inherited: Option<Defaults>,
    /// Worked out once, when it is first asked for.
    pub(crate) fingerprint: OnceLock<Fingerprint>,
}

/// What a want is to be.
#[derive(Clone, Debug)]
pub enum Wish {
    /// This.
    Body(Body),
    /// Not known: a name in the spec stands for nothing. What is held under the same name is left alone.
    Unresolved(Issue, String),
}

impl Want {
    /// A want that nobody else claims.
    pub fn new(name: Option<String>, body: Body) -> Self {
        Self::of(name, Wish::Body(body))
    }

    /// A want that no name in the spec makes clear.
    pub fn unresolved(name: Option<String>, issue: Issue, message: impl Into<String>) -> Self {
        Self::of(name, Wish::Unresolved(issue, message.into()))
    }

    pub(super) fn of(name: Option<String>, wish: Wish) -> Self {
        Self {
            name,
            wish,
            chosen: None,
            standing: Standing::Free,
            inherited: None,
            fingerprint: OnceLock::new(),
        }
    }

    /// Tells what it is to be from anything else. None while that is not known.
    pub fn fingerprint(&self) -> Option<&Fingerprint> {
        match &self.wish {
            Wish::Body(body) => Some(self.fingerprint.get_or_init(|| body.fingerprint())),
            Wish::Unresolved(..) => None,
        }
    }
}

/// How a want stands to the claims of other objects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nobody else is in the way.
    Free,
    /// It is there, and others hold it and ask for the same.
    Shared(String),
    /// Its holders are letting go, or do not write, and this object is next.
    Heir,
    /// Another object holds it, or is older.
    Blocked(String),
    /// Another object asks for the same and has to make it first.
    Behind(String),
}

/// What keeps a want from being met, or a held thing from being let go.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Issue {
    /// The spec asks for what cannot be.
    Invalid,
    /// The back end has no such function.
    Unsupported,
    /// Something else has it, or is it.
    Conflict,
    /// A name stands for nothing that the credential sees.
    NotFound,
    /// It is not seen, and not proven absent.
    NotVisible,
    /// It cannot be removed while others depend on it.
    Blocked,
    /// Another object has to act first, and will.
    Waiting,
}

/// How a thing came to be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This object made it.
    Created,
    /// It was there, and was taken over.
    Adopted,
    /// Another object holds it too.
    Shared,
}

/// What other objects have to do with a held thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Others {
    /// Nothing.
    #[default]
    None,
    /// They hold it too: it stays when this object lets go, and this object alone cannot change it.
    Hold(String),
    /// One waits for it: it is handed over, not removed.
    Wait(String),
}

/// One thing that an object holds: the only ground for changing or removing anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its kind.
    pub kind: Kind,
    /// Its id; None while its creation is begun and not recorded as done.
    pub id: Option<Id>,
    /// Its natural key when it was last written.
    pub key: Key,
    /// What the spec called it.
    pub name: Option<String>,
    /// How it came to be held.
    pub origin: Origin,
    /// Of a begun creation: the id that it was to be made under, where that is ours to choose.
    pub chosen: Option<Id>,
    /// What was last applied.
    pub fingerprint: Fingerprint,
    /// The mark of the state in which it was last seen to be as applied.
    pub revision: Option<String>,
    /// Its creation was begun and the back end refused it: what has its natural key is another's.
    pub refused: bool,
    /// Its creation was asked for and not answered, and the back end may still be at it.
    pub unsettled: bool,
    /// Of a resource that was closed: the defaults that were taken away for it, to be given back when it is let go.
    pub taken: Option<Defaults>,
    /// What other objects have to do with it.
    pub others: Others,
}

impl Held {
    /// Whether its creation is begun and not recorded as done.
    pub fn pending(&self) -> bool {
        self.id.is_none()
    }

    /// Whose grant it is.
    pub(super) fn subject(&self) -> Option<&str> {
        self.key.get("subject")
    }

    /// Where its absence has to be proven.
    pub(super) fn place(&self) -> Option<Id> {
        self.key.place()
    }
}

/// What happens to a thing that is there already and that nobody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adopt {
    /// It is a conflict.
    Never,
    /// It is taken over if it equals the want.
    IfIdentical,
    /// It is taken over and made equal.
    Always,
}

/// What happens to a held thing that is no longer wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// It is removed.
    Delete,
    /// It is let go and stays.
    Retain,
}

/// What a plan has to respect.
#[derive(Clone, Copy)]
pub struct Policy<'a> {
    /// The back end's pure part.
    pub identity: &'a dyn IdentityRules,
    /// On taking over.
    pub adopt: Adopt,
    /// On removing.
    pub removal: Removal,
}
