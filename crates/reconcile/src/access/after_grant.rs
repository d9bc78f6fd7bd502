//! What becomes of a request whose grant was decided: from its RoleBinding to its end.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use rolewright_api::{AccessRequestStatus, AccessState, Decision, RoleBinding, SubjectState};

use super::{BindingStep, Case, Verdict, binding_of, rejected, whose};
use crate::object::ManagedObject;

impl Case<'_> {
    pub(super) fn after_grant(&self, mut status: AccessRequestStatus) -> Verdict {
        let mut decided = Vec::new();
        let plan = status.plan.clone().unwrap_or_default();
        if let Some(rejection) = self.decision(Decision::Reject, &plan) {
            decided.push(rejected(rejection, "the access ends"));
            status.end_reason.get_or_insert_with(|| format!("{} ended it", whose(rejection)));
        }
        let end = status.expires_at.as_ref().map(|end| end.0);
        if end.is_none_or(|end| end <= self.now) {
            status.end_reason.get_or_insert_with(|| "its time is over".to_owned());
        }
        if self.request.metadata.deletion_timestamp.is_some() {
            status.end_reason.get_or_insert_with(|| "the request is being deleted".to_owned());
        }
        let is_created = status.role_binding.as_ref().is_some_and(|binding| binding.uid.is_some());
        let mut verdict = match (is_created, self.binding) {
            (false, _) if status.end_reason.is_none() => {
                let mut verdict = Verdict::new(status);
                verdict.step = Some(BindingStep::Create);
                verdict
            }
            (true, Some(binding)) => self.with_binding(status, binding),
            (true, None) => {
                status.end_reason.get_or_insert_with(|| "its RoleBinding was deleted".to_owned());
                self.ended(status)
            }
            (false, _) => self.ended(status),
        };
        verdict.next = end.filter(|end| self.now < *end);
        verdict.decided = decided;
        verdict
    }

    fn with_binding(&self, mut status: AccessRequestStatus, binding: &RoleBinding) -> Verdict {
        if binding.is_being_deleted() {
            status.end_reason.get_or_insert_with(|| "its RoleBinding was deleted".to_owned());
        }
        let (state, message, step) = match &status.end_reason {
            Some(why) => {
                let step = (!binding.is_being_deleted()).then_some(BindingStep::Delete);
                (AccessState::Ending, format!("{why}; {}", said(binding)), step)
            }
            None => {
                let user = self.request.spec.user();
                let expected = status.grant.as_ref().zip(status.expires_at.as_ref());
                let is_changed =
                    expected.is_some_and(|(grant, end)| binding.spec != binding_of(grant, user, end));
                let step = is_changed.then_some(BindingStep::Restore);
                match is_granted(binding) {
                    true => (AccessState::Active, format!("{user} has the role"), step),
                    false => (AccessState::Granting, said(binding), step),
                }
            }
        };
        (status.state, status.message) = (Some(state), Some(message));
        let mut verdict = Verdict::new(status);
        verdict.step = step;
        verdict
    }

    fn ended(&self, status: AccessRequestStatus) -> Verdict {
        Verdict::new(AccessRequestStatus {
            state: Some(AccessState::Ended),
            message: status.end_reason.clone(),
            ended_at: Some(Time(self.now)),
            ..status
        })
    }
}

fn is_granted(binding: &RoleBinding) -> bool {
    let subjects = binding.subjects();
    !subjects.is_empty() && subjects.iter().all(|subject| subject.state == SubjectState::Granted)
}

/// What the RoleBinding reports.
fn said(binding: &RoleBinding) -> String {
    let conditions = binding.status().map(|status| status.conditions.as_slice()).unwrap_or_default();
    let ready = conditions.iter().find(|condition| condition.type_ == "Ready");
    let said = ready.map_or("is not reconciled yet", |ready| &ready.message);
    format!("RoleBinding {}: {said}", binding.name_any())
}
