//! What no want stands on any more: removed, opened again, handed over, or let go.

use std::collections::HashSet;

use super::{Met, Planner, canonical, places};
use crate::model::{Body, Change, Defaults, Id, Kind, Observed, Restriction, RoleRef};
use crate::planner::{
    input::{Others, Removal},
    plan::{Cause, Step},
    wording::{self, Obstacle},
};

impl Planner<'_> {
    /// What no want stands on any more is removed, or let go.
    pub(in crate::planner) fn let_go_of_the_rest(&mut self) {
        let (stood_on, mut rest): (Vec<usize>, Vec<usize>) =
            (0..self.held.len()).partition(|&entry| self.used[entry] || self.kept[entry]);
        let id = |entry: usize| Some((self.held[entry].kind, self.held[entry].id.clone()?));
        let mut settled: HashSet<(Kind, Id)> = stood_on.into_iter().filter_map(id).collect();
        // An intent that turns out to be what another entry records is that entry's matter.
        rest.sort_by_key(|&entry| self.held[entry].pending());
        let gone: HashSet<usize> =
            rest.into_iter().filter(|&entry| self.let_go(entry, &mut settled)).collect();
        self.drop_entries(&gone);
    }

    /// Deals with one entry that is not wanted; true when it is held no longer, without any write.
    fn let_go(&mut self, entry: usize, settled: &mut HashSet<(Kind, Id)>) -> bool {
        let held = &self.held[entry];
        if let (Others::Wait(heir), Some(_)) = (&held.others, &held.taken) {
            // Whatever becomes of the rest: who comes next has to know what there is to give back.
            let (name, obstacle) = (held.name.clone(), wording::handed_over(heir));
            self.find(name, obstacle);
            return false;
        }
        if matches!(held.others, Others::Hold(_)) || self.policy.removal == Removal::Retain {
            return true;
        }
        let after = match held.subject().and_then(|subject| self.replaced.get(&Id::new(subject))) {
            Some(None) => return false,
            Some(Some(Met::By(step))) => Some(*step),
            Some(Some(Met::Already)) | None => None,
        };
        let (name, others) = (held.name.clone(), held.others.clone());
        let seen = match self.seen(entry) {
            Ok(seen) => seen,
            Err(obstacle) => {
                self.find(name, obstacle);
                return false;
            }
        };
        let held = &self.held[entry];
        let Some(seen) = seen else {
            if self.is_gone(entry) {
                let held = &self.held[entry];
                self.gone.extend(held.id.clone().map(|id| (held.kind, id)));
                return true;
            }
            let obstacle = self.unknown(entry);
            self.find(name, obstacle);
            return false;
        };
        if !settled.insert((held.kind, seen.id.clone())) {
            return true;
        }
        if self.held[entry].pending() && seen.body.is_unreadable() {
            // It may be somebody else's, who gave it the same name.
            self.find(name, wording::perhaps_ours(seen));
            return false;
        }
        self.held[entry].id = Some(seen.id.clone());
        if let Some(obstacle) = self.keeps(seen, &others) {
            self.find(name, obstacle);
            return false;
        }
        if seen.outline {
            let obstacle = self.read(seen);
            self.find(name, obstacle);
            return false;
        }
        if let (Some(taken), Body::Restriction(now)) = (&self.held[entry].taken, &seen.body) {
            let whole = given_back(taken, now);
            return self.open(entry, seen, whole);
        }
        let change = Change::Delete { id: seen.id.clone(), before: seen.body.clone() };
        let wish = self.held[entry].fingerprint.clone();
        self.push(Step { change, wish, cause: Cause::Spec, entry, after, resumed: false, releases: false });
        false
    }

    /// Opens a resource that this object had closed; true when there is nothing to give back.
    fn open(&mut self, entry: usize, seen: &Observed, whole: Restriction) -> bool {
        let after = Body::Restriction(whole);
        if after == seen.body {
            return true;
        }
        let change = Change::Update { id: seen.id.clone(), before: seen.body.clone(), after };
        let wish = self.held[entry].fingerprint.clone();
        let step =
            Step { change, wish, cause: Cause::Spec, entry, after: None, resumed: false, releases: true };
        self.push(step);
        false
    }

    /// What keeps a thing that is not wanted any more from being removed.
    fn keeps(&self, seen: &Observed, others: &Others) -> Option<Obstacle> {
        if let Others::Wait(heir) = others {
            return Some(wording::handed_over(heir));
        }
        if let Some(why) = &seen.read_only {
            return Some(wording::stays(seen, why));
        }
        let grants = self.dependents(seen);
        (!grants.is_empty()).then(|| wording::still_granted(seen, &grants))
    }

    /// The grants that a role's removal would take from their subjects, by themselves or as members of groups.
    fn dependents(&self, seen: &Observed) -> Vec<String> {
        if seen.body.kind() != Kind::Role {
            return Vec::new();
        }
        let granted = self.policy.identity.granted_as(&seen.id);
        let is_this = |role: &RoleRef| matches!(role, RoleRef::Existing(role) if role.id == granted);
        let of_this = |thing: &&Observed| match &thing.body {
            Body::Grant(grant) => is_this(&grant.role),
            Body::Group(group) => group.roles.iter().any(is_this),
            _ => false,
        };
        let grants = self.observed.all(Kind::Grant).chain(self.observed.all(Kind::Group)).filter(of_this);
        let mut titles: Vec<String> = grants.map(|grant| grant.body.title()).collect();
        titles.sort();
        titles
    }

    fn drop_entries(&mut self, gone: &HashSet<usize>) {
        let mut order: Vec<usize> = (0..self.held.len()).filter(|entry| !gone.contains(entry)).collect();
        order.sort_by(|&a, &b| canonical(&self.held[a], &self.held[b]));
        let place = places(&order);
        for step in &mut self.steps {
            step.entry = place[&step.entry];
        }
        self.held = order.iter().map(|&entry| self.held[entry].clone()).collect();
    }
}

/// A resource with what was taken from it. What somebody has given since stays as they gave it.
fn given_back(taken: &Defaults, now: &Restriction) -> Restriction {
    let mut whole = now.clone();
    for (whose, permission) in taken.iter().filter(|(_, permission)| !permission.is_empty()) {
        whole.open.entry(whose.clone()).or_insert_with(|| permission.clone());
    }
    whole
}
