//! `plan`: the one place that decides what is written to a back end. Each want is met, or said why not; then what no want stands on is let
//! go.
//!
//! Its invariants, each with a property test: carrying out a plan and planning again gives nothing to do; the order of the input does not
//! matter; only what is held is changed or removed; a replacement is granted before what it replaces is removed; what is not proven
//! absent is neither made again nor let go.
//!
//! Entries of `held` keep their places until the last of them is dealt with.

mod letting_go;
mod presence;

use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap, HashSet},
};

use super::{
    input::{Adopt, Held, Origin, Others, Policy, Standing, Want, Wish},
    keep::kept,
    plan::{Cause, Finding, Plan, Step},
    wording::{self, Obstacle},
};
use crate::model::{Absence, Body, Change, Fingerprint, Id, Key, Kind, Observed, Snapshot};

/// Compares what is wanted with what was observed, on the ground of what is held.
pub fn plan(desired: &[Want], observed: &Snapshot, held: &[Held], policy: &Policy<'_>) -> Plan {
    let mut planner = Planner::new(desired, observed, held, policy);
    planner.meet_all();
    planner.let_go_of_the_rest();
    planner.finish()
}

/// How a want is met: it is already, or will be by a step.
#[derive(Clone, Copy)]
enum Met {
    Already,
    By(usize),
}

type Outcome = Result<Met, Obstacle>;

/// A want that is resolved, with what is computed from it once.
struct Wanted<'a> {
    want: &'a Want,
    body: &'a Body,
    key: Key,
    fingerprint: Fingerprint,
}

pub(super) struct Planner<'a> {
    observed: &'a Snapshot,
    policy: &'a Policy<'a>,
    wants: Vec<Wanted<'a>>,
    /// Given entries first, in canonical order, then added ones.
    held: Vec<Held>,
    given: usize,
    /// Entries that a want stands on: no other want may.
    used: Vec<bool>,
    /// Entries that are not up for removal although no want stands on them.
    kept: Vec<bool>,
    /// Names of subjects that stand for another account than the held one: name to the held account's id.
    rebound: HashMap<String, String>,
    /// How wants were met, by natural key: two wants for one thing are met, or not, together.
    met: HashMap<(Kind, Key), (Fingerprint, Outcome)>,
    /// For each subject that a want names: how the least met want for it is met; None when it is not.
    replaced: HashMap<Id, Option<Met>>,
    steps: Vec<Step>,
    findings: Vec<Finding>,
    /// What was seen in outline only, or not at all, and has to be known whole.
    unread: BTreeSet<(Kind, Id)>,
    gone: BTreeSet<(Kind, Id)>,
    remarks: BTreeSet<String>,
    unverified: bool,
    /// Entries that no earlier try can have acted for.
    begun: HashSet<usize>,
}

impl<'a> Planner<'a> {
    pub(super) fn new(
        desired: &'a [Want],
        observed: &'a Snapshot,
        held: &[Held],
        policy: &'a Policy<'a>,
    ) -> Self {
        let mut held = held.to_vec();
        held.sort_by(canonical);
        let kept = kept(desired, &held);
        let mut wants = Vec::new();
        let mut findings = Vec::new();
        for want in desired {
            match (&want.wish, want.fingerprint()) {
                (Wish::Body(body), Some(fingerprint)) => wants.push(Wanted {
                    want,
                    body,
                    key: policy.dialect.key(body),
                    fingerprint: fingerprint.clone(),
                }),
                (Wish::Body(_), None) => unreachable!("every body has a fingerprint"),
                (Wish::Unresolved(issue, message), _) => {
                    findings.push(Finding {
                        name: want.name.clone(),
                        issue: *issue,
                        message: message.clone(),
                    });
                }
            }
        }
        wants.sort_by(|a, b| (&a.want.name, &a.fingerprint).cmp(&(&b.want.name, &b.fingerprint)));
        Self {
            observed,
            policy,
            wants,
            given: held.len(),
            used: vec![false; held.len()],
            kept: kept.entries,
            rebound: kept.rebound,
            held,
            met: HashMap::new(),
            replaced: HashMap::new(),
            steps: Vec::new(),
            findings,
            unread: BTreeSet::new(),
            gone: BTreeSet::new(),
            remarks: BTreeSet::new(),
            unverified: false,
            begun: HashSet::new(),
        }
    }

