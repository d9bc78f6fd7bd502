//! The claims of all objects of an account, so that two objects never change one external thing back and forth.
//!
//! The manager of a thing keeps it until it releases it. Of objects that manage nothing yet, the oldest creates the thing. Equal grants
//! are shared. An object that is being deleted hands its things over to the next object that desires them.
//!
//! Set an object's claim together with the plan that is made under it, and again with [`Plan::held`](super::Plan::held) before the first
//! write of that plan. Otherwise the plans of two objects can both create the same thing.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use super::input::{OtherClaims, Standing};
use crate::model::{Defaults, Fingerprint, Id, Key, Kind};

/// An object that claims things. Ordered by age, then by UID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claimant {
    /// The creation time as RFC 3339 in UTC, so that texts sort by age.
    pub created: String,
    /// The object's UID.
    pub uid: String,
}

/// Everything that one object claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The object's name in messages to other objects: `RoleBinding team-a/readers`.
    pub title: String,
    /// The object's namespace. Messages to objects of other namespaces do not contain the title.
    pub namespace: String,
    /// The things that it desires, from [`desired_keys`](super::desired_keys).
    pub desired: DesiredKeys,
    /// The things that it manages, with the id if the thing is present.
    pub managed: Vec<(Kind, Key, Option<Id>)>,
    /// The default permissions that were taken away for it, by the key of the managed thing.
    pub taken: Box<[(Key, Defaults)]>,
    /// It writes: it is not paused, in Plan mode or being deleted. Things are only handed over to active objects.
    pub active: bool,
    /// It is being deleted and releases everything.
    pub is_being_deleted: bool,
}

/// The things that an object desires: the fingerprint of each by natural key.
///
/// A sorted slice, because there is one for each object of the account, and the nodes of a map are half empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DesiredKeys(Box<[((Kind, Key), Fingerprint)]>);

impl FromIterator<((Kind, Key), Fingerprint)> for DesiredKeys {
    fn from_iter<T: IntoIterator<Item = ((Kind, Key), Fingerprint)>>(desired: T) -> Self {
        Self(desired.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect())
    }
}

impl DesiredKeys {
    /// The natural keys, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &(Kind, Key)> {
        self.0.iter().map(|(slot, _)| slot)
    }

    #[cfg(test)]
    pub(super) fn fingerprints(&self) -> impl Iterator<Item = &Fingerprint> {
        self.0.iter().map(|(_, fingerprint)| fingerprint)
    }

    fn get(&self, slot: &(Kind, Key)) -> Option<&Fingerprint> {
        let index = self.0.binary_search_by(|(known, _)| known.cmp(slot)).ok()?;
        Some(&self.0[index].1)
    }
}

/// All claims of an account.
#[derive(Debug, Default)]
pub struct Claims {
    claims: HashMap<Arc<Claimant>, Claim>,
    desired: HashMap<(Kind, Key), Claimants>,
    managed_keys: HashMap<(Kind, Key), Claimants>,
    managed_ids: HashMap<(Kind, Id), Claimants>,
}

/// The claimants of one thing. A vector, because there is nearly always exactly one.
#[derive(Debug, Default)]
struct Claimants(Vec<Arc<Claimant>>);

impl Claimants {
    fn insert(&mut self, claimant: &Arc<Claimant>) {
        if !self.contains(claimant) {
            self.0.push(claimant.clone());
        }
    }

    fn contains(&self, claimant: &Claimant) -> bool {
        self.iter().any(|one| one == claimant)
    }

    fn iter(&self) -> impl Iterator<Item = &Claimant> {
        self.0.iter().map(|one| &**one)
    }
}

impl Claims {
    /// Replaces the claim of an object. Returns the other objects whose standing can change by this.
    pub fn set(&mut self, claimant: Claimant, claim: Claim) -> Vec<Claimant> {
        if self.claims.get(&claimant) == Some(&claim) {
            return Vec::new();
        }
        let mut affected = self.related(&claimant);
        self.remove_from_indexes(&claimant);
        let claimant = Arc::new(claimant);
        for slot in claim.desired.keys() {
            self.desired.entry(slot.clone()).or_default().insert(&claimant);
        }
        for (kind, key, id) in &claim.managed {
            self.managed_keys.entry((*kind, key.clone())).or_default().insert(&claimant);
            if let Some(id) = id {
                self.managed_ids.entry((*kind, id.clone())).or_default().insert(&claimant);
            }
        }
        self.claims.insert(claimant.clone(), claim);
        affected.extend(self.related(&claimant));
        affected.into_iter().collect()
    }

    /// Removes an object. Returns the other objects whose standing can change by this.
    pub fn remove(&mut self, claimant: &Claimant) -> Vec<Claimant> {
        let affected = self.related(claimant);
        self.remove_from_indexes(claimant);
        affected.into_iter().collect()
    }

    /// Whether any object manages the thing with this id.
    pub fn is_managed(&self, kind: Kind, id: &Id) -> bool {
        self.managed_ids.contains_key(&(kind, id.clone()))
    }

