//! Acting on a decision: apply writes the plan to the back end, report computes the status.

mod apply;
mod change_log;
mod outcome;
mod report;

pub use self::{
    apply::{apply, confirm_absences},
    outcome::{Moved, Outcome, StepResult},
    report::{
        MAX_MESSAGE, Readiness, STATUS_FIELDS, StatusContent, contested, desired_count, plan_status, settled,
        status, subject_states, truncate,
    },
};
