//! From an AccessRequest, its offer and its approvals to what becomes of it. Pure.
//!
//! The grant is made by a RoleBinding of its own, which ends at the time that was fixed when the request was approved. What is granted is
//! recorded in the status of the request first, so later changes of the offer change no grant.

mod after_grant;
mod binding;
mod eligible;
#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use rolewright_api::{
    AccessApproval, AccessBinding, AccessGrant, AccessOffer, AccessRequest, AccessRequestStatus, AccessState,
    Approval, ApprovalState, Decision, RoleBinding,
};
use rolewright_core::model::sha256_hex;

pub use self::{
    after_grant::ended,
    binding::{Requested, binding_of, is_binding_of, is_made_for, request_of, requested},
};

/// How long a request waits for an Approval.
const MAX_WAIT: Duration = Duration::from_secs(24 * 3600);

/// What an Approval says that granted a request.
const GRANTED: &str = "the access was granted";

/// An AccessRequest, and what decides about it.
pub struct Case<'a> {
    /// The request.
    pub request: &'a AccessRequest,
    /// The offer that it names, if it exists.
    pub offer: Option<&'a AccessOffer>,
    /// The UID of the Role that the offer names, if it exists.
    pub role: Option<&'a str>,
    /// All requests of this offer.
    pub others: &'a [Arc<AccessRequest>],
    /// The approvals that name the request and can still have an effect.
    pub approvals: &'a [Arc<Approval>],
    /// The RoleBinding that the status of the request names, if it exists.
    pub binding: Option<&'a RoleBinding>,
    /// The time of the decision.
    pub now: Timestamp,
}

/// What becomes of an AccessRequest.
pub struct Verdict {
    /// The status of the request. It is written before anything else is done.
    pub status: AccessRequestStatus,
    /// The next step with its RoleBinding.
    pub step: Option<BindingStep>,
    /// Approvals that were decided, and what became of them.
    pub decided: Vec<Decided>,
    /// When time alone changes the verdict.
    pub next: Option<Timestamp>,
}

/// An approval that was decided, what became of it, and that in words.
pub type Decided = (Arc<Approval>, ApprovalState, String);

/// The next step with the RoleBinding of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BindingStep {
    /// It is created.
    Create,
    /// Its spec was changed, and is written again.
    Restore,
    /// It is deleted, which revokes the grant.
    Delete,
    /// It is not in the cache: it is read from the API server, and without it the access is over.
    Find,
}

impl Verdict {
    fn new(status: AccessRequestStatus) -> Self {
        Self { status, step: None, decided: Vec::new(), next: None }
    }
}

/// Decides about a request.
pub fn decide(case: &Case<'_>) -> Verdict {
    let status = case.request.status.clone().unwrap_or_default();
    let mut verdict = match (status.state, &status.grant) {
        (Some(state), _) if state.is_final() => Verdict::new(status),
        (_, Some(_)) => case.after_grant(status),
        (_, None) => case.before_grant(status),
    };
    case.decide_others(&mut verdict);
    verdict
}

