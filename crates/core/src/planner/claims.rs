//! The claims of all objects of an account, so that two objects never change one external thing back and forth.
//!
//! The manager of a thing keeps it until it releases it. Of objects that manage nothing yet, the oldest creates the thing. Equal grants
//! are shared. An object that is being deleted hands its things over to the next object that desires them.
//!
//! Objects of several namespaces can use one account, each with a credential of its own. A claim has one of three rights: the object
//! *manages* the thing by its status; its own credential can *read* the thing; or it merely *desires* the thing. Between objects with
//! one credential all three count. Between objects with different credentials a mere desire does not count: otherwise an object could
//! keep others from granting or revoking what it could never grant itself.
//!
//! Set an object's claim together with the plan that is made under it, and again with [`Plan::held`](super::Plan::held) before the first
//! write of that plan. Otherwise the plans of two objects can both create the same thing.

mod claim;
mod standing;

use std::collections::{BTreeSet, HashMap};

pub use self::claim::{Claim, Claimant, DesiredKeys, DesiredThing};
use super::{input::OtherClaims, object::ObjectRef};
use crate::model::{Defaults, Fingerprint, Id, Key, Kind, Reach};

/// The name of an object in a message to an object of another namespace, whose users must not learn more.
pub const ELSEWHERE: &str = "an object in another namespace";

/// All claims of an account.
#[derive(Debug, Default)]
pub struct Claims {
    claims: HashMap<Claimant, Box<Claim>>,
    desired: HashMap<(Kind, Key), Claimants>,
    managed_keys: HashMap<(Kind, Key), Claimants>,
    managed_ids: HashMap<(Kind, Id), Claimants>,
    reach: HashMap<Reach, Claimants>,
}

/// The claimants of one thing. There is nearly always exactly one.
#[derive(Debug)]
enum Claimants {
    One(Claimant),
    Many(Vec<Claimant>),
}

impl Claimants {
    fn insert(&mut self, claimant: &Claimant) {
        match self {
            _ if self.contains(claimant) => {}
            Self::One(one) => *self = Self::Many(vec![one.clone(), claimant.clone()]),
            Self::Many(all) => all.push(claimant.clone()),
        }
    }

    fn contains(&self, claimant: &Claimant) -> bool {
        self.iter().any(|one| one == claimant)
    }

    fn iter(&self) -> std::slice::Iter<'_, Claimant> {
        match self {
            Self::One(one) => std::slice::from_ref(one).iter(),
            Self::Many(all) => all.iter(),
        }
    }
}

/// A thing: its natural key, and the ids of all things that a plan can use for it.
struct ThingRef<'a> {
    slot: &'a (Kind, Key),
    ids: &'a [Id],
}

impl ThingRef<'_> {
    fn is_grant(&self) -> bool {
        self.slot.0 == Kind::Grant
    }

    fn is_named_by(&self, (kind, key, id): &(Kind, Key, Option<Id>)) -> bool {
        *kind == self.slot.0 && (*key == self.slot.1 || id.as_ref().is_some_and(|id| self.ids.contains(id)))
    }
}

impl Claims {
    /// The claim of an object.
    pub fn get(&self, claimant: &Claimant) -> Option<&Claim> {
        self.claims.get(claimant).map(|claim| &**claim)
    }

    /// The objects behind claimants.
    pub fn objects(&self, claimants: &[Claimant]) -> Vec<ObjectRef> {
        claimants.iter().filter_map(|claimant| Some(self.get(claimant)?.object.clone())).collect()
    }

    /// All claimants whose claim the filter accepts, by age.
    pub fn select(&self, filter: impl Fn(&Claimant, &Claim) -> bool) -> BTreeSet<Claimant> {
        let all = self.claims.iter().filter(|(claimant, claim)| filter(claimant, claim));
        all.map(|(claimant, _)| claimant.clone()).collect()
    }

    /// Whether no object claims anything.
    pub fn is_empty(&self) -> bool {
        self.claims.is_empty()
            && self.desired.is_empty()
            && self.managed_keys.is_empty()
            && self.managed_ids.is_empty()
            && self.reach.is_empty()
    }

