//! The change log: one line for each change that was sent, with the target `rolewright::changes`.

use super::outcome::{PlanOwner, StepResult};
use rolewright_core::planner::{self, Step};

/// Writes the line of one step.
pub fn log(account: &str, owner: &PlanOwner<'_>, step: &Step, result: &StepResult) {
    let outcome = result.outcome();
    let error = match result {
        StepResult::Failed(error) => Some(error.message.as_str()),
        _ => None,
    };
    let approval = owner.approval.filter(|approval| approval.remaining.contains(&step.effect()));
    let before = step.change.before().map(|body| json(&body));
    let after = match &step.change {
        rolewright_core::model::Change::Delete { .. } => None,
        change => Some(json(change.body())),
    };
    tracing::info!(
        target: "rolewright::changes",
        tenant = account,
        kind = owner.object.kind.as_str(),
        namespace = %owner.object.name.namespace,
        name = %owner.object.name.name,
        generation = owner.generation,
        plan = owner.hash,
        approval = approval.map(|approval| approval.name.as_str()),
        approved_plan = approval.map(|approval| approval.plan.as_str()),
        approved_by = approval.map(|approval| approval.approved_by.as_str()),
        approval_reason = approval.and_then(|approval| approval.reason.as_deref()),
        verb = %step.change.verb(),
        thing = %step.change.body().kind(),
        title = step.change.body().title(),
        id = step.change.id().map(|id| id.as_str()),
        drift = step.cause == planner::Cause::Drift,
        before,
        after,
        outcome,
        error,
        "{} {} {}: {outcome}",
        step.change.verb(),
        step.change.body().kind(),
        step.change.body().title(),
    );
}

fn json(body: &impl serde::Serialize) -> String {
    serde_json::to_string(body).expect("bodies have string keys only, so they always serialize")
}
