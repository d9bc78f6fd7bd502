//! Reads the assignments of managed grants, and what they prove. There is no list of all assignments: those of one role in one scope come
//! complete, without pages and without other filters, and a credential that may not read them is refused (contract 2.2). So a grant that is
//! missing there is deleted.
//!
//! A server that filters lists where it should refuse would hide the grants of others. So a list without another user's assignment proves
//! something only if the workspace is visible, if another user's assignment of a predefined role is, and if the list is the same after both
//! were read. A role, workspace or project that is not found can be hidden: it is deleted if its list lacks it and a read by its id does not
//! find it (contract 6). Each grant is its own place of proof, because nothing was read about the others.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::{
    client::Client,
    ids::{GrantId, Principal, Scope, grant_id},
    map,
    people::People,
    snapshot::are_all,
    visibility::{self, Visibility},
    wire::{self, Assignment},
};
use crate::{Error, reading::Reading};
use rolewright_core::model::{Builder, Id, Kind, Level, Named, Part};

/// A role, and a scope where it is assigned.
type Spot = (String, Scope);

/// The managed grants.
pub struct Managed(BTreeMap<Spot, BTreeSet<Principal>>);

impl Managed {
    /// These grants.
    pub fn of(grants: impl Iterator<Item = GrantId>) -> Self {
        let mut managed = BTreeMap::<Spot, BTreeSet<Principal>>::new();
        for GrantId { role, scope, principal } in grants {
            managed.entry((role, scope)).or_default().insert(principal);
        }
        Self(managed)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The roles and scopes of all of them.
    pub fn spots(&self) -> impl Iterator<Item = &Spot> {
        self.0.keys()
    }

    /// Those of invitations.
    pub fn invited(&self) -> Vec<GrantId> {
        let all =
            self.0.iter().flat_map(|(spot, who)| who.iter().map(move |principal| grant(spot, principal)));
        all.filter(|grant| matches!(grant.principal, Principal::Invitation { .. })).collect()
    }

    /// Replaces grants to accepted invitations by grants to the accounts.
    pub fn follow_accepted(&mut self, people: &People, builder: &mut Builder) {
        for grant in self.invited() {
            let Some(now) = people.accepted(&grant) else { continue };
            builder.set_successor(Kind::Grant, grant.key(), (now.id(), now.key()));
            let principals = self.0.entry((grant.role, grant.scope)).or_default();
            principals.remove(&grant.principal);
            principals.insert(now.principal);
        }
    }

    /// What is unread when the assignments of a role in a scope are: its grants, which are each a place of proof.
    fn parts_of(&self, spot: &Spot) -> Vec<Part> {
        let all = Id::new(format!("{}/{}", spot.0, spot.1.text()));
        let here = self.0[spot].iter().map(|principal| grant(spot, principal).id());
        std::iter::once(all).chain(here).map(|place| Part::Place(Kind::Grant, place)).collect()
    }
}

fn grant((role, scope): &Spot, principal: &Principal) -> GrantId {
    GrantId { role: role.clone(), scope: scope.clone(), principal: principal.clone() }
}

/// What reads the assignments of one snapshot.
pub struct Assignments<'a> {
    pub client: &'a Client,
    pub reading: &'a Reading,
    pub managed: &'a Managed,
    pub roles: &'a [wire::Role],
    pub people: &'a People,
}

/// The assignments of a role in a scope.
struct Read {
    spot: Spot,
    /// None if they could not be read.
    rows: Option<Vec<Assignment>>,
    /// The role does not exist any more.
    role_is_deleted: bool,
}

/// Managed grants that were not visible, and whether the list that lacks them was readable.
type Doubt = (Vec<Id>, bool);