    /// The standing of `claimant` for a thing that it desires with this fingerprint. `existing` is the id of the thing that has the
    /// natural key now, if any.
    pub fn standing(
        &self,
        claimant: &Claimant,
        kind: Kind,
        key: &Key,
        existing: Option<&Id>,
        fingerprint: &Fingerprint,
    ) -> Standing {
        let slot = (kind, key.clone());
        let query = StandingQuery { claims: self, claimant, slot: &slot, existing, fingerprint };
        let others = self.other_managers(claimant, kind, key, existing);
        let keeping: Vec<&Claimant> =
            others.iter().copied().filter(|manager| !self.releases(manager, &slot)).collect();
        if !keeping.is_empty()
            && let Some(standing) = query.among_managers(&keeping)
        {
            return standing;
        }
        query.next_in_line(&others)
    }

    /// What other objects claim of a thing that `claimant` manages.
    pub fn other_claims(&self, claimant: &Claimant, kind: Kind, key: &Key, id: Option<&Id>) -> OtherClaims {
        let managers = self.other_managers(claimant, kind, key, id);
        let shares = |manager: &&Claimant| self.manages_same_thing(manager, kind, key, id);
        if let Some(first) = managers.into_iter().find(shares) {
            return OtherClaims::Shared(self.title(claimant, first));
        }
        let next = self.next_owner(&(kind, key.clone()), &[claimant]);
        next.map_or(OtherClaims::None, |next| OtherClaims::Waiting(self.title(claimant, next)))
    }

    /// The default permissions that were taken away for another manager of a thing. An object that takes the thing over restores them
    /// when it releases the thing.
    pub fn taken(&self, claimant: &Claimant, kind: Kind, key: &Key, id: Option<&Id>) -> Option<Defaults> {
        let managers = self.other_managers(claimant, kind, key, id).into_iter();
        let of_this = |(its, defaults): &(Key, Defaults)| (its == key).then(|| defaults.clone());
        managers
            .filter_map(|manager| self.claims.get(manager))
            .find_map(|claim| claim.taken.iter().find_map(of_this))
    }

    /// The other objects that manage a thing with this key or id, oldest first.
    fn other_managers(&self, claimant: &Claimant, kind: Kind, key: &Key, id: Option<&Id>) -> Vec<&Claimant> {
        let by_key = self.managed_keys.get(&(kind, key.clone())).into_iter().flat_map(Claimants::iter);
        let by_id =
            id.and_then(|id| self.managed_ids.get(&(kind, id.clone()))).into_iter().flat_map(Claimants::iter);
        let mut managers: Vec<&Claimant> = by_key.chain(by_id).filter(|one| *one != claimant).collect();
        managers.sort();
        managers.dedup();
        managers
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

    fn manages(&self, claimant: &Claimant, (kind, key): &(Kind, Key), id: Option<&Id>) -> bool {
        let by_key = self.managed_keys.get(&(*kind, key.clone()));
        by_key.is_some_and(|set| set.contains(claimant)) || self.manages_id(claimant, *kind, id)
    }

    fn manages_id(&self, claimant: &Claimant, kind: Kind, id: Option<&Id>) -> bool {
        let managers = id.and_then(|id| self.managed_ids.get(&(kind, id.clone())));
        managers.is_some_and(|managers| managers.contains(claimant))
    }

    fn is_active(&self, claimant: &Claimant) -> bool {
        self.claims.get(claimant).is_some_and(|claim| claim.active)
    }

    /// The oldest active object that desires a thing.
    fn first_active(&self, slot: &(Kind, Key)) -> Option<&Claimant> {
        self.desired.get(slot)?.iter().filter(|one| self.is_active(one)).min()
    }

    /// The oldest object that `managers` can hand a thing over to.
    fn next_owner(&self, slot: &(Kind, Key), managers: &[&Claimant]) -> Option<&Claimant> {
        let desiring = self.desired.get(slot)?.iter();
        desiring
            .filter(|one| !managers.contains(one) && self.is_active(one) && !self.has_own(one, slot))
            .min()
    }

    /// Whether an object already manages a thing of its own, so that it cannot take this one over: a role that it would rename, or
    /// another thing that it recorded under the same key.
    fn has_own(&self, claimant: &Claimant, (kind, key): &(Kind, Key)) -> bool {
        let own = |(its_kind, its_key, id): &(Kind, Key, Option<Id>)| {
            its_kind == kind && if its_key == key { id.is_some() } else { *kind == Kind::Role }
        };
        self.claims.get(claimant).is_some_and(|claim| claim.managed.iter().any(own))
    }

    fn desired_fingerprint(&self, claimant: &Claimant, slot: &(Kind, Key)) -> Option<&Fingerprint> {
        self.claims.get(claimant)?.desired.get(slot)
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
        let same = self.claims.get(reader).is_some_and(|reader| reader.namespace == claim.namespace);
        if same { claim.title.clone() } else { "an object in another namespace".to_owned() }
    }

    /// The other objects that claim a key or an id that this one claims.
    fn related(&self, claimant: &Claimant) -> HashSet<Claimant> {
        let Some(claim) = self.claims.get(claimant) else { return HashSet::new() };
        let mut found = HashSet::new();
        let managed = claim.managed.iter().map(|(kind, key, _)| (*kind, key.clone()));
        for slot in claim.desired.keys().cloned().chain(managed) {
            found.extend(self.desired.get(&slot).into_iter().flat_map(Claimants::iter).cloned());
            found.extend(self.managed_keys.get(&slot).into_iter().flat_map(Claimants::iter).cloned());
        }
        for (kind, _, id) in &claim.managed {
            let same_id = id.as_ref().and_then(|id| self.managed_ids.get(&(*kind, id.clone())));
            found.extend(same_id.into_iter().flat_map(Claimants::iter).cloned());
        }
        found.remove(claimant);
        found
    }

    fn remove_from_indexes(&mut self, claimant: &Claimant) {
        let Some(claim) = self.claims.remove(claimant) else { return };
        for slot in claim.desired.keys() {
            remove_claimant(&mut self.desired, slot, claimant);
        }
        for (kind, key, id) in &claim.managed {
            remove_claimant(&mut self.managed_keys, &(*kind, key.clone()), claimant);
            if let Some(id) = id {
                remove_claimant(&mut self.managed_ids, &(*kind, id.clone()), claimant);
            }
        }
    }
}

/// The question of one object for its standing.
struct StandingQuery<'a> {
    claims: &'a Claims,
    claimant: &'a Claimant,
    slot: &'a (Kind, Key),
    existing: Option<&'a Id>,
    fingerprint: &'a Fingerprint,
}

