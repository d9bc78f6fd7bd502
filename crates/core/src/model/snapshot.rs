//! The state of a back end in one sweep. A part that could not be read to its end is recorded as unread, and the others are used.
//! A thing that is missing is absent only where the sweep proved that the credential can read such things.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{
    body::{Body, Kind},
    directory::{Directory, Entry},
    key::{Fingerprint, Id, Key},
    level::Level,
    reach::StillOpen,
    unread::{Failures, Part, ReadFailure},
};

/// An external thing as a sweep or a read returned it.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// Its id.
    pub id: Id,
    /// Its natural key.
    pub key: Key,
    /// Its content.
    pub body: Body,
    /// Why it cannot be changed, if the vendor owns it, such as "a predefined role".
    pub read_only: Option<String>,
    /// The back end's version mark, where it has one. While the mark is the same, the thing is unchanged.
    pub revision: Option<String>,
    /// The fingerprint of the body that Rolewright last applied, where the back end hides a part of the body and keeps a mark of it.
    pub applied: Option<Fingerprint>,
    /// A list showed only a part of it: of `body`, only the name is reliable.
    pub outline: bool,
    /// A remark for the status.
    pub remark: Option<String>,
    /// Who can use a resource that a restriction closes.
    pub still_open: Option<Box<StillOpen>>,
}

impl Observed {
    /// A thing that was read completely and can be changed.
    pub fn new(id: Id, key: Key, body: Body) -> Self {
        Self {
            id,
            key,
            body,
            read_only: None,
            revision: None,
            applied: None,
            outline: false,
            remark: None,
            still_open: None,
        }
    }

    /// Drops the rules of a role whose version mark is this one. A caller that recorded the mark needs only the mark to find changes, and
    /// the rules of a long role need megabytes.
    pub fn shorten(&mut self, revision: &str) {
        if let Body::Role(role) = &mut self.body
            && !role.unreadable
            && self.revision.as_deref() == Some(revision)
        {
            role.rules = BTreeSet::new();
            self.outline = true;
        }
    }
}

/// Where this sweep proved that it would have read every thing of a kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Proof {
    /// The credential can read all things of this kind.
    Everywhere,
    /// The credential can read all of those in these places.
    Within(HashSet<Id>),
    /// Nothing is proven: the credential can be too narrow.
    #[default]
    Nowhere,
}

/// What it means that a snapshot lacks a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// The thing does not exist: the sweep would have read it.
    Proven,
    /// The thing does not exist, or the credential cannot read it.
    Unproven,
}

#[derive(Clone, Debug, Default)]
struct Things {
    /// Boxed, because a hash table is half empty and bodies are large.
    by_id: HashMap<Id, Box<Observed>>,
    /// If several things have one key, the one with the lowest id, so that the order of a list does not matter.
    by_key: HashMap<Key, Id>,
    /// The ids of all things with a key that is not unique.
    duplicates: HashMap<Key, BTreeSet<Id>>,
    proof: Proof,
}

/// Collects the results of one sweep.
#[derive(Debug, Default)]
pub struct Builder {
    parts: HashMap<Kind, Things>,
    directory: Directory,
    failures: Failures,
    successors: HashMap<(Kind, Key), (Id, Key)>,
}

impl Builder {
    /// A builder without things or proofs.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a thing that a list or a read returned.
    pub fn add(&mut self, observed: Observed) {
        insert(self.parts.entry(observed.body.kind()).or_default(), observed);
    }

    /// Records where the absence of things of a kind is proven.
    pub fn prove(&mut self, kind: Kind, proof: Proof) {
        self.parts.entry(kind).or_default().proof = proof;
    }

    /// Records that the thing with the key `before` now has another id and key permanently, such as the grant of an invited user who
    /// accepted. Statuses are updated to the new ones.
    pub fn set_successor(&mut self, kind: Kind, before: Key, now: (Id, Key)) {
        self.successors.insert((kind, before), now);
    }

    /// Records a part that could not be read. The caller proves nothing about it.
    pub fn fail(&mut self, part: Part, failure: ReadFailure) {
        self.failures.add(part, failure);
    }

    /// The directory, to add names to.
    pub fn directory(&mut self) -> &mut Directory {
        &mut self.directory
    }

