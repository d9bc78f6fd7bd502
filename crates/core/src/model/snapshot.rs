//! What a back end showed in one sweep. A [`Snapshot`] is complete by construction: a part that could not be read to its
//! end makes no snapshot at all. What it says of absence is only as good as the proof that the credential could have seen the thing.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{
    body::{Body, Kind},
    directory::Directory,
    key::{Id, Key},
};

/// A thing as it was seen.
#[derive(Clone, Debug, PartialEq)]
pub struct Observed {
    /// Its identifier.
    pub id: Id,
    /// Its natural key.
    pub key: Key,
    /// What it says.
    pub body: Body,
    /// Why it may not be written, where the vendor owns it ("a predefined role").
    pub read_only: Option<String>,
    /// Tells one state of it from any other, where the back end has such a mark: as long as it is the same nobody has changed it.
    pub revision: Option<String>,
    /// A list shows that it is there and not all that it says: `body` is to be relied on only for its name.
    pub outline: bool,
    /// What people should know of it beside what it says, such as what a restriction leaves open.
    pub remark: Option<String>,
}

impl Observed {
    /// A thing that was seen whole and that may be written.
    pub fn new(id: Id, key: Key, body: Body) -> Self {
        Self { id, key, body, read_only: None, revision: None, outline: false, remark: None }
    }
}

/// Where the absence of a thing of one kind was proven in this sweep.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Proof {
    /// The credential sees every thing of this kind.
    Everywhere,
    /// It sees those that lie in these places.
    Within(HashSet<Id>),
    /// Nothing is proven: an empty list may be a narrowed credential.
    #[default]
    Nowhere,
}

/// What the absence of a thing from a snapshot means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// It is gone: it would have been seen.
    Proven,
    /// It may be gone, or hidden from the credential.
    Unproven,
}

#[derive(Clone, Debug, Default)]
struct Part {
    /// Boxed, because a table is half empty and what a thing says is large.
    by_id: HashMap<Id, Box<Observed>>,
    /// Where several things have one key, the one with the lowest id: which it is must not hang on the order of a list.
    by_key: HashMap<Key, Id>,
    /// The things of a key that more than one has.
    twins: HashMap<Key, BTreeSet<Id>>,
    proof: Proof,
}

/// Collects what one sweep reads.
#[derive(Debug, Default)]
pub struct Builder {
    parts: HashMap<Kind, Part>,
    directory: Directory,
    successors: HashMap<(Kind, Key), (Id, Key)>,
    renamed: HashMap<(Kind, Id), Id>,
}

impl Builder {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a thing.
    pub fn add(&mut self, observed: Observed) {
        insert(self.parts.entry(observed.body.kind()).or_default(), observed);
    }

    /// Says where absence of things of a kind is proven.
    pub fn prove(&mut self, kind: Kind, proof: Proof) {
        self.parts.entry(kind).or_default().proof = proof;
    }

    /// Says that what was held under this key is the same thing under another id and key by now, for good: what is held is to be recorded so.
    pub fn succeed(&mut self, kind: Kind, before: Key, now: (Id, Key)) {
        self.successors.insert((kind, before), now);
    }

    /// Says that what is recorded under one id is the same thing that is shown under another, with the key that it had: what is held is to be
    /// recorded so.
    pub fn rename(&mut self, kind: Kind, before: Id, now: Id) {
        self.renamed.insert((kind, before), now);
    }

    /// The directory to fill.
    pub fn directory(&mut self) -> &mut Directory {
        &mut self.directory
    }

    /// The snapshot. Call it only when every list has been read to its end.
    pub fn complete(self) -> Snapshot {
        Snapshot {
            parts: self.parts,
            directory: self.directory,
            missed: HashSet::new(),
            successors: self.successors,
            renamed: self.renamed,
        }
    }
}

/// A complete view of a tenant's managed things and of the names around them.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    parts: HashMap<Kind, Part>,
    directory: Directory,
    /// What was asked for by its id and not seen.
    missed: HashSet<(Kind, Id)>,
    successors: HashMap<(Kind, Key), (Id, Key)>,
    renamed: HashMap<(Kind, Id), Id>,
}

impl Snapshot {
    /// Whether anything is known by another id or key than it was.
    pub fn moves(&self) -> bool {
        !self.successors.is_empty() || !self.renamed.is_empty()
    }

