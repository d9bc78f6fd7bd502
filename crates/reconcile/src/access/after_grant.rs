//! What becomes of a request whose grant was decided: from its RoleBinding to its end.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use rolewright_api::{AccessRequestStatus, AccessState, Decision, RoleBinding, SubjectState};

use super::{BindingStep, Case, Verdict, binding_of, rejected, request_of, whose};
use crate::object::ManagedObject;

/// Why access ends whose RoleBinding somebody deleted.
const DELETED: &str = "its RoleBinding was deleted";

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
            (true, Some(binding)) => self.with_binding(status, binding),
            (false, _) if status.end_reason.is_none() => {
                Verdict { step: Some(BindingStep::Create), ..Verdict::new(status) }
            }
            // A crash can have come after it was created, and a cache can lack it for a moment.
            _ => Verdict { step: Some(BindingStep::Find), ..Verdict::new(status) },
        };
        verdict.next = end.filter(|end| self.now < *end);
        verdict.decided = decided;
        verdict
    }

    fn with_binding(&self, mut status: AccessRequestStatus, binding: &RoleBinding) -> Verdict {
        if binding.is_being_deleted() {
            status.end_reason.get_or_insert_with(|| DELETED.to_owned());
        }
        let is_changed = binding_of(&status).is_some_and(|spec| binding.spec != spec)
            || request_of(binding).is_none_or(|request| *request.name != *self.request.name_any());
        let is_granted = status.grant.as_ref().is_some_and(|grant| is_granted(binding, &grant.user));
        let user = status.grant.as_ref().map(|grant| grant.user.clone()).unwrap_or_default();
        let (state, message) = match &status.end_reason {
            Some(why) => (AccessState::Ending, format!("{why}; {}", said(binding))),
            None if is_granted => (AccessState::Active, format!("{user} has the role")),
            None => (AccessState::Granting, said(binding)),
        };
        let step = match &status.end_reason {
            _ if is_changed => Some(BindingStep::Restore),
            Some(_) if !binding.is_being_deleted() => Some(BindingStep::Delete),
            _ => None,
        };
        if state == AccessState::Active {
            status.granted_at.get_or_insert(Time(self.now));
        }
        Verdict {
            step,
            ..Verdict::new(AccessRequestStatus { state: Some(state), message: Some(message), ..status })
        }
    }
}

/// The status of a request whose RoleBinding does not exist.
pub fn ended(status: AccessRequestStatus, now: Timestamp) -> AccessRequestStatus {
    let end_reason = status.end_reason.clone().unwrap_or_else(|| DELETED.to_owned());
    AccessRequestStatus {
        state: Some(AccessState::Ended),
        message: Some(end_reason.clone()),
        end_reason: Some(end_reason),
        ended_at: Some(Time(now)),
        ..status
    }
}

fn is_granted(binding: &RoleBinding, user: &str) -> bool {
    let mut subjects = binding.subjects().iter();
    subjects.any(|subject| subject.name == user && subject.state == SubjectState::Granted)
}

/// What the RoleBinding reports.
fn said(binding: &RoleBinding) -> String {
    let conditions = binding.status().map(|status| status.conditions.as_slice()).unwrap_or_default();
    let ready = conditions.iter().find(|condition| condition.type_ == "Ready");
    let said = ready.map_or("is not reconciled yet", |ready| &ready.message);
    format!("RoleBinding {}: {said}", binding.name_any())
}