impl StandingQuery<'_> {
    /// Whether the other object desires the same grant. Things of other kinds are never shared.
    fn can_share_with(&self, other: &Claimant) -> bool {
        self.slot.0 == Kind::Grant
            && self.claims.desired_fingerprint(other, self.slot) == Some(self.fingerprint)
    }

    fn manages_existing(&self, one: &Claimant) -> bool {
        self.claims.manages_id(one, self.slot.0, self.existing)
    }

    /// The standing behind an object that goes first.
    fn behind(&self, other: &Claimant) -> Standing {
        let title = self.claims.title(self.claimant, other);
        if self.can_share_with(other) { Standing::Waiting(title) } else { Standing::Blocked(title) }
    }

    /// The standing if other objects manage the thing and keep it. None if none of them will create the thing.
    fn among_managers(&self, keeping: &[&Claimant]) -> Option<Standing> {
        let with_id = || keeping.iter().copied().filter(|one| self.manages_existing(one));
        if let Some(rival) = with_id().find(|one| !self.can_share_with(one)) {
            return Some(Standing::Blocked(self.claims.title(self.claimant, rival)));
        }
        if let Some(sharer) = with_id().next() {
            return Some(Standing::Shared(self.claims.title(self.claimant, sharer)));
        }
        if self.manages_existing(self.claimant) {
            return Some(Standing::Free);
        }
        // Their thing does not exist, or none of them has recorded its id yet. The oldest active one creates it.
        let own = self.claims.manages(self.claimant, self.slot, self.existing).then_some(self.claimant);
        let creators = keeping.iter().copied().chain(own).filter(|one| self.claims.is_active(one));
        match creators.min() {
            Some(creator) if creator == self.claimant => Some(Standing::Free),
            Some(creator) => Some(self.behind(creator)),
            None => keeping.iter().find(|one| !self.can_share_with(one)).map(|one| self.behind(one)),
        }
    }

    /// The standing if no other manager is in the way: the `managers` release the thing, or will not create it.
    fn next_in_line(&self, managers: &[&Claimant]) -> Standing {
        let Some(manager) = managers.first() else {
            let own = self.claims.manages(self.claimant, self.slot, self.existing);
            return match self.claims.first_active(self.slot) {
                Some(first) if !own && first < self.claimant => self.behind(first),
                _ => Standing::Free,
            };
        };
        // They can only hand over what they manage, not another thing that has the key.
        let theirs = self.existing.is_none()
            || self.manages_existing(self.claimant)
            || managers.iter().any(|one| self.manages_existing(one));
        let next = if theirs { Standing::NextOwner } else { Standing::Free };
        if self.claims.manages(self.claimant, self.slot, self.existing) {
            return next;
        }
        match self.claims.next_owner(self.slot, managers) {
            Some(first) if first == self.claimant => next,
            Some(first) if first < self.claimant => self.behind(first),
            _ => self.behind(manager),
        }
    }
}

fn remove_claimant<K: std::hash::Hash + Eq>(
    index: &mut HashMap<K, Claimants>,
    slot: &K,
    claimant: &Claimant,
) {
    if let Some(claimants) = index.get_mut(slot) {
        claimants.0.retain(|one| **one != *claimant);
        if claimants.0.is_empty() {
            index.remove(slot);
        }
    }
}
