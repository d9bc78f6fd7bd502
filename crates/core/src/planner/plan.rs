//! The plan for one object, as data: the changes, what the object manages then, and the problems that no change fixes.

use serde::Serialize;

use super::{
    input::Held,
    loss::Loss,
    problem::{Issue, Problem},
};
use crate::model::{Change, Fingerprint, Id, Kind, sha256_hex};

/// Why a change is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The spec desires something new.
    Spec,
    /// A managed thing was changed or deleted outside Rolewright.
    Drift,
}

/// One change of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The write.
    pub change: Change,
    /// The fingerprint to record when the step succeeds.
    pub fingerprint: Fingerprint,
    /// Why the change is made.
    pub cause: Cause,
    /// The index of its entry in [`Plan::held`]. An entry has at most one step.
    pub(super) entry: usize,
    /// The index of an earlier step that must succeed before this one starts.
    pub after: Option<usize>,
    /// An earlier attempt may have executed this create, or this closing of a resource: its intent was recorded before this plan, and
    /// not refused.
    pub resumed: bool,
    /// The object stops managing the thing when the step succeeds, although the step does not delete it.
    pub releases: bool,
}

impl Step {
    /// Identifies what the step does: for the record of an approved plan of which a part is done.
    pub fn effect(&self) -> String {
        digest(&self.change)[..32].to_owned()
    }
}

/// A problem that no change of the plan fixes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The name of the item in the spec, where the spec lists several.
    pub name: Option<String>,
    /// The kind of problem.
    pub issue: Issue,
    /// What failed, why, and what to do.
    pub message: String,
}

impl Finding {
    pub(super) fn new(name: Option<String>, Problem { issue, message }: Problem) -> Self {
        Self { name, issue, message }
    }
}

/// The plan for one object. Only [`plan`](super::plan) makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) held: Vec<Held>,
    pub(super) findings: Vec<Finding>,
    pub(super) to_read: Vec<(Kind, Id)>,
    pub(super) absent: Vec<(Kind, Id)>,
    pub(super) remarks: Vec<String>,
    pub(super) still_shared: Vec<String>,
    pub(super) unverified: bool,
    /// Whether the object can adopt what exists already.
    pub(super) adopts: bool,
    /// What each step takes away.
    pub(super) losses: Vec<Loss>,
}

impl Plan {
    /// The changes in the order of execution.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What the object manages once intents and adoptions are recorded and before any change is made, ordered by natural key.
    pub fn held(&self) -> &[Held] {
        &self.held
    }

    /// Whether the object can adopt what exists already.
    pub fn adopts(&self) -> bool {
        self.adopts
    }

    /// The entry of [`Plan::held`] that a step of this plan changes.
    pub fn held_of(&self, step: &Step) -> &Held {
        &self.held[step.entry]
    }

    /// What the object manages after execution. `outcome` gets the index of each step, the step and its entry, and returns the entry
    /// after the step, or None if the object no longer manages the thing. Entries without a step stay as they are.
    pub fn held_after(&self, mut outcome: impl FnMut(usize, &Step, Held) -> Option<Held>) -> Vec<Held> {
        let mut held: Vec<Option<Held>> = self.held.iter().cloned().map(Some).collect();
        for (index, step) in self.steps.iter().enumerate() {
            let entry = held[step.entry].take();
            held[step.entry] = entry.and_then(|entry| outcome(index, step, entry));
        }
        held.into_iter().flatten().collect()
    }

    /// The problems that no change fixes.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Things that must be read completely before anything can be decided. A plan with such things must not be executed or shown.
    pub fn to_read(&self) -> &[(Kind, Id)] {
        &self.to_read
    }

    /// Managed things that the snapshot proves absent. The plan creates them again or releases them.
    pub fn absent(&self) -> &[(Kind, Id)] {
        &self.absent
    }

    /// Whether the plan takes a managed thing to be absent.
    pub fn is_absent(&self, held: &Held) -> bool {
        self.absent.iter().any(|(kind, id)| *kind == held.kind && held.id() == Some(id))
    }

    /// Remarks on things that equal the spec, for the status.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// The grants that this object releases and that stay because another object manages them too: who keeps which role, and why.
    pub fn still_shared(&self) -> &[String] {
        &self.still_shared
    }

    /// Whether the back end hides a part of a thing that otherwise equals the spec.
    pub fn is_unverified(&self) -> bool {
        self.unverified
    }

    /// Whether the plan writes nothing to the back end.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// What each step takes away, in the order of the steps: what guards count and protect.
    pub fn losses(&self) -> &[Loss] {
        &self.losses
    }

    /// The plan with only those steps for which `keep` is true. The entry of a step that is left out stays as it is recorded, or is left
    /// out too if it is not recorded: a step that is not executed must leave no trace.
    ///
    /// A step whose earlier step is left out is left out too.
    #[must_use]
    pub fn only(&self, keep: &[bool], recorded: &[Held]) -> Self {
        let stays = |index: &usize| keep[*index] && self.steps[*index].after.is_none_or(|after| keep[after]);
        let kept: Vec<usize> = (0..self.steps.len()).filter(stays).collect();
        let left_out = (0..self.steps.len()).filter(|index| !kept.contains(index));
        let mut held: Vec<Option<Held>> = self.held.iter().cloned().map(Some).collect();
        for index in left_out {
            let entry = self.steps[index].entry;
            let now = &self.held[entry];
            let by_id =
                |known: &&Held| known.kind == now.kind && now.id().is_some() && known.id() == now.id();
            let by_key = |known: &&Held| known.kind == now.kind && known.key == now.key;
            let known = recorded.iter().find(by_id).or_else(|| recorded.iter().find(by_key));
            held[entry] = known.cloned();
        }
        let mut position = vec![0; held.len()];
        let mut next = 0;
        for (entry, held) in held.iter().enumerate() {
            position[entry] = next;
            next += usize::from(held.is_some());
        }
        let step = |index: &usize| {
            let step = self.steps[*index].clone();
            let after = step.after.map(|after| kept.binary_search(&after).expect("the earlier step is kept"));
            Step { entry: position[step.entry], after, ..step }
        };
        Self {
            steps: kept.iter().map(step).collect(),
            held: held.into_iter().flatten().collect(),
            losses: kept.iter().map(|index| self.losses[*index].clone()).collect(),
            ..self.clone()
        }
    }

    /// Identifies this plan of this object at this point of its history. `serial` counts the executed plans of the object. The prefix
    /// names the encoding. 160 bits: nobody can make two plans with one hash.
    pub fn hash(&self, tenant: &str, object_uid: &str, serial: i64) -> String {
        let changes: Vec<&Change> = self.steps.iter().map(|step| &step.change).collect();
        format!("v1-{}", &digest(&(tenant, object_uid, serial, changes))[..40])
    }
}

fn digest(value: &impl Serialize) -> String {
    sha256_hex(&serde_json::to_vec(value).expect("changes have string keys only, so they always serialize"))
}
