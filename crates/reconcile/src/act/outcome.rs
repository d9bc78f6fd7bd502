//! The result of a plan, step by step.

use std::collections::BTreeMap;

use crate::object::ObjectRef;
use rolewright_api::ApprovalRecord;
use rolewright_backends::{Class, Error};
use rolewright_core::model::Observed;
use rolewright_core::planner::Held;

/// The result of one step.
#[derive(Debug)]
pub enum StepResult {
    /// Done now.
    Done(Option<Observed>),
    /// Nothing was written: the live thing is as desired already.
    Unchanged(Observed),
    /// The live thing no longer matches the plan's base. The snapshot is refreshed; plan again.
    Moved(Moved),
    /// Not done. For [`Class::Lost`] the result is unknown.
    Failed(Error),
    /// Not tried, because a step that it depends on was not done, or because the plan stopped.
    Skipped,
}

impl StepResult {
    /// Whether every other step would fail too.
    pub fn stops_the_plan(&self) -> bool {
        matches!(self, StepResult::Failed(error) if stops_every_call(error))
    }

    /// Whether the back end is now as the step desires.
    pub fn is_done(&self) -> bool {
        matches!(self, StepResult::Done(_) | StepResult::Unchanged(_))
    }

    /// One word for logs and metrics.
    pub fn outcome(&self) -> &'static str {
        match self {
            StepResult::Done(_) => "done",
            StepResult::Unchanged(_) => "unchanged",
            StepResult::Moved(Moved::Removed) => "vanished",
            StepResult::Moved(_) => "superseded",
            StepResult::Failed(error) => error.class.as_str(),
            StepResult::Skipped => "skipped",
        }
    }
}

fn stops_every_call(error: &Error) -> bool {
    matches!(error.class, Class::Unauthenticated | Class::Throttled(_))
}

/// How the live thing differs from the plan's base.
#[derive(Debug)]
pub enum Moved {
    /// It changed, or is no longer visible.
    Changed,
    /// Others created it in the meantime, or took the defaults first: it does not belong to this object.
    Foreign,
    /// The answer to its deletion was lost, and it is no longer visible.
    Removed,
}

/// The result of a plan.
pub struct Outcome {
    /// The result of each step, in the order of the plan.
    pub results: Vec<StepResult>,
    /// What the object manages now.
    pub held: Vec<Held>,
    /// The hash of the plan.
    pub plan_hash: String,
    /// The failures of steps that concern a named item of the spec, by name.
    pub named: BTreeMap<String, Error>,
}

impl Outcome {
    /// Whether to plan again: the snapshot is up to date now.
    pub fn moved(&self) -> bool {
        self.results.iter().any(|end| matches!(end, StepResult::Moved(_)))
    }

    /// The first failure that stops every other step too, or else the first failure.
    pub fn failure(&self) -> Option<&Error> {
        let failures = || {
            self.results.iter().filter_map(|end| match end {
                StepResult::Failed(error) => Some(error),
                _ => None,
            })
        };
        failures().find(|error| stops_every_call(error)).or_else(|| failures().next())
    }
}

/// The object that a plan belongs to: part of each line of the change log.
pub struct PlanOwner<'a> {
    /// The object.
    pub object: &'a ObjectRef,
    /// Its generation.
    pub generation: i64,
    /// The plan's hash.
    pub hash: &'a str,
    /// The approval that covers changes of the plan.
    pub approval: Option<&'a ApprovalRecord>,
}