    pub(super) fn meet_all(&mut self) {
        for wanted in std::mem::take(&mut self.wants) {
            let outcome = self.meet(&wanted);
            if let Body::Grant(grant) = wanted.body {
                let met = outcome.as_ref().ok().copied();
                self.replaced
                    .entry(grant.subject.id.clone())
                    .and_modify(|so_far| *so_far = least(*so_far, met))
                    .or_insert(met);
            }
            if let Err(obstacle) = outcome {
                self.find(wanted.want.name.clone(), obstacle);
            }
        }
    }

    fn find(&mut self, name: Option<String>, Obstacle { issue, message }: Obstacle) {
        self.findings.push(Finding { name, issue, message });
    }

    fn meet(&mut self, wanted: &Wanted<'_>) -> Outcome {
        if let Some(obstacle) = self.is_rebound(wanted) {
            if let Some(entry) = self.entry_for(wanted) {
                self.kept[entry] = true;
            }
            if wanted.body.kind() == Kind::Restriction {
                self.kept.fill(true);
            }
            return Err(obstacle);
        }
        let slot = (wanted.body.kind(), wanted.key.clone());
        if let Some((fingerprint, outcome)) = self.met.get(&slot) {
            let same = *fingerprint == wanted.fingerprint;
            return if same { outcome.clone() } else { Err(wording::asked_twice(wanted.body)) };
        }
        let outcome = self.meet_one(wanted);
        self.met.insert(slot, (wanted.fingerprint.clone(), outcome.clone()));
        outcome
    }

    /// A name is not a person: where it now stands for another account, that account is not granted anything on the strength of it.
    fn is_rebound(&self, wanted: &Wanted<'_>) -> Option<Obstacle> {
        if let Body::Restriction(restriction) = wanted.body {
            let other = self.other_resource(&wanted.key)?;
            return Some(wording::moved(&restriction.resource, other));
        }
        let (Body::Grant(grant), Some(name)) = (wanted.body, &wanted.want.name) else { return None };
        let before = self.rebound.get(name)?;
        let now = grant.subject.id.as_str();
        let held_as_well = |held: &Held| held.name.as_ref() == Some(name) && held.subject() == Some(now);
        if self.held.iter().any(held_as_well) {
            return None;
        }
        Some(wording::rebound(wanted.body, name, now, before))
    }

    /// The resource that is held where the spec, which cannot be changed, means another one by now.
    fn other_resource(&self, wanted: &Key) -> Option<&str> {
        let mut held =
            self.held[..self.given].iter().filter(|held| held.kind == Kind::Restriction && !held.pending());
        let first = held.next()?;
        let held_too = first.key == *wanted || held.any(|held| held.key == *wanted);
        if held_too { None } else { first.key.get("resource") }
    }

    fn meet_one(&mut self, wanted: &Wanted<'_>) -> Outcome {
        let entry = self.entry_for(wanted);
        if let Some(entry) = entry {
            self.used[entry] = true;
        }
        match &wanted.want.standing {
            Standing::Free | Standing::Shared(_) | Standing::Heir => {}
            // What is as it is wanted is in sync, whoever else pulls at it.
            Standing::Blocked(_) | Standing::Behind(_) if self.holds_as_wanted(entry, wanted) => {}
            Standing::Blocked(holder) => return Err(wording::blocked(wanted.body, holder)),
            Standing::Behind(older) => return Err(wording::behind(older)),
        }
        let Some(entry) = entry else { return self.meet_unheld(wanted) };
        self.rename(entry, &wanted.want.name);
        match self.held[entry].id.clone() {
            Some(id) => self.meet_held(wanted, entry, &id),
            None => self.meet_pending(wanted, entry),
        }
    }

    /// Takes the spec's new name for a subject into the entry, unless the old one stands for another account now: then it is the only
    /// trace of that.
    fn rename(&mut self, entry: usize, name: &Option<String>) {
        let held = &mut self.held[entry];
        if !held.name.as_ref().is_some_and(|old| self.rebound.contains_key(old)) {
            held.name = name.clone();
        }
    }

    /// An object holds one role, whatever its name is now; of grants and restrictions the one with the natural key.
    fn entry_for(&self, wanted: &Wanted<'_>) -> Option<usize> {
        let (kind, key) = (wanted.body.kind(), &wanted.key);
        let given = &self.held[..self.given];
        let from = given.partition_point(|held| {
            held.kind < kind || kind != Kind::Role && held.kind == kind && held.key < *key
        });
        let fits = |held: &Held| held.kind == kind && (kind == Kind::Role || held.key == *key);
        (from..self.given)
            .take_while(|&entry| fits(&given[entry]))
            .filter(|&entry| !self.used[entry])
            .max_by_key(|&entry| !given[entry].pending())
    }