    /// What a thing that was held under a key is known by now, where that has changed.
    pub fn successor(&self, kind: Kind, key: &Key) -> Option<&(Id, Key)> {
        self.successors.get(&(kind, key.clone()))
    }

    /// The id by which a thing is known now, whichever it is recorded under.
    pub fn current(&self, kind: Kind, recorded: Id) -> Id {
        self.renamed.get(&(kind, recorded.clone())).cloned().unwrap_or(recorded)
    }

    /// The thing of an id.
    pub fn by_id(&self, kind: Kind, id: &Id) -> Option<&Observed> {
        self.parts.get(&kind)?.by_id.get(id).map(|seen| &**seen)
    }

    /// Whether a thing was asked for by its id and not seen: it may be gone or hidden.
    pub fn is_missed(&self, kind: Kind, id: &Id) -> bool {
        self.missed.contains(&(kind, id.clone()))
    }

    /// Notes that a thing was asked for by its id and not seen.
    pub fn miss(&mut self, kind: Kind, id: Id) {
        self.missed.insert((kind, id));
    }

    /// The thing of a natural key.
    pub fn by_key(&self, kind: Kind, key: &Key) -> Option<&Observed> {
        let part = self.parts.get(&kind)?;
        part.by_id.get(part.by_key.get(key)?).map(|seen| &**seen)
    }

    /// Whether more than one thing has this natural key, so that the key does not say which is meant. Back ends that do not
    /// refuse duplicates have such.
    pub fn is_ambiguous(&self, kind: Kind, key: &Key) -> bool {
        self.parts.get(&kind).is_some_and(|part| part.twins.contains_key(key))
    }

    /// What it means that no thing of this kind was seen in this place.
    pub fn absence(&self, kind: Kind, place: Option<&Id>) -> Absence {
        match self.parts.get(&kind).map(|part| &part.proof) {
            Some(Proof::Everywhere) => Absence::Proven,
            Some(Proof::Within(places)) if place.is_some_and(|place| places.contains(place)) => {
                Absence::Proven
            }
            _ => Absence::Unproven,
        }
    }

    /// All things of a kind, in no order.
    pub fn all(&self, kind: Kind) -> impl Iterator<Item = &Observed> {
        self.parts.get(&kind).into_iter().flat_map(|part| part.by_id.values()).map(|seen| &**seen)
    }

    /// The names around them.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Adds a name that was looked up after the sweep.
    pub fn learn(&mut self, entry: super::Entry) {
        self.directory.insert(entry);
    }

    /// Brings a write's outcome, or a thing read again, into the view.
    pub fn put(&mut self, observed: Observed) {
        insert(self.parts.entry(observed.body.kind()).or_default(), observed);
    }

    /// Takes a thing that is known to be gone out of the view.
    pub fn remove(&mut self, kind: Kind, id: &Id) {
        if let Some(part) = self.parts.get_mut(&kind)
            && let Some(old) = part.by_id.remove(id)
        {
            unindex(part, &old.key, id);
        }
    }
}

fn insert(part: &mut Part, observed: Observed) {
    let Observed { id, key, .. } = &observed;
    if let Some(old) = part.by_id.remove(id) {
        unindex(part, &old.key, id);
    }
    if let Some(first) = part.by_key.get(key) {
        let twins = part.twins.entry(key.clone()).or_insert_with(|| BTreeSet::from([first.clone()]));
        twins.insert(id.clone());
    }
    index_first(part, key, id);
    part.by_id.insert(id.clone(), Box::new(observed));
}

fn unindex(part: &mut Part, key: &Key, id: &Id) {
    let Some(twins) = part.twins.get_mut(key) else {
        part.by_key.remove(key);
        return;
    };
    twins.remove(id);
    if let Some(first) = twins.first().cloned() {
        if twins.len() == 1 {
            part.twins.remove(key);
        }
        part.by_key.insert(key.clone(), first);
    }
}

fn index_first(part: &mut Part, key: &Key, id: &Id) {
    match part.by_key.get_mut(key) {
        Some(first) if *first > *id => *first = id.clone(),
        Some(_) => {}
        None => {
            part.by_key.insert(key.clone(), id.clone());
        }
    }
}
