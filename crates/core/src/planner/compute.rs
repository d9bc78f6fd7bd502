//! [`plan`]: the one function that decides about writes to a back end. It plans a change or reports a problem for each desired item,
//! and then plans the removal of managed things that no item needs.
//!
//! Invariants, each with a property test: executing a plan and planning again gives an empty plan; the order of the input does not
//! matter; only managed things are changed or deleted; a replacement is granted before the old grant is deleted; a thing whose absence
//! is not proven is neither created again nor released; nothing happens to a thing that could not be read.

mod items;
mod presence;
mod removals;

use std::{
    cmp::Ordering,
    collections::{BTreeSet, HashMap},
};

use super::{
    input::{Adopt, Desired, DesiredBody, Held, Policy},
    plan::{Finding, Plan, Step},
    problem::Problem,
    retained::retained,
};
use crate::model::{Body, Fingerprint, Id, Key, Kind, Snapshot};

/// Compares what an object desires with what the snapshot shows, given what the object manages.
pub fn plan(desired: &[Desired], observed: &Snapshot, held: &[Held], policy: &Policy<'_>) -> Plan {
    let mut planner = Planner::new(desired, observed, held, policy);
    planner.plan_items();
    planner.plan_removals();
    planner.finish()
}

/// How a desired item is satisfied: as it is, or after the step with this index.
#[derive(Clone, Copy)]
enum Satisfied {
    Already,
    ByStep(usize),
}

type Outcome = Result<Satisfied, Problem>;

/// A desired item with its resolved body, natural key and fingerprint.
struct Item<'a> {
    desired: &'a Desired,
    body: &'a Body,
    key: Key,
    fingerprint: Fingerprint,
}

/// An entry of the future [`Plan::held`].
struct Entry {
    held: Held,
    fate: Fate,
    /// This plan adopts the thing, so no earlier attempt can have changed it for this object.
    adopted_now: bool,
}

impl Entry {
    fn new(held: Held, fate: Fate) -> Self {
        Self { held, fate, adopted_now: false }
    }
}

/// What becomes of an entry.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// No item uses it: it is up for removal.
    Open,
    /// No item uses it, and it stays.
    Retained,
    /// An item uses it. No other item can.
    Used,
    /// The object no longer manages it, without a write.
    Released,
}

struct Planner<'a> {
    observed: &'a Snapshot,
    policy: &'a Policy<'a>,
    items: Vec<Item<'a>>,
    /// The given entries in canonical order, then those that the plan adds.
    entries: Vec<Entry>,
    given: usize,
    /// Names of subjects that now refer to another account, with the id of the account that the managed grant is for.
    reassigned: HashMap<String, String>,
    /// The outcome by natural key: two items for one thing have the same outcome.
    outcomes: HashMap<(Kind, Key), (Fingerprint, Outcome)>,
    /// For each desired subject, when all its items are satisfied. None if one of them is not.
    replacements: HashMap<Id, Option<Satisfied>>,
    steps: Vec<Step>,
    findings: Vec<Finding>,
    to_read: BTreeSet<(Kind, Id)>,
    absent: BTreeSet<(Kind, Id)>,
    remarks: BTreeSet<String>,
    still_shared: BTreeSet<String>,
    unverified: bool,
}

impl<'a> Planner<'a> {
    fn new(desired: &'a [Desired], observed: &'a Snapshot, held: &[Held], policy: &'a Policy<'a>) -> Self {
        let mut held = held.to_vec();
        held.sort_by(canonical);
        let retained = retained(desired, &held);
        let fates = retained.entries.iter().map(|stays| if *stays { Fate::Retained } else { Fate::Open });
        let mut items = Vec::new();
        let mut findings = Vec::new();
        for desired in desired {
            match (&desired.body, desired.fingerprint()) {
                (DesiredBody::Resolved(body), Some(fingerprint)) => items.push(Item {
                    desired,
                    body,
                    key: policy.identity.key(body),
                    fingerprint: fingerprint.clone(),
                }),
                (DesiredBody::Resolved(_), None) => unreachable!("every body has a fingerprint"),
                (DesiredBody::Unresolved(problem) | DesiredBody::AllUnresolved(problem, _), _) => {
                    findings.push(Finding::new(desired.name.clone(), problem.clone()));
                }
            }
        }
        items.sort_by(|a, b| (&a.desired.name, &a.fingerprint).cmp(&(&b.desired.name, &b.fingerprint)));
        Self {
            observed,
            policy,
            items,
            given: held.len(),
            entries: held.into_iter().zip(fates).map(|(held, fate)| Entry::new(held, fate)).collect(),
            reassigned: retained.reassigned,
            outcomes: HashMap::new(),
            replacements: HashMap::new(),
            steps: Vec::new(),
            findings,
            to_read: BTreeSet::new(),
            absent: BTreeSet::new(),
            remarks: BTreeSet::new(),
            still_shared: BTreeSet::new(),
            unverified: false,
        }
    }

    fn report(&mut self, name: Option<String>, problem: Problem) {
        self.findings.push(Finding::new(name, problem));
    }

    fn add_step(&mut self, step: Step) -> usize {
        self.steps.push(step);
        self.steps.len() - 1
    }

    /// Drops released entries, and orders entries and steps so that the order of the input does not matter: creates, then updates, then
    /// deletes.
    fn finish(mut self) -> Plan {
        let stays = |entry: &usize| self.entries[*entry].fate != Fate::Released;
        let mut entries: Vec<usize> = (0..self.entries.len()).filter(stays).collect();
        entries.sort_by(|&a, &b| canonical(&self.entries[a].held, &self.entries[b].held));
        let position = positions(&entries);
        for step in &mut self.steps {
            step.entry = position[&step.entry];
        }
        let mut steps: Vec<usize> = (0..self.steps.len()).collect();
        steps.sort_by_key(|&step| (self.steps[step].change.verb(), self.steps[step].entry));
        let losses = steps.iter().map(|&step| self.loss_by(&self.steps[step].change)).collect();
        let position = positions(&steps);
        let moved = |&step: &usize| {
            let step = self.steps[step].clone();
            Step { after: step.after.map(|after| position[&after]), ..step }
        };
        let mut findings = self.findings;
        findings.sort_by(|a, b| (&a.name, a.issue, &a.message).cmp(&(&b.name, b.issue, &b.message)));
        Plan {
            adopts: matches!(self.policy.adopt, Adopt::IfIdentical | Adopt::Always),
            steps: steps.iter().map(moved).collect(),
            held: entries.iter().map(|&entry| self.entries[entry].held.clone()).collect(),
            findings,
            to_read: self.to_read.into_iter().collect(),
            absent: self.absent.into_iter().collect(),
            remarks: self.remarks.into_iter().collect(),
            still_shared: self.still_shared.into_iter().collect(),
            unverified: self.unverified,
            losses,
        }
    }
}

/// The new index of each old one.
fn positions(order: &[usize]) -> HashMap<usize, usize> {
    order.iter().enumerate().map(|(new, &old)| (old, new)).collect()
}

fn canonical(a: &Held, b: &Held) -> Ordering {
    (a.kind, &a.key, a.id(), &a.name, &a.fingerprint).cmp(&(b.kind, &b.key, b.id(), &b.name, &b.fingerprint))
}
