//! What one object claims.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    model::{Defaults, Fingerprint, Id, Key, Kind, Reach},
    planner::object::{ObjectName, ObjectRef},
};

/// An object that claims things. Ordered by age, then by UID. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claimant {
    /// The creation time in seconds since 1970.
    pub created: i64,
    /// The object's UID.
    pub uid: Arc<str>,
}

/// Everything that one object claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The object.
    pub object: ObjectRef,
    /// The object's Backend.
    pub backend: ObjectName,
    /// The credential that it reads and writes with. None while its Backend is not ready.
    pub credential: Option<Arc<str>>,
    /// The things that it desires, from [`desired_keys`](crate::planner::desired_keys).
    pub desired: DesiredKeys,
    /// The things that its status records, with the id if the thing is present. A thing whose creation was refused is not one of them.
    pub managed: Vec<(Kind, Key, Option<Id>)>,
    /// The default permissions that were taken away for it, by the key of the managed thing.
    pub taken: Box<[(Key, Defaults)]>,
    /// What its role gives access to, sorted.
    pub reach: Box<[Reach]>,
    /// It writes: its Backend is ready, and it is not paused, in Plan mode or being deleted. Only active objects take things over.
    pub active: bool,
    /// It is being deleted and releases everything.
    pub is_being_deleted: bool,
    /// The generation of the object for which all names of its spec are known. None: it can desire more than is listed here.
    pub complete: Option<i64>,
    /// It is the RoleBinding of an AccessRequest: its grant is beside those of an authoritative RoleBinding.
    pub is_requested: bool,
}

/// The things that an object desires, by natural key.
///
/// A sorted slice, because there is one for each object of the account, and the nodes of a map are half empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DesiredKeys(Box<[((Kind, Key), DesiredThing)]>);

/// One thing that an object desires.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DesiredThing {
    /// The fingerprint of the desired body.
    pub fingerprint: Fingerprint,
    /// The id of the thing, if the object's own credential can read it. Only then does the desire count for objects that use another
    /// credential.
    pub seen: Option<Id>,
    /// The object cannot have the thing: the back end refused to create it, or the object's own policy forbids adopting it. Such a
    /// desire counts for no other object.
    pub refused: bool,
}

impl FromIterator<((Kind, Key), DesiredThing)> for DesiredKeys {
    fn from_iter<T: IntoIterator<Item = ((Kind, Key), DesiredThing)>>(desired: T) -> Self {
        Self(desired.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect())
    }
}

impl DesiredKeys {
    /// The natural keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &(Kind, Key)> {
        self.0.iter().map(|(slot, _)| slot)
    }

    /// The things with their natural keys, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&(Kind, Key), &DesiredThing)> {
        self.0.iter().map(|(slot, thing)| (slot, thing))
    }

    /// The thing with this natural key.
    pub fn get(&self, slot: &(Kind, Key)) -> Option<&DesiredThing> {
        let index = self.0.binary_search_by(|(known, _)| known.cmp(slot)).ok()?;
        Some(&self.0[index].1)
    }

    /// Marks a thing as one that the object cannot have.
    pub fn refuse(&mut self, slot: &(Kind, Key)) {
        if let Ok(index) = self.0.binary_search_by(|(known, _)| known.cmp(slot)) {
            self.0[index].1.refused = true;
        }
    }
}
