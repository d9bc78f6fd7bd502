//! Who claims what in one tenant: two objects never pull one external thing in two directions.
//!
//! The recorded holder keeps a thing until it lets go; among claimants that hold nothing the older one gets it. Grants that say the same
//! are shared. An object that goes hands what it holds to the next claimant.
//!
//! A claim is to be put down together with the plan that is made under it, and again with [`Plan::held`](super::Plan::held) before that
//! plan's first write: between two objects' plans nothing else keeps them from making one thing twice.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    sync::Arc,
};

use super::input::{Others, Standing};
use crate::model::{Defaults, Fingerprint, Id, Key, Kind};

/// An object that claims things: ordered by age, then by UID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Claimant {
    /// Creation time, in a form that sorts by age (RFC 3339, UTC).
    pub created: String,
    /// The object's UID.
    pub uid: String,
}

/// Everything that one object claims.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// How other objects may call it: `RoleBinding team-a/readers`.
    pub title: String,
    /// Its namespace: an object of another namespace is not told who holds a thing.
    pub namespace: String,
    /// What it asks for, as [`asks`](super::asks) puts it together.
    pub wants: Asks,
    /// What it holds: key, and id where one is recorded.
    pub holds: Vec<(Kind, Key, Option<Id>)>,
    /// What was taken away for it, of what it holds.
    pub taken: Box<[(Key, Defaults)]>,
    /// It writes: not paused, not in Plan mode, not going. Only such a one can be handed a thing.
    pub active: bool,
    /// It is being deleted and gives up all that it holds.
    pub going: bool,
}

/// What an object asks for: by natural key, what each thing is to be. Sorted, and without the half-empty nodes of a map: there is one for
/// each object of a tenant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asks(Box<[((Kind, Key), Fingerprint)]>);

impl FromIterator<((Kind, Key), Fingerprint)> for Asks {
    fn from_iter<T: IntoIterator<Item = ((Kind, Key), Fingerprint)>>(asks: T) -> Self {
        Self(asks.into_iter().collect::<BTreeMap<_, _>>().into_iter().collect())
    }
}

impl Asks {
    /// The natural keys.
    pub fn keys(&self) -> impl Iterator<Item = &(Kind, Key)> {
        self.0.iter().map(|(slot, _)| slot)
    }

    #[cfg(test)]
    pub(super) fn fingerprints(&self) -> impl Iterator<Item = &Fingerprint> {
        self.0.iter().map(|(_, fingerprint)| fingerprint)
    }

    fn get(&self, slot: &(Kind, Key)) -> Option<&Fingerprint> {
        let place = self.0.binary_search_by(|(known, _)| known.cmp(slot)).ok()?;
        Some(&self.0[place].1)
    }
}

/// All claims of a tenant.
#[derive(Debug, Default)]
pub struct Claims {
    claims: HashMap<Arc<Claimant>, Claim>,
    wanted: HashMap<(Kind, Key), Group>,
    held_keys: HashMap<(Kind, Key), Group>,
    held_ids: HashMap<(Kind, Id), Group>,
}

/// Claimants of one thing: nearly always one, so that a set would be mostly empty.
#[derive(Debug, Default)]
struct Group(Vec<Arc<Claimant>>);

impl Group {
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
    /// Puts an object's claim in the place of what it claimed before. Gives the other objects whose standing may have changed.
    pub fn set(&mut self, claimant: Claimant, claim: Claim) -> Vec<Claimant> {
        if self.claims.get(&claimant) == Some(&claim) {
            return Vec::new();
        }
        let mut touched = self.neighbours(&claimant);
        self.unlink(&claimant);
        let claimant = Arc::new(claimant);
        for want in claim.wants.keys() {
            self.wanted.entry(want.clone()).or_default().insert(&claimant);
        }
        for (kind, key, id) in &claim.holds {
            self.held_keys.entry((*kind, key.clone())).or_default().insert(&claimant);
            if let Some(id) = id {
                self.held_ids.entry((*kind, id.clone())).or_default().insert(&claimant);
            }
        }
        self.claims.insert(claimant.clone(), claim);
        touched.extend(self.neighbours(&claimant));
        touched.into_iter().collect()
    }

    /// Forgets an object. Gives the other objects whose standing may have changed.
    pub fn remove(&mut self, claimant: &Claimant) -> Vec<Claimant> {
        let touched = self.neighbours(claimant);
        self.unlink(claimant);
        touched.into_iter().collect()
    }

    /// Whether any object holds a thing.
    pub fn is_held(&self, kind: Kind, id: &Id) -> bool {
        self.held_ids.contains_key(&(kind, id.clone()))
    }

    /// How `claimant` stands to a thing: `there` is the id of what has the natural key now, if anything has.
    pub fn standing(
        &self,
        claimant: &Claimant,
        kind: Kind,
        key: &Key,
        there: Option<&Id>,
        wish: &Fingerprint,
    ) -> Standing {
        let slot = (kind, key.clone());
        let asking = Asking { claims: self, claimant, slot: &slot, there, wish };
        let others = self.holders(claimant, kind, key, there);
        let staying =
            others.iter().copied().filter(|holder| !self.gives_up(holder, &slot)).collect::<Vec<_>>();
        if !staying.is_empty()
            && let Some(standing) = asking.beside(&staying)
        {
            return standing;
        }
        asking.next_in_line(&others)
    }