    /// Finishes the snapshot. Call it only after every list was read to its end, or recorded with [`Builder::fail`].
    pub fn complete(self) -> Snapshot {
        Snapshot {
            parts: self.parts,
            directory: self.directory,
            failures: self.failures,
            unread_since: HashMap::new(),
            unread_names_since: HashMap::new(),
            missing: HashSet::new(),
            successors: self.successors,
        }
    }
}

/// The external things of an account and the names that specs refer to.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    parts: HashMap<Kind, Things>,
    directory: Directory,
    failures: Failures,
    /// Things that could not be read one by one after the sweep.
    unread_since: HashMap<(Kind, Id), ReadFailure>,
    /// Names that could not be looked up after the sweep.
    unread_names_since: HashMap<(Level, String), ReadFailure>,
    /// Things that a read by id did not return.
    missing: HashSet<(Kind, Id)>,
    successors: HashMap<(Kind, Key), (Id, Key)>,
}

impl Snapshot {
    /// Whether any thing has another id or key than before.
    pub fn has_rekeyed_things(&self) -> bool {
        !self.successors.is_empty()
    }

    /// The new id and key of the thing that had this key, if they changed.
    pub fn successor(&self, kind: Kind, key: &Key) -> Option<&(Id, Key)> {
        self.successors.get(&(kind, key.clone()))
    }

    /// The thing with this id.
    pub fn by_id(&self, kind: Kind, id: &Id) -> Option<&Observed> {
        self.parts.get(&kind)?.by_id.get(id).map(|seen| &**seen)
    }

    /// Whether a read by id did not return the thing: it was deleted, or the credential cannot read it.
    pub fn is_missing(&self, kind: Kind, id: &Id) -> bool {
        self.missing.contains(&(kind, id.clone()))
    }

    /// The parts that the sweep could not read. The snapshot is complete if there are none.
    pub fn failures(&self) -> &Failures {
        &self.failures
    }

    /// Why this one thing could not be read, although its part was read.
    pub fn unread_thing(&self, kind: Kind, id: &Id) -> Option<&ReadFailure> {
        let thing = (kind, id.clone());
        self.unread_since.get(&thing).or_else(|| self.failures.of(&Part::Thing(kind, thing.1)))
    }

    /// Why it is unknown whether there is a thing that the snapshot lacks. None where its absence is proven, or where every call that
    /// could show it succeeded. `level` is that of the place; without it the directory knows it, or any failed level counts.
    pub fn unread(
        &self,
        kind: Kind,
        id: Option<&Id>,
        place: Option<&Id>,
        level: Option<Level>,
    ) -> Option<&ReadFailure> {
        if let Some(failure) = id.and_then(|id| self.unread_thing(kind, id)) {
            return Some(failure);
        }
        if self.failures.is_empty() || self.absence(kind, place) == Absence::Proven {
            return None;
        }
        let of_place = place.and_then(|place| self.failures.of(&Part::Place(kind, place.clone())));
        let known = || place.and_then(|place| self.directory.get(place)).map(|entry| entry.named.level);
        let level = level.or_else(known);
        let of_level = || {
            let concerns = |part: &Part| match part {
                Part::Level(of, at) => *of == kind && level.is_none_or(|level| level == *at),
                _ => false,
            };
            self.failures.iter().find(|(part, _)| concerns(part)).map(|(_, failure)| failure)
        };
        of_place.or_else(of_level).or_else(|| self.failures.of(&Part::Kind(kind)))
    }

    /// Why it is unknown what the credential can read, if a call for it failed.
    pub fn unread_rights(&self) -> Option<&ReadFailure> {
        self.failures.of(&Part::Rights)
    }

    /// Why the names of a level could not be read.
    pub fn unread_names(&self, level: Level) -> Option<&ReadFailure> {
        self.failures.of(&Part::Names(level))
    }

    /// Why it is unknown what a name that the directory lacks means.
    pub fn unread_name(&self, level: Level, name: &str) -> Option<&ReadFailure> {
        self.unread_names_since.get(&(level, name.to_owned())).or_else(|| self.unread_names(level))
    }

    /// Records that a look-up of a name failed.
    pub fn mark_name_unread(&mut self, level: Level, name: &str, failure: ReadFailure) {
        self.unread_names_since.insert((level, name.to_owned()), failure);
    }

