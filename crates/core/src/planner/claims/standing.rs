//! The standing of one object for one thing that it desires.

use super::{Claimant, Claims, ThingRef};
use crate::model::{Fingerprint, Id, Key, Kind};
use crate::planner::input::Standing;

impl Claims {
    /// The standing of `claimant` for a thing that it desires with this fingerprint. `existing`: the ids of the existing things that its
    /// plan can use for it, from [`candidates`](super::candidates).
    pub fn standing(
        &self,
        claimant: &Claimant,
        kind: Kind,
        key: &Key,
        existing: &[Id],
        fingerprint: &Fingerprint,
    ) -> Standing {
        let slot = (kind, key.clone());
        let thing = ThingRef { slot: &slot, ids: existing };
        StandingQuery { claims: self, claimant, thing, fingerprint }.answer()
    }
}

/// The question of one object for its standing.
struct StandingQuery<'a> {
    pub claims: &'a Claims,
    pub claimant: &'a Claimant,
    pub thing: ThingRef<'a>,
    pub fingerprint: &'a Fingerprint,
}

impl StandingQuery<'_> {
    pub fn answer(&self) -> Standing {
        let others = self.claims.other_managers(self.claimant, &self.thing);
        let keeps = |manager: &&Claimant| !self.claims.releases(manager, self.thing.slot);
        let keeping: Vec<&Claimant> = others.iter().copied().filter(keeps).collect();
        if !keeping.is_empty()
            && let Some(standing) = self.among_managers(&keeping)
        {
            return standing;
        }
        self.next_in_line(&others)
    }

    /// Whether the other object desires the same grant. Things of other kinds are never shared.
    fn can_share_with(&self, other: &Claimant) -> bool {
        self.thing.is_grant()
            && self.claims.desired_fingerprint(other, self.thing.slot) == Some(self.fingerprint)
    }

    fn manages_existing(&self, one: &Claimant) -> bool {
        self.claims.manages_id(one, &self.thing)
    }

    /// Whether the claimant manages the thing already. The new name of a role that it is to rename is not its own yet.
    fn is_own(&self) -> bool {
        match self.thing.slot.0 {
            Kind::Role => self.claims.manages_key(self.claimant, &self.thing),
            Kind::Grant | Kind::Restriction | Kind::Group => self.claims.manages(self.claimant, &self.thing),
        }
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
        if self.is_own() && self.manages_existing(self.claimant) {
            return Some(Standing::Free);
        }
        // Their thing does not exist, or none of them has recorded its id yet. The oldest active one creates it.
        let own = self.is_own().then_some(self.claimant);
        let creators = keeping.iter().copied().chain(own).filter(|one| self.claims.is_active(one));
        match creators.min() {
            Some(creator) if creator == self.claimant => Some(Standing::Free),
            Some(creator) => Some(self.behind(creator)),
            None => keeping.iter().find(|one| !self.can_share_with(one)).map(|one| self.behind(one)),
        }
    }

    /// The standing if no other manager is in the way: the `managers` release the thing, or will not create it.
    fn next_in_line(&self, managers: &[&Claimant]) -> Standing {
        let own = self.is_own();
        let Some(manager) = managers.first() else {
            return match self.claims.first_active(self.claimant, self.thing.slot) {
                Some(first) if !own && first < self.claimant => self.behind(first),
                _ => Standing::Free,
            };
        };
        // They can only hand over what they manage, not another thing that has the key.
        let theirs = self.thing.ids.is_empty()
            || self.manages_existing(self.claimant)
            || managers.iter().any(|one| self.manages_existing(one));
        let next = if theirs { Standing::NextOwner } else { Standing::Free };
        if own {
            return next;
        }
        match self.claims.next_owner(self.thing.slot, managers) {
            Some(first) if first == self.claimant => next,
            Some(first) if first < self.claimant => self.behind(first),
            _ => self.behind(manager),
        }
    }
}
