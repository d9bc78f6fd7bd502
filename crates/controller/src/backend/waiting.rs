//! The plans of a Backend's objects that wait for an approval, and approvals of all of them at once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use rolewright_api::{Approval, ApprovalState, CoveredPlan, Decision, Mode, WaitingPlans};
use rolewright_core::model::sha256_hex;
use rolewright_reconcile::{
    account::named,
    decide::Resolve,
    object::{ManagedObject, ObjectName, ObjectRef},
};

use crate::{
    approvals,
    context::Context,
    kube::{Cached, Visitor, WriteError},
};

/// The most plans that one approval can cover.
const MAX_COVERED: usize = 2000;

/// The plans of a Backend's objects.
#[derive(Default)]
pub struct Waiting {
    /// Those that wait, by the UID of their object.
    plans: BTreeMap<String, Plan>,
    /// The UIDs and the hashes of all plans that are not executed completely, whatever they wait for.
    present: BTreeSet<(String, String)>,
    /// The UIDs of the approvals that still cover changes.
    in_force: BTreeSet<String>,
}

struct Plan {
    title: String,
    hash: String,
    removals: i64,
    since: Time,
}

impl Waiting {
    /// Adds the plan of an object, if it waits.
    pub fn add<K: ManagedObject>(&mut self, object: &K) {
        let status = object.status();
        let approval = status.and_then(|status| status.approval.as_deref());
        self.in_force.extend(approval.filter(|it| !it.remaining.is_empty()).map(|it| it.uid.clone()));
        let plan = status.and_then(|status| status.plan.as_deref());
        let uid = || object.uid().unwrap_or_default();
        self.present.extend(plan.map(|plan| (uid(), plan.hash.clone())));
        if let Some(plan) = plan
            && let Some(waiting) = &plan.waiting
        {
            let plan = Plan {
                title: object.title_in_backend(),
                hash: plan.hash.clone(),
                removals: waiting.removals,
                since: waiting.since.clone(),
            };
            self.plans.insert(uid(), plan);
        }
    }

    /// All plans in one, for the status of this Backend. None if no plan waits.
    pub fn summary(&self, backend: &ObjectName) -> Option<WaitingPlans> {
        let since = self.plans.values().map(|plan| &plan.since).min_by_key(|since| since.0)?.clone();
        let (_, names) = named(self.plans.values().map(|plan| plan.title.clone()));
        Some(WaitingPlans {
            objects: i64::try_from(self.plans.len()).unwrap_or(i64::MAX),
            removals: self.plans.values().map(|plan| plan.removals).sum(),
            since,
            // An Approval names a Backend of its own namespace.
            plan: (!backend.is_of_cluster()).then(|| self.hash()),
            names,
        })
    }

    /// Identifies these plans of these objects: a hash over their hashes.
    fn hash(&self) -> String {
        let lines: Vec<String> =
            self.plans.iter().map(|(uid, plan)| format!("{uid} {}\n", plan.hash)).collect();
        format!("v1-{}", &sha256_hex(lines.concat().as_bytes())[..40])
    }

    fn covered(&self) -> Vec<CoveredPlan> {
        self.plans
            .iter()
            .map(|(uid, plan)| CoveredPlan { uid: uid.clone(), plan: plan.hash.clone() })
            .collect()
    }

    /// Whether a covered plan is still to be executed.
    fn is_unfinished(&self, approval: &Approval, covered: &[CoveredPlan]) -> bool {
        let is_present = |one: &CoveredPlan| self.present.contains(&(one.uid.clone(), one.plan.clone()));
        approval.uid().is_some_and(|uid| self.in_force.contains(&uid)) || covered.iter().any(is_present)
    }
}

impl Visitor for Waiting {
    fn visit<K: Resolve + Cached>(&mut self, object: Arc<K>) {
        self.add(&*object);
    }
}

/// Decides the approvals of a Backend. Its objects do what they cover.
pub async fn decide_approvals(ctx: &Context, name: &ObjectName, mode: Mode) -> Result<(), WriteError> {
    let reference = ObjectRef::backend(name);
    let approvals = approvals::of(ctx, &reference);
    if approvals.is_empty() {
        return Ok(());
    }
    let mut waiting = Waiting::default();
    ctx.caches.each_of(name, &mut waiting);
    for approval in approvals {
        let known = approval.status.clone().unwrap_or_default();
        if let Some((state, message, covers)) = decide(&approval, known.state, &waiting, mode) {
            let covers = covers.unwrap_or(known.covers);
            approvals::decide(ctx, &approval, state, &message, covers).await?;
        }
    }
    Ok(())
}