    /// Records that a read of one thing failed.
    pub fn mark_unread(&mut self, kind: Kind, id: Id, failure: ReadFailure) {
        self.unread_since.insert((kind, id), failure);
    }

    /// Forgets which single reads and look-ups failed after the sweep: they are tried again.
    pub fn retry_unread(&mut self) {
        self.unread_since.clear();
        self.unread_names_since.clear();
    }

    /// Records that a read by id did not return the thing.
    pub fn mark_missing(&mut self, kind: Kind, id: Id) {
        self.missing.insert((kind, id));
    }

    /// The thing with this natural key; the one with the lowest id if there are several.
    pub fn by_key(&self, kind: Kind, key: &Key) -> Option<&Observed> {
        let part = self.parts.get(&kind)?;
        part.by_id.get(part.by_key.get(key)?).map(|seen| &**seen)
    }

    /// Whether several things have this natural key, as in back ends that do not refuse duplicates.
    pub fn is_ambiguous(&self, kind: Kind, key: &Key) -> bool {
        self.parts.get(&kind).is_some_and(|part| part.duplicates.contains_key(key))
    }

    /// What it means that the snapshot lacks a thing of this kind in this place.
    pub fn absence(&self, kind: Kind, place: Option<&Id>) -> Absence {
        match self.parts.get(&kind).map(|part| &part.proof) {
            Some(Proof::Everywhere) => Absence::Proven,
            Some(Proof::Within(places)) if place.is_some_and(|place| places.contains(place)) => {
                Absence::Proven
            }
            _ => Absence::Unproven,
        }
    }

    /// All things of a kind, in arbitrary order.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = &Observed> {
        self.parts.get(&kind).into_iter().flat_map(|part| part.by_id.values()).map(|seen| &**seen)
    }

    /// The names that specs can refer to.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Adds a name that was looked up after the sweep.
    pub fn add_name(&mut self, entry: Entry) {
        self.directory.insert(entry);
    }

    /// The back end refused to look up a name at this level, for this reason.
    pub fn refuse_names(&mut self, level: Level, why: &str) {
        self.directory.refuse(level, why);
    }

    /// Adds or replaces a thing, after a write or a second read.
    pub fn put(&mut self, observed: Observed) {
        let thing = (observed.body.kind(), observed.id.clone());
        self.unread_since.remove(&thing);
        self.missing.remove(&thing);
        insert(self.parts.entry(observed.body.kind()).or_default(), observed);
    }

    /// Applies [`Observed::shorten`] to a thing.
    pub fn shorten(&mut self, kind: Kind, id: &Id, revision: &str) {
        if let Some(seen) = self.parts.get_mut(&kind).and_then(|part| part.by_id.get_mut(id)) {
            seen.shorten(revision);
        }
    }

    /// Removes a thing that was deleted.
    pub fn remove(&mut self, kind: Kind, id: &Id) {
        if let Some(part) = self.parts.get_mut(&kind)
            && let Some(old) = part.by_id.remove(id)
        {
            unindex(part, &old.key, id);
        }
    }
}

fn insert(part: &mut Things, observed: Observed) {
    let Observed { id, key, .. } = &observed;
    if let Some(old) = part.by_id.remove(id) {
        unindex(part, &old.key, id);
    }
    if let Some(first) = part.by_key.get(key) {
        let duplicates =
            part.duplicates.entry(key.clone()).or_insert_with(|| BTreeSet::from([first.clone()]));
        duplicates.insert(id.clone());
    }
    index_first(part, key, id);
    part.by_id.insert(id.clone(), Box::new(observed));
}

fn unindex(part: &mut Things, key: &Key, id: &Id) {
    let Some(duplicates) = part.duplicates.get_mut(key) else {
        part.by_key.remove(key);
        return;
    };
    duplicates.remove(id);
    if let Some(first) = duplicates.first().cloned() {
        if duplicates.len() == 1 {
            part.duplicates.remove(key);
        }
        part.by_key.insert(key.clone(), first);
    }
}

fn index_first(part: &mut Things, key: &Key, id: &Id) {
    match part.by_key.get_mut(key) {
        Some(first) if *first > *id => *first = id.clone(),
        Some(_) => {}
        None => {
            part.by_key.insert(key.clone(), id.clone());
        }
    }
}