    fn holds_as_wanted(&mut self, entry: Option<usize>, wanted: &Wanted<'_>) -> bool {
        let id = entry.and_then(|entry| self.held[entry].id.as_ref());
        let seen = id.and_then(|id| self.observed.by_id(wanted.body.kind(), id));
        seen.is_some_and(|seen| self.fulfils(seen, wanted, entry).is_ok_and(|fulfils| fulfils))
    }

    /// Whether a thing is as it is wanted. Of one seen in outline only its mark tells: as long as that is the recorded one, it is still
    /// what was applied.
    fn fulfils(
        &mut self,
        seen: &Observed,
        wanted: &Wanted<'_>,
        entry: Option<usize>,
    ) -> Result<bool, Obstacle> {
        if seen.body.is_unreadable() && !seen.outline {
            // What was last applied decides, as far as nothing that is shown speaks against it.
            let applied =
                |held: &Held| held.fingerprint == wanted.fingerprint && held.id.as_ref() == Some(&seen.id);
            let applied = entry.is_some_and(|entry| applied(&self.held[entry]));
            return Ok(applied && seen.body.readable_part_satisfies(wanted.body));
        }
        if !seen.outline {
            return Ok(seen.body.satisfies(wanted.body));
        }
        let unchanged = |held: &Held| {
            held.fingerprint == wanted.fingerprint
                && held.id.as_ref() == Some(&seen.id)
                && held.revision.is_some()
                && held.revision == seen.revision
        };
        if entry.is_some_and(|entry| unchanged(&self.held[entry])) { Ok(true) } else { Err(self.read(seen)) }
    }

    /// Asks for the whole of what was seen in outline.
    fn read(&mut self, seen: &Observed) -> Obstacle {
        self.unread.insert((seen.body.kind(), seen.id.clone()));
        wording::unread(&seen.body.title())
    }

    fn meet_held(&mut self, wanted: &Wanted<'_>, entry: usize, id: &Id) -> Outcome {
        if let Some(seen) = self.observed.by_id(wanted.body.kind(), id) {
            return self.bring_to(wanted, seen, entry);
        }
        if !self.is_gone(entry) {
            return Err(self.unknown(entry));
        }
        match self.there(wanted)? {
            Some(other) => self.take_over(wanted, other, Some(entry)),
            None => self.create(wanted, entry, Cause::Drift, false),
        }
    }

    fn meet_pending(&mut self, wanted: &Wanted<'_>, entry: usize) -> Outcome {
        let ours =
            |seen: &&Observed| !seen.body.is_unreadable() || seen.body.readable_part_satisfies(wanted.body);
        if let Some(seen) = self.recognized(entry)?.filter(ours) {
            self.held[entry].id = Some(seen.id.clone());
            self.held[entry].chosen = None;
            if seen.body.is_unreadable() {
                // Known by its name alone: what it permits is set once more.
                self.held[entry].fingerprint = seen.body.fingerprint();
            }
            return self.bring_to(wanted, seen, entry);
        }
        // Under the same key it is the same create that is tried again; under another, or of something else, the first one must not be
        // forgotten. Nor may it be tried again as long as it may come to two.
        let held = &self.held[entry];
        let other =
            held.fingerprint != wanted.fingerprint || !self.policy.dialect.refuses_duplicates(held.kind);
        if held.key != wanted.key && !self.is_gone(entry) || held.unsettled && other {
            return Err(self.unknown(entry));
        }
        match self.there(wanted)? {
            Some(seen) => self.take_over(wanted, seen, Some(entry)),
            None => self.create(wanted, entry, Cause::Spec, true),
        }
    }

    fn meet_unheld(&mut self, wanted: &Wanted<'_>) -> Outcome {
        if let Some(seen) = self.there(wanted)? {
            return self.take_over(wanted, seen, None);
        }
        if let Some(obstacle) = self.unmakeable(wanted) {
            return Err(obstacle);
        }
        // Else a thing that was never held is made without proof of its absence: the back end refuses what is there already. What
        // somebody held until now may be hidden.
        if wanted.want.standing == Standing::Heir
            && self.observed.absence(wanted.body.kind(), wanted.key.place().as_ref()) == Absence::Unproven
        {
            return Err(wording::not_visible(wanted.body.kind(), &wanted.body.title()));
        }
        if let Standing::Shared(other) = &wanted.want.standing {
            return Err(wording::made_by(other));
        }
        let entry = self.add_entry(wanted, Origin::Created);
        self.create(wanted, entry, Cause::Spec, false)
    }