    /// Replaces the claim of an object. Returns the other objects whose standing can change by this.
    pub fn set(&mut self, claimant: Claimant, mut claim: Claim) -> Vec<Claimant> {
        if self.get(&claimant) == Some(&claim) {
            return Vec::new();
        }
        let mut affected = self.related(&claimant);
        self.remove_from_indexes(&claimant);
        for slot in claim.desired.keys() {
            add_claimant(&mut self.desired, slot.clone(), &claimant);
        }
        for (kind, key, id) in &claim.managed {
            add_claimant(&mut self.managed_keys, (*kind, key.clone()), &claimant);
            if let Some(id) = id {
                add_claimant(&mut self.managed_ids, (*kind, id.clone()), &claimant);
            }
        }
        for reach in &claim.reach {
            add_claimant(&mut self.reach, reach.clone(), &claimant);
        }
        claim.managed.shrink_to_fit();
        self.claims.insert(claimant.clone(), claim.into());
        affected.extend(self.related(&claimant));
        affected.into_iter().collect()
    }

    /// Makes a claim inactive, because the Backend of its object is not ready: the object keeps what its status records, and blocks
    /// nobody. Returns the other objects whose standing can change by this.
    pub fn suspend(&mut self, claimant: &Claimant) -> Vec<Claimant> {
        let Some(claim) = self.claims.get_mut(claimant) else { return Vec::new() };
        let was_active = std::mem::replace(&mut claim.active, false);
        if claim.credential.take().is_none() && !was_active {
            return Vec::new();
        }
        self.related(claimant).into_iter().collect()
    }

    /// Removes an object. Returns the other objects whose standing can change by this.
    pub fn remove(&mut self, claimant: &Claimant) -> Vec<Claimant> {
        let affected = self.related(claimant);
        self.remove_from_indexes(claimant);
        affected.into_iter().collect()
    }

    /// The roles that objects of a namespace manage and that give access to one of these.
    pub fn roles_that_reach(&self, reach: &[Reach], namespace: &str) -> BTreeSet<&Id> {
        let claimants = reach.iter().filter_map(|reach| self.reach.get(reach)).flat_map(Claimants::iter);
        let claims = claimants
            .filter_map(|one| self.claims.get(one))
            .filter(|it| *it.object.name.namespace == *namespace);
        let managed = claims.flat_map(|claim| &claim.managed);
        managed.filter(|(kind, ..)| *kind == Kind::Role).filter_map(|(.., id)| id.as_ref()).collect()
    }

    /// The things that objects manage.
    pub fn managed(&self) -> impl ExactSizeIterator<Item = &(Kind, Id)> {
        self.managed_ids.keys()
    }

    /// Whether any object manages the thing with this id.
    pub fn is_managed(&self, kind: Kind, id: &Id) -> bool {
        self.managed_ids.contains_key(&(kind, id.clone()))
    }

    /// Whether another object manages the thing with this id, and `claimant` is the one that takes it over next.
    pub fn is_next_owner(&self, claimant: &Claimant, kind: Kind, id: &Id) -> bool {
        let Some(claim) = self.claims.get(claimant) else { return false };
        let managers = self.managed_ids.get(&(kind, id.clone())).into_iter().flat_map(Claimants::iter);
        let managers: Vec<&Claimant> = managers.filter(|one| *one != claimant).collect();
        let desires_it =
            |(slot, thing): &(&(Kind, Key), &DesiredThing)| slot.0 == kind && thing.seen.as_ref() == Some(id);
        !managers.is_empty()
            && claim
                .desired
                .iter()
                .find(desires_it)
                .is_some_and(|(slot, _)| self.next_owner(slot, &managers) == Some(claimant))
    }

