//! What to do for one object, as data: the changes, what is held then, and what no change mends.

use super::input::{Held, Issue};
use crate::model::{Change, Fingerprint, Id, Kind, sha256_hex};

/// Why a change is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The spec asks for something new.
    Spec,
    /// Somebody changed or removed what the object holds.
    Drift,
}

/// One change of a plan.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The write.
    pub change: Change,
    /// What is recorded as applied when it is done.
    pub wish: Fingerprint,
    /// Why.
    pub cause: Cause,
    /// Which entry of [`Plan::held`] it is about.
    pub entry: usize,
    /// The step that has to succeed before this one may be taken. It comes earlier in the plan.
    pub after: Option<usize>,
    /// For a create, and for the closing of a resource, whose intent was recorded before this plan was made and not refused: an earlier
    /// try may have done it.
    pub resumed: bool,
    /// Once it is done, its entry is held no longer.
    pub releases: bool,
}

/// Something that keeps an object from being in sync and that no change of the plan mends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which want it is about, where the spec names several.
    pub name: Option<String>,
    /// What kind of matter it is.
    pub issue: Issue,
    /// What is the matter and what to do.
    pub message: String,
}

/// What to do for one object: only [`plan`](super::plan) makes one.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    pub(super) steps: Vec<Step>,
    pub(super) held: Vec<Held>,
    pub(super) findings: Vec<Finding>,
    pub(super) unread: Vec<(Kind, Id)>,
    pub(super) gone: Vec<(Kind, Id)>,
    pub(super) remarks: Vec<String>,
    pub(super) unverified: bool,
}

impl Plan {
    /// The changes, in the order in which they are made.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What the object holds once intents and take-overs are recorded and before any change is made, in the order of the natural keys.
    pub fn held(&self) -> &[Held] {
        &self.held
    }

    /// What no change mends.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What has to be read whole before anything can be decided: a plan that names any is not to be carried out or shown.
    pub fn unread(&self) -> &[(Kind, Id)] {
        &self.unread
    }

    /// What was held and is taken to be gone: by the view it is made again, or not held any longer.
    pub fn gone(&self) -> &[(Kind, Id)] {
        &self.gone
    }

    /// Whether a held thing is taken to be gone.
    pub fn loses(&self, held: &Held) -> bool {
        self.gone.iter().any(|(kind, id)| *kind == held.kind && held.id.as_ref() == Some(id))
    }

    /// What people should know of the things that are as they are wanted.
    pub fn remarks(&self) -> &[String] {
        &self.remarks
    }

    /// Whether something that is held to be as it is wanted is not wholly shown by the back end.
    pub fn is_unverified(&self) -> bool {
        self.unverified
    }

    /// Whether nothing is to be written to the back end.
    pub fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }

    /// Identifies this plan of this object at this point of its history.
    pub fn hash(&self, tenant: &str, object_uid: &str, serial: i64) -> String {
        let changes: Vec<&Change> = self.steps.iter().map(|step| &step.change).collect();
        let canonical = serde_json::to_vec(&(tenant, object_uid, serial, changes))
            .expect("changes have string keys only, so they always serialize");
        sha256_hex(&canonical)[..16].to_owned()
    }
}
