//! Managed things that no desired item uses: each is deleted, opened again, handed over or released.

use std::collections::{BTreeSet, HashSet};

use super::{Fate, Planner, Satisfied};
use crate::model::{Absence, Body, Change, Defaults, Id, Kind, Named, Observed, Restriction, RoleRef};
use crate::planner::{
    input::{OtherClaims, Removal},
    loss::Loss,
    messages,
    plan::{Cause, Step},
    problem::Problem,
};

impl Planner<'_> {
    pub(super) fn plan_removals(&mut self) {
        let (mut open, stays): (Vec<usize>, Vec<usize>) =
            (0..self.entries.len()).partition(|&entry| self.entries[entry].fate == Fate::Open);
        let id = |entry: usize| {
            let held = &self.entries[entry].held;
            Some((held.kind, held.id()?.clone()))
        };
        let mut handled: HashSet<(Kind, Id)> = stays.into_iter().filter_map(id).collect();
        // Present entries first: a pending one can turn out to be for the same thing.
        open.sort_by_key(|&entry| !self.entries[entry].held.is_present());
        for entry in open {
            let name = self.entries[entry].held.name.clone();
            match self.plan_removal(entry, &mut handled) {
                Ok(fate) => self.entries[entry].fate = fate,
                Err(problem) => self.report(name, problem),
            }
        }
    }

    /// Plans the removal of one entry: released without a write, or still open with a step, or until its replacement is possible.
    fn plan_removal(&mut self, entry: usize, handled: &mut HashSet<(Kind, Id)>) -> Result<Fate, Problem> {
        let held = &self.entries[entry].held;
        if let (OtherClaims::Waiting(next), Some(_)) = (&held.other_claims, &held.taken) {
            // Even with Retain: the next owner must learn which defaults to restore.
            return Err(messages::handed_over(next));
        }
        if self.policy.removal == Removal::Retain {
            return Ok(Fate::Released);
        }
        if let OtherClaims::Shared(other) = &held.other_claims {
            let seen = held.id().and_then(|id| self.observed.by_id(held.kind, id));
            if let Some(Body::Grant(grant)) = seen.map(|seen| &seen.body) {
                self.still_shared.insert(messages::still_shared(grant, other));
            }
            return Ok(Fate::Released);
        }
        let after = match held.subject().and_then(|subject| self.replacements.get(&Id::new(subject))) {
            Some(None) => return Ok(Fate::Open),
            Some(Some(Satisfied::ByStep(step))) => Some(*step),
            Some(Some(Satisfied::Already)) | None => None,
        };
        let Some(seen) = self.seen(entry)? else {
            if let Some(problem) = self.unread_entry(entry, None) {
                return Err(problem);
            }
            if !self.is_absent(entry) {
                return Err(self.not_visible(entry));
            }
            let held = &self.entries[entry].held;
            self.absent.extend(held.id().map(|id| (held.kind, id.clone())));
            return Ok(Fate::Released);
        };
        let held = &mut self.entries[entry].held;
        if !handled.insert((held.kind, seen.id.clone())) {
            return Ok(Fate::Released);
        }
        if !held.is_present() {
            if seen.body.is_unreadable() {
                return Err(messages::possibly_created_by_others(seen));
            }
            held.set_present(seen.id.clone());
        }
        if let Some(problem) = self.cannot_delete(entry, seen) {
            return Err(problem);
        }
        if seen.outline {
            return Err(self.request_read(seen));
        }
        let held = &self.entries[entry].held;
        if let (Some(taken), Body::Restriction(now)) = (&held.taken, &seen.body) {
            let restored = restored(taken, now);
            return Ok(self.open(entry, seen, restored));
        }
        let change = Change::Delete { id: seen.id.clone(), before: seen.body.clone() };
        let fingerprint = held.fingerprint.clone();
        let cause = Cause::Spec;
        self.add_step(Step { change, fingerprint, cause, entry, after, resumed: false, releases: false });
        Ok(Fate::Open)
    }

    /// Opens a resource that this object had closed. Released if there is nothing to restore.
    fn open(&mut self, entry: usize, seen: &Observed, restored: Restriction) -> Fate {
        let after = Body::Restriction(restored);
        if after == seen.body {
            return Fate::Released;
        }
        let change = Change::Update { id: seen.id.clone(), before: seen.body.clone(), after };
        let fingerprint = self.entries[entry].held.fingerprint.clone();
        let cause = Cause::Spec;
        self.add_step(Step {
            change,
            fingerprint,
            cause,
            entry,
            after: None,
            resumed: false,
            releases: true,
        });
        Fate::Open
    }

    /// Why an existing thing cannot be deleted.
    fn cannot_delete(&self, entry: usize, seen: &Observed) -> Option<Problem> {
        if let OtherClaims::Waiting(next) = &self.entries[entry].held.other_claims {
            return Some(messages::handed_over(next));
        }
        if let Some(why) = &seen.read_only {
            return Some(messages::cannot_be_deleted(seen, why));
        }
        let grants = self.dependents(seen);
        (!grants.is_empty()).then(|| messages::still_granted(seen, &grants))
    }

    /// The grants and groups through which subjects would lose a role if it were deleted.
    fn dependents(&self, seen: &Observed) -> Vec<String> {
        if seen.body.kind() != Kind::Role {
            return Vec::new();
        }
        let mut titles: Vec<String> = self.grants_of(&seen.id).map(|grant| grant.body.title()).collect();
        titles.sort();
        titles
    }

    /// The visible grants and groups through which subjects have a role.
    fn grants_of(&self, role: &Id) -> impl Iterator<Item = &Observed> {
        let granted = self.policy.identity.granted_as(role);
        let is_this = move |role: &RoleRef| matches!(role, RoleRef::Existing(role) if role.id == granted);
        let of_this = move |thing: &&Observed| match &thing.body {
            Body::Grant(grant) => is_this(&grant.role),
            Body::Group(group) => group.roles.iter().any(&is_this),
            _ => false,
        };
        self.observed.all(Kind::Grant).chain(self.observed.all(Kind::Group)).filter(of_this)
    }

    /// What a change takes away. The holders of a role are known only if the lists of all grants are complete.
    pub(super) fn loss_by(&self, change: &Change) -> Loss {
        let holders = |role: &Id| {
            let proven = |kind| self.observed.absence(kind, None) == Absence::Proven;
            let granting = |kind: &Kind| matches!(kind, Kind::Grant | Kind::Group);
            let mut kinds = self.policy.identity.capabilities().kinds().filter(granting);
            let holders: BTreeSet<Named> =
                self.grants_of(role).flat_map(|grant| subjects(&grant.body)).cloned().collect();
            (!holders.is_empty() || kinds.all(proven)).then_some(holders)
        };
        Loss::of(change, holders)
    }
}

fn subjects(body: &Body) -> impl Iterator<Item = &Named> {
    let (grant, group) = match body {
        Body::Grant(grant) => (Some(&grant.subject), None),
        Body::Group(group) => (None, group.members.as_ref()),
        Body::Role(_) | Body::Restriction(_) => (None, None),
    };
    grant.into_iter().chain(group.into_iter().flatten())
}

/// A resource with the defaults that were taken away. A default that was set since then stays as it was set.
fn restored(taken: &Defaults, now: &Restriction) -> Restriction {
    let mut restored = now.clone();
    for (whose, permission) in taken.iter().filter(|(_, permission)| !permission.is_empty()) {
        restored.open.entry(whose.clone()).or_insert_with(|| permission.clone());
    }
    restored
}