    /// What other objects claim of a thing that `claimant` manages.
    pub fn other_claims(&self, claimant: &Claimant, kind: Kind, key: &Key, id: Option<&Id>) -> OtherClaims {
        let slot = (kind, key.clone());
        let thing = ThingRef { slot: &slot, ids: id.map(std::slice::from_ref).unwrap_or_default() };
        let managers = self.other_managers(claimant, &thing);
        let shares = |manager: &&Claimant| self.manages_same_thing(manager, kind, key, id);
        if let Some(first) = managers.into_iter().find(shares) {
            return OtherClaims::Shared(self.title(claimant, first));
        }
        let next = self.next_owner(&slot, &[claimant]);
        next.map_or(OtherClaims::None, |next| OtherClaims::Waiting(self.title(claimant, next)))
    }

    /// Whether another object manages or desires a thing.
    pub fn is_claimed_by_others(&self, claimant: &Claimant, kind: Kind, key: &Key, id: &Id) -> bool {
        let slot = (kind, key.clone());
        let by_id = self.managed_ids.get(&(kind, id.clone()));
        let by_key = [self.managed_keys.get(&slot), self.desired.get(&slot)];
        let mut all = by_id.into_iter().chain(by_key.into_iter().flatten()).flat_map(Claimants::iter);
        all.any(|one| one != claimant)
    }

    /// Whether a thing is managed, and only for AccessRequests.
    pub fn is_requested(&self, kind: Kind, key: &Key, id: &Id) -> bool {
        let by_key = self.managed_keys.get(&(kind, key.clone())).into_iter();
        let by_id = self.managed_ids.get(&(kind, id.clone())).into_iter();
        let mut managers =
            by_key.chain(by_id).flat_map(Claimants::iter).filter_map(|one| self.get(one)).peekable();
        managers.peek().is_some() && managers.all(|claim| claim.is_requested)
    }

    /// The default permissions that were taken away for another manager of a thing. An object that takes the thing over restores them
    /// when it releases the thing. `existing`: as for [`Claims::standing`].
    pub fn taken(&self, claimant: &Claimant, kind: Kind, key: &Key, existing: &[Id]) -> Option<Defaults> {
        let slot = (kind, key.clone());
        let managers = self.other_managers(claimant, &ThingRef { slot: &slot, ids: existing }).into_iter();
        let of_this = |(its, defaults): &(Key, Defaults)| (its == key).then(|| defaults.clone());
        managers
            .filter_map(|manager| self.claims.get(manager))
            .find_map(|claim| claim.taken.iter().find_map(of_this))
    }

    /// The other objects that manage a thing with this key or one of these ids, oldest first.
    fn other_managers(&self, claimant: &Claimant, thing: &ThingRef<'_>) -> Vec<&Claimant> {
        let by_key = self.managed_keys.get(thing.slot).into_iter();
        let by_id = thing.ids.iter().filter_map(|id| self.managed_ids.get(&(thing.slot.0, id.clone())));
        let all = by_key.chain(by_id).flat_map(Claimants::iter);
        let counts = |one: &&Claimant| *one != claimant && self.counts_as_manager(claimant, one, thing);
        let mut managers: Vec<&Claimant> = all.filter(counts).collect();
        managers.sort();
        managers.dedup();
        managers
    }

    /// Whether `other` is in the way of `claimant` as a manager of a thing. A record with an id always counts. The mere intent to create
    /// the thing counts for objects with another credential only while `other` can execute it.
    fn counts_as_manager(&self, claimant: &Claimant, other: &Claimant, thing: &ThingRef<'_>) -> bool {
        let Some(claim) = self.claims.get(other) else { return false };
        let mut records = claim.managed.iter().filter(|entry| thing.is_named_by(entry));
        claim.active || self.shares_credential(claimant, other) || records.any(|(.., id)| id.is_some())
    }

    /// Whether two objects use one credential, so that neither can do more than the other.
    fn shares_credential(&self, one: &Claimant, other: &Claimant) -> bool {
        let credential = |claimant| self.claims.get(claimant).and_then(|claim| claim.credential.as_ref());
        credential(one).is_some_and(|credential_of_one| credential(other) == Some(credential_of_one))
    }