    /// Why a thing cannot be made: the back end would make a second one, and whether there is one already cannot be told. Or of a restriction,
    /// where resources are closed instead: the resource was not looked at yet, or there is none.
    fn unmakeable(&mut self, wanted: &Wanted<'_>) -> Option<Obstacle> {
        let kind = wanted.body.kind();
        if !self.policy.dialect.refuses_duplicates(kind)
            && self.observed.absence(kind, wanted.key.place().as_ref()) == Absence::Unproven
        {
            return Some(wording::not_visible(kind, &wanted.body.title()));
        }
        let Body::Restriction(restriction) = wanted.body else { return None };
        if !self.policy.dialect.closes_defaults() {
            return None;
        }
        let resource = &restriction.resource;
        if self.observed.absence(Kind::Restriction, Some(&resource.id)) == Absence::Proven {
            return Some(wording::no_resource(resource));
        }
        let unlooked = self.unlooked(Kind::Restriction, &resource.id, &wanted.body.title());
        Some(unlooked.unwrap_or_else(|| wording::no_permissions(resource)))
    }

    /// What has the want's natural key.
    fn there(&self, wanted: &Wanted<'_>) -> Result<Option<&'a Observed>, Obstacle> {
        let kind = wanted.body.kind();
        if self.observed.is_ambiguous(kind, &wanted.key) {
            return Err(wording::ambiguous(kind, &wanted.body.title()));
        }
        let by_id = |given: bool| {
            let chosen = wanted.want.chosen.as_ref().filter(|chosen| chosen.given == given);
            chosen.and_then(|chosen| self.observed.by_id(kind, &chosen.id))
        };
        Ok(by_id(true).or_else(|| self.observed.by_key(kind, &wanted.key)).or_else(|| by_id(false)))
    }

    /// What is there and held by nobody recorded here becomes this object's, if the policy or its standing says so.
    fn take_over(&mut self, wanted: &Wanted<'_>, seen: &Observed, entry: Option<usize>) -> Outcome {
        if let Some(why) = &seen.read_only {
            return Err(wording::read_only(seen, why, ": choose another name"));
        }
        let identical = self.fulfils(seen, wanted, None)?;
        let origin = match (&wanted.want.standing, self.policy.adopt) {
            // Nothing restricts it: there is nothing to take over.
            (Standing::Free | Standing::Heir, _) if seen.body.is_open() => Origin::Created,
            (Standing::Shared(_), _) if identical => Origin::Shared,
            (Standing::Shared(other), _) => return Err(wording::made_by(other)),
            (Standing::Heir, _) | (Standing::Free, Adopt::Always) => Origin::Adopted,
            (Standing::Free, Adopt::IfIdentical) if identical => Origin::Adopted,
            (_, adopt) => return Err(wording::there_already(seen, wanted.body, adopt)),
        };
        let entry = entry.unwrap_or_else(|| self.add_entry(wanted, origin));
        self.begun.insert(entry);
        let held = &mut self.held[entry];
        if let Some(before) = held.id.replace(seen.id.clone())
            && before != seen.id
        {
            self.gone.insert((held.kind, before));
        }
        held.chosen = None;
        held.revision = None;
        held.origin = origin;
        held.fingerprint = seen.body.fingerprint();
        held.key = seen.key.clone();
        held.refused = false;
        if wanted.body.kind() == Kind::Restriction && self.policy.dialect.closes_defaults() {
            held.taken = Some(wanted.want.inherited.clone().unwrap_or_default());
            if wanted.want.inherited.is_some() {
                // What is open now was opened against the object that it comes from.
                held.fingerprint = wanted.fingerprint.clone();
            }
        }
        // What others had to do with the thing that was held before says nothing about this one; its standing does.
        held.others = Others::None;
        self.bring_to(wanted, seen, entry)
    }

    /// The thing of this entry is there: makes it equal, where it is not.
    fn bring_to(&mut self, wanted: &Wanted<'_>, seen: &Observed, entry: usize) -> Outcome {
        let fulfils = self.fulfils(seen, wanted, Some(entry))?;
        let held = &mut self.held[entry];
        held.refused = false;
        if fulfils {
            self.remarks.extend(seen.remark.clone());
            self.unverified |= seen.body.is_unreadable();
            held.fingerprint = wanted.fingerprint.clone();
            held.key = wanted.key.clone();
            held.revision = seen.revision.clone();
            return Ok(Met::Already);
        }
        if let Some(why) = &seen.read_only {
            return Err(wording::read_only(seen, why, ""));
        }
        if wanted.key != seen.key && wanted.body.kind() == Kind::Role && !self.policy.dialect.renames() {
            return Err(wording::not_renamed(seen, wanted.body));
        }
        let agreed = matches!(wanted.want.standing, Standing::Shared(_) | Standing::Heir);
        if let Others::Hold(others) = &held.others
            && !agreed
        {
            return Err(wording::shared(seen, others));
        }
        let cause = if held.fingerprint == wanted.fingerprint { Cause::Drift } else { Cause::Spec };
        if let (Some(taken), Body::Restriction(now), Cause::Spec) = (&mut held.taken, &seen.body, cause) {
            // What somebody opens while it is closed is not added: it was never accepted.
            taken.extend(now.open.clone());
        }
        if self.taken_by_another(seen, wanted) {
            return Err(wording::name_taken(wanted.body));
        }
        let resumed = seen.body.kind() == Kind::Restriction && !self.begun.contains(&entry);
        let change = Change::Update {
            id: seen.id.clone(),
            before: seen.body.clone(),
            after: seen.body.after_update(wanted.body),
        };
        let wish = wanted.fingerprint.clone();
        Ok(Met::By(self.push(Step { change, wish, cause, entry, after: None, resumed, releases: false })))
    }

    /// Whether the natural key that an update would give the thing belongs to something else.
    fn taken_by_another(&self, seen: &Observed, wanted: &Wanted<'_>) -> bool {
        wanted.key != seen.key && self.observed.by_key(wanted.body.kind(), &wanted.key).is_some()
    }

    fn create(&mut self, wanted: &Wanted<'_>, entry: usize, cause: Cause, resumed: bool) -> Outcome {
        if let Standing::Shared(other) = &wanted.want.standing {
            return Err(wording::made_by(other));
        }
        if let Some(obstacle) = self.unmakeable(wanted) {
            return Err(obstacle);
        }
        let held = &mut self.held[entry];
        self.gone.extend(held.id.take().map(|was| (held.kind, was)));
        let resumed = resumed && !held.refused;
        held.origin = Origin::Created;
        held.fingerprint = wanted.fingerprint.clone();
        held.key = wanted.key.clone();
        held.refused = false;
        held.revision = None;
        held.chosen = wanted.want.chosen.as_ref().map(|chosen| chosen.id.clone());
        let change = Change::Create { id: held.chosen.clone(), after: wanted.body.clone() };
        let wish = wanted.fingerprint.clone();
        Ok(Met::By(self.push(Step { change, wish, cause, entry, after: None, resumed, releases: false })))
    }

    fn add_entry(&mut self, wanted: &Wanted<'_>, origin: Origin) -> usize {
        self.held.push(Held {
            kind: wanted.body.kind(),
            id: None,
            key: wanted.key.clone(),
            name: wanted.want.name.clone(),
            origin,
            chosen: None,
            fingerprint: wanted.fingerprint.clone(),
            revision: None,
            refused: false,
            unsettled: false,
            taken: None,
            others: Others::None,
        });
        self.used.push(true);
        self.kept.push(false);
        self.held.len() - 1
    }

    fn push(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    /// Grants before removals, in an order that the input's does not decide.
    pub(super) fn finish(self) -> Plan {
        let mut order: Vec<usize> = (0..self.steps.len()).collect();
        order.sort_by_key(|&step| (self.steps[step].change.verb(), self.steps[step].entry));
        let place = places(&order);
        let moved = |&old: &usize| {
            let step = self.steps[old].clone();
            Step { after: step.after.map(|after| place[&after]), ..step }
        };
        let steps = order.iter().map(moved).collect();
        let mut findings = self.findings;
        findings.sort_by(|a, b| (&a.name, a.issue, &a.message).cmp(&(&b.name, b.issue, &b.message)));
        Plan {
            steps,
            held: self.held,
            findings,
            unread: self.unread.into_iter().collect(),
            gone: self.gone.into_iter().collect(),
            remarks: self.remarks.into_iter().collect(),
            unverified: self.unverified,
        }
    }
}

/// Where each comes to stand.
fn places(order: &[usize]) -> HashMap<usize, usize> {
    order.iter().enumerate().map(|(new, &old)| (old, new)).collect()
}

fn canonical(a: &Held, b: &Held) -> Ordering {
    (a.kind, &a.key, &a.id, &a.name, &a.fingerprint).cmp(&(b.kind, &b.key, &b.id, &b.name, &b.fingerprint))
}

/// What stands in for two wants of one subject: the one that is met later, if it is met at all.
fn least(a: Option<Met>, b: Option<Met>) -> Option<Met> {
    match (a?, b?) {
        (Met::By(a), Met::By(b)) => Some(Met::By(a.max(b))),
        (Met::By(step), Met::Already) | (Met::Already, Met::By(step)) => Some(Met::By(step)),
        (Met::Already, Met::Already) => Some(Met::Already),
    }
}