impl Assignments<'_> {
    /// Adds the assignments. Returns the managed grants that are visible or certainly do not exist.
    ///
    /// # Errors
    /// A failure of the whole account: see [`Reading`].
    pub async fn read(&self, builder: &mut Builder) -> Result<HashSet<Id>, Error> {
        let names: BTreeMap<&str, Named> =
            self.roles.iter().map(|role| (role.id.as_str(), map::role_named(role))).collect();
        let (mut proven, mut doubtful) = (HashSet::new(), BTreeMap::<Spot, Doubt>::new());
        for read in self.each(self.managed.spots().cloned()).await? {
            let role = names.get(read.spot.0.as_str()).cloned();
            read.add_to(builder, role.unwrap_or_else(|| Named::unnamed(Level::ROLE, Id::new(&read.spot.0))));
            let (shown, mut unseen) = (read.shown(), Vec::new());
            for principal in &self.managed.0[&read.spot] {
                let id = grant(&read.spot, principal).id();
                if read.role_is_deleted || shown.contains(&id) {
                    proven.insert(id);
                } else if self.is_settled(principal, &read) {
                    unseen.push(id);
                }
            }
            if unseen.is_empty() {
                continue;
            }
            let others =
                visibility::shows_others(self.client, read.rows.as_deref().unwrap_or_default()).await;
            match self.reading.rights(others)? {
                Some(true) if read.is_complete() => proven.extend(unseen),
                _ => drop(doubtful.insert(read.spot.clone(), (unseen, read.is_complete()))),
            }
        }
        proven.extend(self.absent(doubtful).await?);
        Ok(proven)
    }

    /// Of these grants, those that certainly do not exist.
    async fn absent(&self, doubtful: BTreeMap<Spot, Doubt>) -> Result<Vec<Id>, Error> {
        if doubtful.is_empty() {
            return Ok(Vec::new());
        }
        let scopes = doubtful.keys().map(|(_, scope)| scope.clone());
        let seen = self.reading.rights(Visibility::read(self.client, self.roles, scopes).await)?;
        let seen = seen.unwrap_or_default();
        let of_deleted = doubtful.iter().filter(|((_, scope), _)| seen.lacks(scope));
        let mut absent: Vec<Id> = of_deleted.flat_map(|(_, (ids, _))| ids.clone()).collect();
        // Read once more after what vouches for them: rights that change in between prove nothing.
        let again = doubtful.iter().filter(|((_, scope), (_, readable))| *readable && seen.covers(scope));
        for read in self.each(again.map(|(spot, _)| spot.clone())).await? {
            let (shown, (ids, _)) = (read.shown(), &doubtful[&read.spot]);
            absent.extend(ids.iter().filter(|id| read.is_complete() && !shown.contains(id)).cloned());
        }
        Ok(absent)
    }

    async fn each(&self, spots: impl Iterator<Item = Spot>) -> Result<Vec<Read>, Error> {
        let listed: BTreeSet<&str> = self.roles.iter().map(|role| role.id.as_str()).collect();
        let read = |spot: Spot| {
            let lacks_role = are_all(self.roles) && !listed.contains(spot.0.as_str());
            self.one(spot, lacks_role)
        };
        self.reading.each(spots, |spot| self.managed.parts_of(spot), read).await
    }

    async fn one(&self, spot: Spot, lacks_role: bool) -> Result<Read, Error> {
        if lacks_role && self.client.lacks(&["roles", &spot.0]).await? {
            return Ok(Read { spot, rows: None, role_is_deleted: true });
        }
        let rows = visibility::assignments(self.client, &spot.0, &spot.1).await?;
        Ok(Read { spot, rows, role_is_deleted: false })
    }

    /// Whether a missing grant did not pass to another principal. The person who accepted an invitation can have another address, and so can
    /// be any user who has the role there without a managed grant.
    fn is_settled(&self, principal: &Principal, read: &Read) -> bool {
        let Principal::Invitation { uuid, .. } = principal else { return true };
        let managed = &self.managed.0[&read.spot];
        let mut users = read.rows.iter().flatten().filter_map(|row| row.user.as_ref());
        self.people.shows(uuid)
            || self.people.complete && users.all(|user| managed.contains(&Principal::User(user.id.clone())))
    }
}

impl Read {
    /// The ids of the grants that it shows.
    fn shown(&self) -> HashSet<Id> {
        self.rows.iter().flatten().filter_map(|row| self.id(row)).collect()
    }

    /// Whether it could be read and has only known kinds of assignments.
    fn is_complete(&self) -> bool {
        self.rows.as_ref().is_some_and(|rows| rows.iter().all(|row| self.id(row).is_some()))
    }

    fn id(&self, row: &Assignment) -> Option<Id> {
        Some(grant_id(&self.spot.0, &map::scope(row)?.text(), map::subject(row)?.id.as_str()))
    }

    fn add_to(&self, builder: &mut Builder, role: Named) {
        for row in self.rows.iter().flatten() {
            let (Some(subject), Some(scope)) = (map::subject(row), map::scope(row)) else { continue };
            let id = Id::new(scope.text());
            let named = (scope != Scope::Organization).then(|| builder.directory().named(scope.level(), &id));
            builder.add(map::grant(role.clone(), &scope, named, subject));
        }
    }
}