    /// What other objects have to do with a thing that `claimant` holds.
    pub fn others(&self, claimant: &Claimant, kind: Kind, key: &Key, id: Option<&Id>) -> Others {
        let holders = self.holders(claimant, kind, key, id);
        if let Some(first) = holders.into_iter().find(|holder| self.holds_same(holder, kind, key, id)) {
            return Others::Hold(self.title(claimant, first));
        }
        let heir = self.first_heir(&(kind, key.clone()), &[claimant]);
        heir.map_or(Others::None, |heir| Others::Wait(self.title(claimant, heir)))
    }

    /// What was taken away for another object that holds a thing: who is handed the thing has to give that back one day.
    pub fn taken(&self, claimant: &Claimant, kind: Kind, key: &Key, id: Option<&Id>) -> Option<Defaults> {
        let holders = self.holders(claimant, kind, key, id).into_iter();
        let of_this = |(its, defaults): &(Key, Defaults)| (its == key).then(|| defaults.clone());
        holders
            .filter_map(|holder| self.claims.get(holder))
            .find_map(|claim| claim.taken.iter().find_map(of_this))
    }

    fn holders(&self, claimant: &Claimant, kind: Kind, key: &Key, id: Option<&Id>) -> Vec<&Claimant> {
        let by_key = self.held_keys.get(&(kind, key.clone())).into_iter().flat_map(Group::iter);
        let by_id =
            id.and_then(|id| self.held_ids.get(&(kind, id.clone()))).into_iter().flat_map(Group::iter);
        let mut holders: Vec<&Claimant> = by_key.chain(by_id).filter(|holder| *holder != claimant).collect();
        holders.sort();
        holders.dedup();
        holders
    }

    /// Whether a holder's thing of this key is this very thing. A recorded one and one that is only intended are not: the intent will
    /// find what is recorded.
    fn holds_same(&self, holder: &Claimant, kind: Kind, key: &Key, id: Option<&Id>) -> bool {
        let same = |(its_kind, its_key, its_id): &(Kind, Key, Option<Id>)| {
            *its_kind == kind
                && match (id, its_id) {
                    (Some(id), Some(its_id)) => id == its_id,
                    (Some(_), None) => false,
                    (None, _) => its_key == key,
                }
        };
        self.claims.get(holder).is_some_and(|claim| claim.holds.iter().any(same))
    }

    fn holds(&self, claimant: &Claimant, (kind, key): &(Kind, Key), id: Option<&Id>) -> bool {
        let by_key = self.held_keys.get(&(*kind, key.clone()));
        by_key.is_some_and(|set| set.contains(claimant)) || self.records(claimant, *kind, id)
    }

    fn records(&self, claimant: &Claimant, kind: Kind, id: Option<&Id>) -> bool {
        let holders = id.and_then(|id| self.held_ids.get(&(kind, id.clone())));
        holders.is_some_and(|holders| holders.contains(claimant))
    }

    fn active(&self, claimant: &Claimant) -> bool {
        self.claims.get(claimant).is_some_and(|claim| claim.active)
    }

    /// The oldest object that asks for a thing and writes.
    fn first_waiting(&self, slot: &(Kind, Key)) -> Option<&Claimant> {
        self.wanted.get(slot)?.iter().filter(|one| self.active(one)).min()
    }

    /// The oldest object that a thing can be handed to.
    fn first_heir(&self, slot: &(Kind, Key), holders: &[&Claimant]) -> Option<&Claimant> {
        let wanting = self.wanted.get(slot)?.iter();
        wanting.filter(|one| !holders.contains(one) && self.active(one) && !self.is_provided(one, slot)).min()
    }

    /// Whether an object has a thing of its own already where it could be handed one: the role that it would rename, or another
    /// thing that it recorded under the same key.
    fn is_provided(&self, claimant: &Claimant, (kind, key): &(Kind, Key)) -> bool {
        let own = |(its_kind, its_key, id): &(Kind, Key, Option<Id>)| {
            its_kind == kind && if its_key == key { id.is_some() } else { *kind == Kind::Role }
        };
        self.claims.get(claimant).is_some_and(|claim| claim.holds.iter().any(own))
    }

    fn wish(&self, claimant: &Claimant, slot: &(Kind, Key)) -> Option<&Fingerprint> {
        self.claims.get(claimant)?.wants.get(slot)
    }

    /// A holder gives a thing up when it is going, or when it writes and asks for it no longer. A role that is asked for under
    /// another name is renamed, not given up.
    fn gives_up(&self, claimant: &Claimant, slot: &(Kind, Key)) -> bool {
        let Some(claim) = self.claims.get(claimant) else { return true };
        let asks = match slot.0 {
            Kind::Role => claim.wants.keys().any(|(kind, _)| *kind == Kind::Role),
            Kind::Grant | Kind::Restriction | Kind::Group => claim.wants.get(slot).is_some(),
        };
        claim.going || claim.active && !asks
    }