    /// Whether another manager's thing is this very thing. An entry with an id and a pending one are not the same: the pending one will
    /// find the thing of the other.
    fn manages_same_thing(&self, manager: &Claimant, kind: Kind, key: &Key, id: Option<&Id>) -> bool {
        let same = |(its_kind, its_key, its_id): &(Kind, Key, Option<Id>)| {
            *its_kind == kind
                && match (id, its_id) {
                    (Some(id), Some(its_id)) => id == its_id,
                    (Some(_), None) => false,
                    (None, _) => its_key == key,
                }
        };
        self.claims.get(manager).is_some_and(|claim| claim.managed.iter().any(same))
    }

    fn manages(&self, claimant: &Claimant, thing: &ThingRef<'_>) -> bool {
        self.manages_key(claimant, thing) || self.manages_id(claimant, thing)
    }

    fn manages_key(&self, claimant: &Claimant, thing: &ThingRef<'_>) -> bool {
        self.managed_keys.get(thing.slot).is_some_and(|managers| managers.contains(claimant))
    }

    fn manages_id(&self, claimant: &Claimant, thing: &ThingRef<'_>) -> bool {
        let mut managers =
            thing.ids.iter().filter_map(|id| self.managed_ids.get(&(thing.slot.0, id.clone())));
        managers.any(|managers| managers.contains(claimant))
    }

    fn is_active(&self, claimant: &Claimant) -> bool {
        self.claims.get(claimant).is_some_and(|claim| claim.active)
    }

    /// The oldest active object whose desire counts for `claimant`.
    fn first_active(&self, claimant: &Claimant, slot: &(Kind, Key)) -> Option<&Claimant> {
        let counts = |one: &&Claimant| {
            *one == claimant
                || self.shares_credential(claimant, one)
                || self.desired_thing(one, slot).is_some_and(|thing| thing.seen.is_some())
        };
        self.candidates_for(slot).filter(counts).min()
    }

    /// The oldest object that `managers` can hand a thing over to. With another credential than theirs, it must be able to read that
    /// very thing.
    fn next_owner(&self, slot: &(Kind, Key), managers: &[&Claimant]) -> Option<&Claimant> {
        let can_act = |one: &&Claimant| {
            let seen = self.desired_thing(one, slot).and_then(|thing| thing.seen.as_ref());
            let counts = |manager: &&Claimant| {
                self.shares_credential(one, manager)
                    || seen.is_some_and(|id| self.can_manage(manager, slot, id))
            };
            managers.iter().any(counts)
        };
        let free = |one: &&Claimant| !managers.contains(one) && !self.has_own(one, slot);
        self.candidates_for(slot).filter(free).filter(can_act).min()
    }

    /// The active objects that desire a thing and were not refused it.
    fn candidates_for(&self, slot: &(Kind, Key)) -> impl Iterator<Item = &Claimant> {
        let desiring = self.desired.get(slot).into_iter().flat_map(Claimants::iter);
        desiring.filter(|one| {
            self.is_active(one) && self.desired_thing(one, slot).is_some_and(|thing| !thing.refused)
        })
    }

    /// Whether the thing with this id is the one that a manager recorded, or can be the one that it is creating.
    fn can_manage(&self, manager: &Claimant, slot: &(Kind, Key), id: &Id) -> bool {
        let fits = |(kind, key, its): &(Kind, Key, Option<Id>)| match its {
            Some(its) => *kind == slot.0 && its == id,
            None => *kind == slot.0 && *key == slot.1,
        };
        self.claims.get(manager).is_some_and(|claim| claim.managed.iter().any(fits))
    }

    /// Whether an object already manages a thing of its own, so that it cannot take this one over: a role that it would rename, or
    /// another thing that it recorded under the same key.
    fn has_own(&self, claimant: &Claimant, (kind, key): &(Kind, Key)) -> bool {
        let own = |(its_kind, its_key, id): &(Kind, Key, Option<Id>)| {
            its_kind == kind && if its_key == key { id.is_some() } else { *kind == Kind::Role }
        };
        self.claims.get(claimant).is_some_and(|claim| claim.managed.iter().any(own))
    }