impl Case<'_> {
    fn before_grant(&self, status: AccessRequestStatus) -> Verdict {
        if self.request.metadata.deletion_timestamp.is_some() {
            return Verdict::new(status);
        }
        let offered = &self.request.spec.offer;
        let Some(offer) = self.offer else {
            return self
                .wait(status, format!("spec.offer: there is no AccessOffer {offered} in this namespace"));
        };
        if let Some(why) = self.refusal(offer) {
            return self.deny(status, why);
        }
        let plan = self.plan_of(offer);
        let status = AccessRequestStatus { plan: Some(plan.clone()), ..status };
        if let Some(rejection) = self.decision(Decision::Reject, &plan) {
            let mut verdict = self.deny(status, format!("{} rejected the request", whose(rejection)));
            verdict.decided = vec![rejected(rejection, "the request is denied")];
            return verdict;
        }
        if self.is_too_old() {
            return self.wait(status, "nobody approved it".to_owned());
        }
        if offer.spec.without_approval == Some(true) {
            return self.grant(status, offer, None);
        }
        let mut refused = Vec::new();
        for approval in self.approvals.iter().filter(|it| decides(it, Decision::Approve, &plan)) {
            match self.refuses_approver(offer, approval) {
                None => {
                    let mut verdict = self.grant(status, offer, Some(approval));
                    verdict.decided = refused;
                    verdict.decided.push((approval.clone(), ApprovalState::Executed, GRANTED.to_owned()));
                    return verdict;
                }
                Some(why) => {
                    refused.push((
                        approval.clone(),
                        ApprovalState::Ignored,
                        format!("nothing happens: {why}"),
                    ));
                }
            }
        }
        let message = format!("waits for an Approval of plan {plan} by {}", approvers(offer));
        let mut verdict = self.wait(status, message);
        verdict.decided = refused;
        verdict
    }

    fn grant(
        &self,
        status: AccessRequestStatus,
        offer: &AccessOffer,
        approval: Option<&Arc<Approval>>,
    ) -> Verdict {
        // Kubernetes keeps whole seconds.
        let start = Timestamp::from_second(self.now.as_second()).unwrap_or(self.now);
        let time = SignedDuration::try_from(self.request.spec.duration()).unwrap_or_default();
        let end = start.checked_add(time).unwrap_or(start);
        let approval = approval.map(|approval| AccessApproval {
            name: approval.name_any(),
            uid: approval.uid().unwrap_or_default(),
            approved_by: approval.spec.approved_by.clone(),
            reason: approval.spec.reason.clone(),
        });
        let mut verdict = Verdict::new(AccessRequestStatus {
            state: Some(AccessState::Granting),
            message: Some("the RoleBinding is being created".to_owned()),
            grant: Some(AccessGrant {
                user: user_of(self.request, offer).to_owned(),
                role_uid: self.role_uid(offer),
                backend_ref: offer.spec.backend_ref.clone(),
                role_ref: offer.spec.role_ref.clone(),
                scope: offer.spec.scope.clone(),
            }),
            approval,
            role_binding: Some(AccessBinding { name: binding::name_of_binding(self.request), uid: None }),
            started_at: Some(Time(start)),
            expires_at: Some(Time(end)),
            ..status
        });
        verdict.step = Some(BindingStep::Create);
        verdict.next = Some(end);
        verdict
    }

    /// Until when the request waits.
    fn waits_until(&self) -> Timestamp {
        let created = self.request.creation_timestamp().map_or(self.now, |created| created.0);
        created.checked_add(MAX_WAIT).unwrap_or(created)
    }

    fn is_too_old(&self) -> bool {
        self.waits_until() <= self.now
    }

    fn wait(&self, status: AccessRequestStatus, message: String) -> Verdict {
        if self.is_too_old() {
            return self.deny(status, format!("it waited for 24 hours: {message}"));
        }
        let state = Some(AccessState::Pending);
        let mut verdict = Verdict::new(AccessRequestStatus { state, message: Some(message), ..status });
        verdict.next = Some(self.waits_until());
        verdict
    }

    fn deny(&self, status: AccessRequestStatus, message: String) -> Verdict {
        Verdict::new(AccessRequestStatus {
            state: Some(AccessState::Denied),
            message: Some(message),
            ended_at: Some(Time(self.now)),
            ..status
        })
    }

    /// The approval that decides so about this plan.
    fn decision(&self, decision: Decision, plan: &str) -> Option<&Arc<Approval>> {
        self.approvals.iter().find(|approval| decides(approval, decision, plan))
    }

    /// What became of the approvals that the verdict does not mention.
    fn decide_others(&self, verdict: &mut Verdict) {
        let status = &verdict.status;
        let why = match (&status.plan, status.state) {
            (_, Some(state)) if state != AccessState::Pending => format!("the request is {}", state.as_str()),
            // The offer can come back.
            (Some(_), _) if self.offer.is_none() => return,
            (Some(plan), _) => format!("the present plan of the request is {plan}"),
            // Without an offer there is no plan yet.
            (None, _) => return,
        };
        let used = status.approval.as_ref().map(|approval| approval.uid.clone());
        let is_mentioned =
            |approval: &Approval| verdict.decided.iter().any(|(decided, ..)| decided.uid() == approval.uid());
        let others =
            self.approvals.iter().filter(|approval| approval.state().is_none() && !is_mentioned(approval));
        let decided: Vec<_> = others
            .map(|approval| match approval.uid() == used {
                // A crash came between the record of the grant and this.
                true => (approval.clone(), ApprovalState::Executed, GRANTED.to_owned()),
                false => (approval.clone(), ApprovalState::Outdated, format!("nothing happens: {why}")),
            })
            .collect();
        verdict.decided.extend(decided);
    }
}

impl Case<'_> {
    /// The hash of what the request grants under the present offer. It covers the role, the scope, the user and the time.
    fn plan_of(&self, offer: &AccessOffer) -> String {
        let spec = &offer.spec;
        let uid = self.request.uid().unwrap_or_default();
        let user = user_of(self.request, offer);
        let seconds = self.request.spec.duration().as_secs();
        let role = (&spec.role_ref, self.role_uid(offer));
        let effect = ("access", uid, &spec.backend_ref, role, &spec.scope, user, seconds);
        let json = serde_json::to_vec(&effect).expect("a spec has string keys only, so it always serializes");
        format!("v1-{}", &sha256_hex(&json)[..40])
    }

    /// The UID of the Role that the offer names. A Role that is deleted and created again can be another one.
    fn role_uid(&self, offer: &AccessOffer) -> Option<String> {
        offer.spec.role_ref.name.as_ref().and(self.role).map(str::to_owned)
    }
}

/// The user of the back end who gets the role.
fn user_of<'a>(request: &'a AccessRequest, offer: &AccessOffer) -> &'a str {
    let spec = &request.spec;
    spec.user.as_deref().unwrap_or_else(|| eligible::own_name(&spec.requested_by, offer))
}

fn decides(approval: &Approval, decision: Decision, plan: &str) -> bool {
    approval.spec.decision == decision && approval.spec.plan == plan && approval.is_open()
}

fn rejected(approval: &Arc<Approval>, message: &str) -> Decided {
    (approval.clone(), ApprovalState::Rejected, message.to_owned())
}

/// Who decided, and why.
fn whose(approval: &Approval) -> String {
    let reason = approval.spec.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    format!("{}{reason}", approval.spec.approved_by)
}

/// The approvers of an offer, in words.
fn approvers(offer: &AccessOffer) -> String {
    offer.spec.approvers.as_ref().map(eligible::named).unwrap_or_default()
}
