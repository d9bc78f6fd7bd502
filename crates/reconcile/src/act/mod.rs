//! Acting on a decision: apply writes the plan to the back end, report computes the status.

mod apply;
mod change_log;
mod differs;
mod outcome;
mod refused_role;
mod report;

pub use self::{
    apply::{apply, confirm_absences},
    differs::{differs, keeps_status},
    outcome::{Moved, Outcome, StepResult},
    report::{STATUS_FIELDS, StatusContent, found, plan_status, settled, status, subject_states},
};