    fn desired_thing(&self, claimant: &Claimant, slot: &(Kind, Key)) -> Option<&DesiredThing> {
        self.claims.get(claimant)?.desired.get(slot)
    }

    fn desired_fingerprint(&self, claimant: &Claimant, slot: &(Kind, Key)) -> Option<&Fingerprint> {
        Some(&self.desired_thing(claimant, slot)?.fingerprint)
    }

    /// A manager releases a thing when it is being deleted, or when it is active and no longer desires the thing. A role that is
    /// desired under another name is renamed, not released.
    fn releases(&self, claimant: &Claimant, slot: &(Kind, Key)) -> bool {
        let Some(claim) = self.claims.get(claimant) else { return true };
        let desires = match slot.0 {
            Kind::Role => claim.desired.keys().any(|(kind, _)| *kind == Kind::Role),
            Kind::Grant | Kind::Restriction | Kind::Group => claim.desired.get(slot).is_some(),
        };
        claim.is_being_deleted || claim.active && !desires
    }

    /// The name of an object in a message to `reader`.
    fn title(&self, reader: &Claimant, named: &Claimant) -> String {
        let Some(claim) = self.claims.get(named) else { return "another object".to_owned() };
        let namespace = |claim: &Claim| claim.object.name.namespace.clone();
        let same = self.get(reader).is_some_and(|reader| namespace(reader) == namespace(claim));
        if same { claim.object.to_string() } else { ELSEWHERE.to_owned() }
    }

    /// The other objects that claim a key or an id that this one claims.
    fn related(&self, claimant: &Claimant) -> BTreeSet<Claimant> {
        let Some(claim) = self.claims.get(claimant) else { return BTreeSet::new() };
        let mut found = BTreeSet::new();
        let managed = claim.managed.iter().map(|(kind, key, _)| (*kind, key.clone()));
        for slot in claim.desired.keys().cloned().chain(managed) {
            found.extend(self.desired.get(&slot).into_iter().flat_map(Claimants::iter).cloned());
            found.extend(self.managed_keys.get(&slot).into_iter().flat_map(Claimants::iter).cloned());
        }
        let managed = claim.managed.iter().filter_map(|(kind, _, id)| Some((*kind, id.clone()?)));
        let seen = claim.desired.iter().filter_map(|(slot, thing)| Some((slot.0, thing.seen.clone()?)));
        for id in managed.chain(seen) {
            found.extend(self.managed_ids.get(&id).into_iter().flat_map(Claimants::iter).cloned());
        }
        found.remove(claimant);
        found
    }

    fn remove_from_indexes(&mut self, claimant: &Claimant) {
        let Some(claim) = self.claims.remove(claimant) else { return };
        for slot in claim.desired.keys() {
            remove_claimant(&mut self.desired, slot, claimant);
        }
        for reach in &claim.reach {
            remove_claimant(&mut self.reach, reach, claimant);
        }
        for (kind, key, id) in &claim.managed {
            remove_claimant(&mut self.managed_keys, &(*kind, key.clone()), claimant);
            if let Some(id) = id {
                remove_claimant(&mut self.managed_ids, &(*kind, id.clone()), claimant);
            }
        }
    }
}

fn add_claimant<K: std::hash::Hash + Eq>(index: &mut HashMap<K, Claimants>, slot: K, claimant: &Claimant) {
    let known = index.entry(slot).or_insert_with(|| Claimants::One(claimant.clone()));
    known.insert(claimant);
}

fn remove_claimant<K: std::hash::Hash + Eq>(
    index: &mut HashMap<K, Claimants>,
    slot: &K,
    claimant: &Claimant,
) {
    match index.get_mut(slot) {
        Some(Claimants::Many(all)) if all.len() > 1 => all.retain(|one| one != claimant),
        Some(only) if only.contains(claimant) => {
            index.remove(slot);
        }
        _ => {}
    }
}