    fn title(&self, asking: &Claimant, named: &Claimant) -> String {
        let Some(claim) = self.claims.get(named) else { return "another object".to_owned() };
        let same = self.claims.get(asking).is_some_and(|asking| asking.namespace == claim.namespace);
        if same { claim.title.clone() } else { "an object of another namespace".to_owned() }
    }

    fn neighbours(&self, claimant: &Claimant) -> HashSet<Claimant> {
        let Some(claim) = self.claims.get(claimant) else { return HashSet::new() };
        let mut found = HashSet::new();
        let held = claim.holds.iter().map(|(kind, key, _)| (*kind, key.clone()));
        for slot in claim.wants.keys().cloned().chain(held) {
            found.extend(self.wanted.get(&slot).into_iter().flat_map(Group::iter).cloned());
            found.extend(self.held_keys.get(&slot).into_iter().flat_map(Group::iter).cloned());
        }
        for (kind, _, id) in &claim.holds {
            if let Some(id) = id {
                found.extend(
                    self.held_ids.get(&(*kind, id.clone())).into_iter().flat_map(Group::iter).cloned(),
                );
            }
        }
        found.remove(claimant);
        found
    }

    fn unlink(&mut self, claimant: &Claimant) {
        let Some(claim) = self.claims.remove(claimant) else { return };
        for want in claim.wants.keys() {
            take(&mut self.wanted, want, claimant);
        }
        for (kind, key, id) in &claim.holds {
            take(&mut self.held_keys, &(*kind, key.clone()), claimant);
            if let Some(id) = id {
                take(&mut self.held_ids, &(*kind, id.clone()), claimant);
            }
        }
    }
}

/// One object's question for its standing.
struct Asking<'a> {
    claims: &'a Claims,
    claimant: &'a Claimant,
    slot: &'a (Kind, Key),
    there: Option<&'a Id>,
    wish: &'a Fingerprint,
}

impl Asking<'_> {
    fn alike(&self, other: &Claimant) -> bool {
        self.slot.0 == Kind::Grant && self.claims.wish(other, self.slot) == Some(self.wish)
    }

    fn after(&self, other: &Claimant) -> Standing {
        let title = self.claims.title(self.claimant, other);
        if self.alike(other) { Standing::Behind(title) } else { Standing::Blocked(title) }
    }

    /// The standing beside others that hold the thing and keep it. None: they keep it, and none of them will make it.
    fn beside(&self, staying: &[&Claimant]) -> Option<Standing> {
        let recorded = |one: &Claimant| self.claims.records(one, self.slot.0, self.there);
        let settled = || staying.iter().copied().filter(|one| recorded(one));
        if let Some(rival) = settled().find(|one| !self.alike(one)) {
            return Some(Standing::Blocked(self.claims.title(self.claimant, rival)));
        }
        if let Some(sharer) = settled().next() {
            return Some(Standing::Shared(self.claims.title(self.claimant, sharer)));
        }
        if recorded(self.claimant) {
            return Some(Standing::Free);
        }
        // What they hold is not there, or nobody has recorded it yet: the first of them that writes makes it.
        let mine = self.claims.holds(self.claimant, self.slot, self.there).then_some(self.claimant);
        let makers = staying.iter().copied().chain(mine).filter(|one| self.claims.active(one));
        match makers.min() {
            Some(maker) if maker == self.claimant => Some(Standing::Free),
            Some(maker) => Some(self.after(maker)),
            None => staying.iter().find(|one| !self.alike(one)).map(|one| self.after(one)),
        }
    }

    /// The standing when no other holder is in the way: `holders` let go, or will not make what is missing.
    fn next_in_line(&self, holders: &[&Claimant]) -> Standing {
        let Some(holder) = holders.first() else {
            let mine = self.claims.holds(self.claimant, self.slot, self.there);
            return match self.claims.first_waiting(self.slot) {
                Some(first) if !mine && first < self.claimant => self.after(first),
                _ => Standing::Free,
            };
        };
        let recorded = |one: &Claimant| self.claims.records(one, self.slot.0, self.there);
        // Something else that has the key is not theirs to hand over.
        let theirs =
            self.there.is_none() || recorded(self.claimant) || holders.iter().any(|one| recorded(one));
        let given = if theirs { Standing::Heir } else { Standing::Free };
        if self.claims.holds(self.claimant, self.slot, self.there) {
            return given;
        }
        match self.claims.first_heir(self.slot, holders) {
            Some(first) if first == self.claimant => given,
            Some(first) if first < self.claimant => self.after(first),
            _ => self.after(holder),
        }
    }
}

fn take<K: std::hash::Hash + Eq>(index: &mut HashMap<K, Group>, slot: &K, claimant: &Claimant) {
    if let Some(group) = index.get_mut(slot) {
        group.0.retain(|one| **one != *claimant);
        if group.0.is_empty() {
            index.remove(slot);
        }
    }
}
