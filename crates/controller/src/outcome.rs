//! What became of a plan, step by step.

use std::collections::BTreeMap;

use super::queue::Item;
use rolewright_backends::{Class, Error};
use rolewright_core::model::Observed;
use rolewright_core::planner::Held;

/// How a step ended.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a plan has few steps, and their ends live for one look")]
pub enum End {
    /// It was done, or had been done already.
    Done(Option<Observed>),
    /// What is there is not what the plan was made from: the view is brought up to date, and the plan has to be made again.
    Moved(Moved),
    /// It was not done. For [`Class::Lost`], it is not known to be done.
    Failed(Error),
    /// It was not tried, because what it depends on was not done.
    Skipped,
}

impl End {
    /// In a word, for logs and metrics.
    pub fn outcome(&self) -> &'static str {
        match self {
            End::Done(_) => "done",
            End::Moved(Moved::Removed) => "vanished",
            End::Moved(_) => "superseded",
            End::Failed(error) => error.class.as_str(),
            End::Skipped => "skipped",
        }
    }
}

/// What the plan was not made from.
#[derive(Debug)]
pub enum Moved {
    /// The thing has changed, or is not seen any more.
    Changed,
    /// Somebody else has made it in the meantime, or taken what was to be taken: what was intended is not this object's.
    Foreign,
    /// The answer to its removal was lost, and it is not seen any more.
    Removed,
}

/// What became of a plan.
pub struct Outcome {
    /// How each step ended, in the plan's order.
    pub ends: Vec<End>,
    /// What the object holds now.
    pub held: Vec<Held>,
    /// The failures of steps that the spec has names for, by name.
    pub named: BTreeMap<String, Error>,
}

impl Outcome {
    /// Whether the plan has to be made again on a view that is up to date now.
    pub fn moved(&self) -> bool {
        self.ends.iter().any(|end| matches!(end, End::Moved(_)))
    }

    /// The first failure that keeps every other step from succeeding too, or else the first of all.
    pub fn failure(&self) -> Option<&Error> {
        let failures = || {
            self.ends.iter().filter_map(|end| match end {
                End::Failed(error) => Some(error),
                _ => None,
            })
        };
        failures()
            .find(|error| matches!(error.class, Class::Unauthenticated | Class::Throttled(_)))
            .or_else(|| failures().next())
    }
}

/// For whom a plan is carried out: told in each line of the change log.
pub struct Cause<'a> {
    /// The object.
    pub item: &'a Item,
    /// Its generation.
    pub generation: i64,
    /// The plan's hash.
    pub hash: &'a str,
}