/// What becomes of an approval, and what it covers from now on. None: nothing changes.
fn decide(
    approval: &Approval,
    known: Option<ApprovalState>,
    waiting: &Waiting,
    mode: Mode,
) -> Option<(ApprovalState, String, Option<Vec<CoveredPlan>>)> {
    let covers = approval.status.iter().flat_map(|status| &status.covers).cloned().collect::<Vec<_>>();
    let outdated = |why: String| Some((ApprovalState::Outdated, format!("nothing happens: {why}"), None));
    match known {
        None if mode == Mode::Plan => {
            let message = "nothing happens: the mode of the Backend is Plan, which ignores approvals";
            Some((ApprovalState::Ignored, message.to_owned(), None))
        }
        None if waiting.plans.is_empty() => outdated("no plan waits".to_owned()),
        None if waiting.hash() != approval.spec.plan => {
            outdated(format!("the plans that wait now are {}", waiting.hash()))
        }
        None if waiting.plans.len() > MAX_COVERED => outdated(format!(
            "{} plans wait, and one Approval covers at most {MAX_COVERED}",
            waiting.plans.len()
        )),
        None => {
            let state = match approval.spec.decision {
                Decision::Approve => ApprovalState::Executing,
                Decision::Reject => ApprovalState::Rejected,
            };
            Some((
                state,
                format!("covers the plans of {} objects", waiting.plans.len()),
                Some(waiting.covered()),
            ))
        }
        Some(ApprovalState::Executing) if !waiting.is_unfinished(approval, &covers) => {
            Some((ApprovalState::Executed, "no covered plan is left".to_owned(), None))
        }
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use rolewright_api::Role;
    use serde_json::json;

    use super::*;

    fn role(name: &str, hash: &str) -> Role {
        serde_json::from_value(json!({
            "apiVersion": "rolewright.dev/v1alpha1", "kind": "Role",
            "metadata": {"name": name, "namespace": "team-a", "uid": format!("uid-{name}")},
            "spec": {"backendRef": {"name": "arize"}, "rules": []},
            "status": {"plan": {
                "hash": hash, "serial": 0, "summary": "+0 ~1 -0", "total": 1, "changes": [],
                "waiting": {"since": format!("2027-01-0{}T00:00:00Z", name.len()), "removals": 2},
            }},
        }))
        .expect("a Role")
    }

    fn approval(decision: &str, plan: &str, status: serde_json::Value) -> Approval {
        serde_json::from_value(json!({
            "apiVersion": "rolewright.dev/v1alpha1", "kind": "Approval", "metadata": {"name": "one", "namespace": "team-a"},
            "spec": {
                "target": {"kind": "Backend", "name": "arize"}, "plan": plan, "decision": decision,
                "approvedBy": "alice@example.com",
            },
            "status": status,
        }))
        .expect("an Approval")
    }

    fn waiting(plans: &[(&str, &str)]) -> Waiting {
        let mut waiting = Waiting::default();
        plans.iter().for_each(|(name, hash)| waiting.add(&role(name, hash)));
        waiting
    }

    #[test]
    fn hash_names_exactly_these_plans_of_these_objects() {
        let both = waiting(&[("a", "v1-1"), ("bb", "v1-2")]);
        let summary = both.summary(&ObjectName::new("team-a", "arize")).expect("plans wait");
        assert_eq!((summary.objects, summary.removals), (2, 4));
        assert_eq!(summary.since.0.to_string(), "2027-01-01T00:00:00Z");
        assert_eq!(summary.names, ["Role a", "Role bb"]);
        for other in [
            waiting(&[("a", "v1-1")]),
            waiting(&[("a", "v1-2"), ("bb", "v1-1")]),
            waiting(&[("a", "v1-1"), ("c", "v1-2")]),
        ] {
            assert_ne!(other.hash(), both.hash());
        }
        assert_eq!(waiting(&[]).summary(&ObjectName::new("team-a", "arize")), None);
        assert_eq!(both.summary(&ObjectName::of_cluster("arize")).expect("plans wait").plan, None);
    }

    #[test]
    fn approval_covers_exactly_the_plans_that_wait() {
        let now = waiting(&[("a", "v1-1"), ("bb", "v1-2")]);
        let approve = approval("Approve", &now.hash(), json!(null));
        let (state, _, covers) = decide(&approve, None, &now, Mode::Enforce).expect("a decision");
        assert_eq!((state, covers.map(|covers| covers.len())), (ApprovalState::Executing, Some(2)));
        let later = waiting(&[("a", "v1-1"), ("bb", "v1-3")]);
        for (plans, mode, expected) in [
            (&later, Mode::Enforce, ApprovalState::Outdated),
            (&waiting(&[]), Mode::Enforce, ApprovalState::Outdated),
            (&now, Mode::Plan, ApprovalState::Ignored),
        ] {
            let (state, message, covers) = decide(&approve, None, plans, mode).expect("a decision");
            assert_eq!((state, covers), (expected, None), "{message}");
        }
        let reject = approval("Reject", &now.hash(), json!(null));
        assert_eq!(decide(&reject, None, &now, Mode::Enforce).map(|it| it.0), Some(ApprovalState::Rejected));
    }

    #[test]
    fn approval_is_executed_when_no_covered_plan_waits() {
        let covers = json!({"state": "Executing", "covers": [{"uid": "uid-a", "plan": "v1-1"}]});
        let executing = approval("Approve", "v1-x", covers);
        let state = Some(ApprovalState::Executing);
        assert_eq!(decide(&executing, state, &waiting(&[("a", "v1-1")]), Mode::Enforce), None);
        let done = decide(&executing, state, &waiting(&[("a", "v1-9")]), Mode::Enforce);
        assert_eq!(done.map(|it| it.0), Some(ApprovalState::Executed));
    }
}
