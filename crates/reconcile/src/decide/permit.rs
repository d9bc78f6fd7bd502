//! How much of a plan is executed now: all of it, what the guards of the Backend allow, or what a person approved. Pure.

use std::{
    collections::{BTreeSet, HashSet},
    sync::Arc,
};

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use rolewright_api::{Approval, ApprovalRecord, ApprovalState, Guards, Mode, Reason, WaitingPlan};
use rolewright_core::model::{Named, Verb};
use rolewright_core::planner::{Issue, Loss, Origin, Plan, Step};

use super::{
    guarded::{drops_subject, has_exceeded, misspelt},
    plan::Decision,
    policy::{mode, whose_mode},
    validity::{Validity, recorded_end},
};
use crate::{account::Link, object::ManagedObject, patterns::Patterns, readiness::Readiness};

/// The part of a plan that is executed now, and what happens to the rest.
pub struct Permit {
    /// The part that is executed now.
    pub plan: Plan,
    /// How many removals of each of its steps count for the window of the guards.
    pub counted: Vec<usize>,
    /// The approval that covers steps of the part. It is recorded before they are executed.
    pub approval: Option<ApprovalRecord>,
    /// Why the rest is not executed. None: there is no rest.
    pub withheld: Option<Withheld>,
    /// The limits of the guards withhold a part of it.
    pub is_limited: bool,
    /// The number of plans that were executed before the present one. The hash of the plan covers it.
    pub serial: i64,
    /// Approvals that were decided, and what became of them.
    pub decided: Vec<(Arc<Approval>, ApprovalState, String)>,
}

/// Why a part of a plan waits.
pub struct Withheld {
    /// The condition of the object.
    pub ready: Readiness,
    /// What the plan in the status shows.
    pub waiting: WaitingPlan,
}

/// Why one step is not executed. The first reason is the one that the object reports.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Hurdle {
    Rejected(String),
    Mode(String),
    Protected(String),
    Misspelt(String),
    Limit,
}

/// Whether a step can be executed, before removals are counted.
enum Verdict {
    /// At once.
    Free,
    /// By an approval.
    Approved,
    /// As one of the removals that the window allows.
    Counted,
    /// Only with an approval.
    Withheld(Hurdle),
}

impl Verdict {
    /// How many removals of the step count for the window.
    fn counts(&self, loss: &Loss) -> usize {
        if matches!(self, Self::Counted) { loss.count } else { 0 }
    }
}

/// What the Backend of an object says about its plans.
#[derive(Clone, Copy)]
pub struct Terms<'a> {
    /// The id of the account.
    pub account: &'a str,
    /// The mode of the Backend. An object can only be stricter.
    pub mode: Mode,
    /// How much can be removed without an approval.
    pub guards: &'a Guards,
    /// The names and ids of the operator's own account in the back end.
    pub own: &'a [String],
}

impl<'a> Terms<'a> {
    /// The terms of a connected Backend.
    pub fn of(link: &'a Link) -> Self {
        let account = link.view.account.id.as_str();
        Self { account, mode: link.mode, guards: &link.guards, own: &link.own }
    }
}

/// Splits a plan. `serial`: how many plans of the object were executed. `room`: how many of so many removals the window of the guards allows at present. `approvals`: those of the object and
/// of its Backend that were not decided for good.
pub fn permit<K: ManagedObject>(
    object: &K,
    terms: Terms<'_>,
    decision: &Decision,
    serial: i64,
    room: impl FnOnce(usize) -> usize,
    approvals: &[Arc<Approval>],
    now: Timestamp,
) -> Permit {
    let judge = Judge::new(object, terms, decision, serial, approvals, now);
    let verdicts: Vec<Verdict> = (0..decision.plan.steps().len()).map(|step| judge.verdict(step)).collect();
    let losses = decision.plan.losses();
    let wanted = verdicts.iter().zip(losses).map(|(verdict, loss)| verdict.counts(loss)).sum();
    let room = if wanted == 0 { 0 } else { room(wanted) };
    let (keep, hurdles) = split(&decision.plan, &verdicts, room);
    let is_limited = hurdles.contains(&Hurdle::Limit);
    let withheld = hurdles.into_iter().min().map(|hurdle| judge.withheld(&keep, hurdle, now));
    let plan = match withheld {
        Some(_) => decision.plan.only(&keep, &decision.recorded),
        None => decision.plan.clone(),
    };
    let kept = (0..keep.len()).filter(|step| keep[*step]);
    let counted = kept.map(|step| verdicts[step].counts(&losses[step])).collect();
    Permit { plan, counted, withheld, is_limited, serial, decided: judge.decided(), approval: judge.record }
}

/// Which steps are executed, and the reasons why others are not. A step and the one that replaces what it removes are executed
/// together or not at all.
fn split(plan: &Plan, verdicts: &[Verdict], room: usize) -> (Vec<bool>, Vec<Hurdle>) {
    let steps = plan.steps();
    let mut units: Vec<Vec<usize>> = steps.iter().map(|_| Vec::new()).collect();
    for (index, step) in steps.iter().enumerate() {
        units[step.after.unwrap_or(index)].push(index);
    }
    let mut keep = vec![false; steps.len()];
    let mut rest = room;
    let mut hurdles = Vec::new();
    for unit in units {
        let needed: usize = unit.iter().map(|step| verdicts[*step].counts(&plan.losses()[*step])).sum();
        let withheld = unit.iter().filter_map(|step| match &verdicts[*step] {
            Verdict::Withheld(hurdle) => Some(hurdle.clone()),
            _ => None,
        });
        let limit = (needed > rest).then_some(Hurdle::Limit);
        match withheld.chain(limit).min() {
            Some(hurdle) => hurdles.push(hurdle),
            None => {
                rest -= needed;
                unit.into_iter().for_each(|step| keep[step] = true);
            }
        }
    }
    (keep, hurdles)
}

/// What one object, its Backend and the approvals say about the steps of a plan.
struct Judge<'a, K> {
    object: &'a K,
    terms: Terms<'a>,
    decision: &'a Decision,
    approvals: &'a [Arc<Approval>],
    hash: String,
    effects: Vec<String>,
    mode: Mode,
    /// The end of the grants that was recorded has passed.
    is_over: bool,
    rejection: Option<Arc<Approval>>,
    /// The approval in force. Its remaining changes are those of the present plan that it covers.
    record: Option<ApprovalRecord>,
    covered: HashSet<String>,
    misspelt: Option<String>,
    /// None: the plan is empty.
    protected: Option<Protected<'a>>,
    /// The plan exceeded the present limits before.
    has_exceeded: bool,
}

/// What needs an approval whatever the limits are.
struct Protected<'a> {
    subjects: Patterns,
    roles: Patterns,
    /// The operator's own account in the back end.
    own: &'a [String],
}

impl<'a, K: ManagedObject> Judge<'a, K> {
    fn new(
        object: &'a K,
        terms: Terms<'a>,
        decision: &'a Decision,
        serial: i64,
        approvals: &'a [Arc<Approval>],
        now: Timestamp,
    ) -> Self {
        let plan = &decision.plan;
        let status = object.status();
        let hash = plan.hash(terms.account, &object.uid().unwrap_or_default(), serial);
        let is_observed = status.is_some_and(|status| status.observed_generation == object.meta().generation);
        let decides = |approval: &&Arc<Approval>, decision: rolewright_api::Decision| {
            approval.spec.decision == decision && concerns(approval, object, &hash)
        };
        let rejection = approvals.iter().find(|it| decides(it, rolewright_api::Decision::Reject)).cloned();
        let approved = approvals.iter().find(|it| decides(it, rolewright_api::Decision::Approve));
        let in_force = status.and_then(|status| status.approval.as_deref());
        let in_force = in_force.filter(|record| is_observed && !record.remaining.is_empty());
        let by_request = decision.requested.as_ref().and_then(|requested| requested.approval.as_ref());
        let effects = match approved.is_some() || in_force.is_some() || by_request.is_some() {
            true => plan.steps().iter().map(Step::effect).collect(),
            false => Vec::new(),
        };
        let record = match (&rejection, approved) {
            (Some(_), _) => None,
            (None, Some(approval)) => Some(new_record(approval, &hash, effects.clone())),
            (None, None) => in_force.map(|record| ApprovalRecord {
                remaining: record
                    .remaining
                    .iter()
                    .filter(|effect| effects.contains(effect))
                    .cloned()
                    .collect(),
                ..record.clone()
            }),
        };
        let record = record.filter(|record| !record.remaining.is_empty());
        let by_request = by_request.filter(|_| rejection.is_none() && record.is_none());
        let record = record.or_else(|| of_request(by_request?, plan, &effects));
        Self {
            covered: record.iter().flat_map(|record| record.remaining.iter().cloned()).collect(),
            has_exceeded: has_exceeded(object, &terms.guards.limits()),
            misspelt: misspelt(object, decision),
            protected: (!plan.is_empty()).then(|| Protected::new(terms)),
            mode: if decision.resolved.is_forced { terms.mode } else { mode(object, terms.mode) },
            is_over: recorded_end(object).is_some_and(|end| end <= now),
            object,
            terms,
            decision,
            approvals,
            hash,
            effects,
            rejection,
            record,
        }
    }

    fn verdict(&self, step: usize) -> Verdict {
        let loss = &self.decision.plan.losses()[step];
        // Nobody can keep such grants by an approval that is not given.
        if self.decision.resolved.is_forced && self.is_over && loss.count > 0 || self.ends_request(step) {
            return Verdict::Free;
        }
        if let Some(rejection) = &self.rejection {
            let reason =
                rejection.spec.reason.as_deref().map(|reason| format!(" ({reason})")).unwrap_or_default();
            return Verdict::Withheld(Hurdle::Rejected(format!(
                "{} rejected it with Approval {}{reason}",
                rejection.spec.approved_by,
                rejection.name_any()
            )));
        }
        if self.effects.get(step).is_some_and(|effect| self.covered.contains(effect)) {
            return Verdict::Approved;
        }
        if self.is_expiry(loss) {
            return Verdict::Free;
        }
        if self.mode == Mode::Approve {
            return Verdict::Withheld(Hurdle::Mode(whose_mode(self.object, self.terms.mode)));
        }
        let pruning = self.decision.resolved.pruning.as_ref();
        if let Some(why) = pruning.and_then(|pruning| pruning.doubt(loss, self.terms.own)) {
            return Verdict::Withheld(Hurdle::Protected(why));
        }
        let protected = self.protected.as_ref();
        if let Some(why) = protected.and_then(|protected| protected.by(loss, &self.object.backend_title())) {
            return Verdict::Withheld(Hurdle::Protected(why));
        }
        if loss.count == 0 {
            return Verdict::Free;
        }
        if let Some(name) =
            self.misspelt.as_ref().filter(|_| drops_subject(self.decision, &self.decision.plan, step))
        {
            return Verdict::Withheld(Hurdle::Misspelt(name.clone()));
        }
        match self.has_exceeded {
            true => Verdict::Withheld(Hurdle::Limit),
            false => Verdict::Counted,
        }
    }

    /// Whether the step revokes grants at their end, which was known before. An end in the past that is written today is a removal like
    /// any other.
    fn is_expiry(&self, loss: &Loss) -> bool {
        if self.object.is_being_deleted() {
            return loss.count > 0 && self.is_over;
        }
        let Validity::Expired(end) = self.decision.resolved.validity else { return false };
        let known = recorded_end(self.object);
        loss.count > 0 && known.is_some_and(|known| known.as_second() == end.as_second())
    }

    /// Whether the step revokes the one grant of an AccessRequest that ended before its time.
    fn ends_request(&self, step: usize) -> bool {
        let Decision { plan, requested, recorded, .. } = self.decision;
        let is_over = requested.as_ref().is_some_and(|requested| requested.is_over);
        let is_its_own = matches!(recorded.as_slice(), [held] if held.origin == Origin::Created);
        is_over
            && is_its_own
            && self.object.is_being_deleted()
            && plan.steps()[step].change.verb() == Verb::Delete
            && plan.losses()[step].count == 1
    }

    fn withheld(&self, keep: &[bool], hurdle: Hurdle, now: Timestamp) -> Withheld {
        let plan = &self.decision.plan;
        let removals: usize =
            plan.losses().iter().zip(keep).filter(|(_, keep)| !**keep).map(|(loss, _)| loss.count).sum();
        let backend = self.object.backend_title();
        let why = match hurdle {
            Hurdle::Rejected(why) | Hurdle::Mode(why) | Hurdle::Protected(why) => why,
            Hurdle::Misspelt(name) => format!(
                "a subject loses the role while the new subject {name} is not found, as if its name were misspelt"
            ),
            Hurdle::Limit => format!(
                "{} more than spec.guards of {backend} allow ({})",
                count(removals, "removal"),
                self.terms.guards.limits()
            ),
        };
        let what = match self.rejection {
            Some(_) => format!("plan {} is not executed", self.hash),
            None => format!("needs an Approval of plan {}", self.hash),
        };
        let message = format!("{what}: {why}: would {}", plan.intent_of(|step| !keep[step]));
        let known = self.object.status().and_then(|status| status.plan.as_ref()?.waiting.as_ref());
        Withheld {
            ready: Readiness::new(Reason::ApprovalRequired, message),
            waiting: WaitingPlan {
                since: known.map_or(Time(now), |known| known.since.clone()),
                removals: i64::try_from(removals).unwrap_or(i64::MAX),
            },
        }
    }

    /// What became of each approval of the object. Those of its Backend are decided there.
    fn decided(&self) -> Vec<(Arc<Approval>, ApprovalState, String)> {
        let of_object = self.approvals.iter().filter(|approval| targets(approval, self.object));
        // The plan can be another one as soon as everything is read.
        let is_unread = self.decision.plan.findings().iter().any(|finding| finding.issue == Issue::Unread);
        of_object
            .filter_map(|approval| {
                let (state, message) = self.decide(approval);
                if is_unread && state == ApprovalState::Outdated {
                    return None;
                }
                (approval.state() != Some(state)).then(|| (approval.clone(), state, message))
            })
            .collect()
    }

    fn decide(&self, approval: &Arc<Approval>) -> (ApprovalState, String) {
        let uid = approval.uid();
        let status = self.object.status();
        let recorded =
            status.and_then(|status| status.approval.as_deref()).filter(|it| Some(&it.uid) == uid.as_ref());
        let is_rejection = self.rejection.as_ref().is_some_and(|it| it.uid() == uid);
        let is_in_force = self.record.as_ref().is_some_and(|it| Some(&it.uid) == uid.as_ref());
        match approval.state() {
            _ if is_rejection => (ApprovalState::Rejected, "the plan is not executed".to_owned()),
            Some(ApprovalState::Rejected) => (ApprovalState::Rejected, String::new()),
            _ if is_in_force => {
                let left = self.record.as_ref().map_or(0, |record| record.remaining.len());
                (ApprovalState::Executing, format!("{} still to be made", count(left, "change")))
            }
            _ if recorded.is_some() && self.rejection.is_some() => {
                (ApprovalState::Outdated, "the rest of the plan was rejected".to_owned())
            }
            _ if recorded.is_some() => (ApprovalState::Executed, "the changes were made".to_owned()),
            _ if self.decision.plan.is_empty() => {
                (ApprovalState::Outdated, "nothing happens: the object has no plan".to_owned())
            }
            _ if approval.spec.plan == self.hash => {
                (ApprovalState::Outdated, "nothing happens: the plan has another Approval".to_owned())
            }
            _ => (
                ApprovalState::Outdated,
                format!("nothing happens: the present plan of the object is {}", self.hash),
            ),
        }
    }
}

impl<'a> Protected<'a> {
    fn new(terms: Terms<'a>) -> Self {
        Self {
            subjects: Patterns::new(&terms.guards.protected_subjects),
            roles: Patterns::new(&terms.guards.protected_roles),
            own: terms.own,
        }
    }

    fn by(&self, loss: &Loss, backend: &str) -> Option<String> {
        let is_own = |it: &&Named| self.own.iter().any(|own| **own == *it.name || own == it.id.as_str());
        if let Some(own) = loss.subjects.iter().find(is_own) {
            return Some(format!("it takes access from {}, with whose credential {backend} works", own.name));
        }
        let matching = |patterns: &Patterns, among: &BTreeSet<Named>| {
            among.iter().find(|it| patterns.matches(&it.name) || patterns.matches(it.id.as_str())).cloned()
        };
        let subject = matching(&self.subjects, &loss.subjects).map(|subject| ("Subjects", subject));
        let (list, name) =
            subject.or_else(|| matching(&self.roles, &loss.roles).map(|role| ("Roles", role)))?;
        Some(format!("spec.guards.protected{list} of {backend} has {}", name.name))
    }
}

/// Whether an approval is about this plan of this object: it names both, or it is one of the Backend that covers them.
fn concerns<K: ManagedObject>(approval: &Approval, object: &K, hash: &str) -> bool {
    if targets(approval, object) {
        return approval.spec.plan == hash && approval.is_open();
    }
    let covers = approval.status.iter().flat_map(|status| &status.covers);
    covers.into_iter().any(|covered| covered.plan == hash && Some(&covered.uid) == object.uid().as_ref())
}

/// Whether an approval names this object.
pub fn targets<K: ManagedObject>(approval: &Approval, object: &K) -> bool {
    approval.spec.target.kind.as_str() == K::KIND.as_str() && approval.spec.target.name == object.name_any()
}

fn new_record(approval: &Approval, hash: &str, effects: Vec<String>) -> ApprovalRecord {
    ApprovalRecord {
        name: approval.name_any(),
        uid: approval.uid().unwrap_or_default(),
        plan: hash.to_owned(),
        approved_by: approval.spec.approved_by.clone(),
        reason: approval.spec.reason.clone(),
        remaining: effects,
    }
}

/// The approval of an AccessRequest covers what its RoleBinding grants, and no removal.
fn of_request(approval: &ApprovalRecord, plan: &Plan, effects: &[String]) -> Option<ApprovalRecord> {
    let grants = effects.iter().zip(plan.losses()).filter(|(_, loss)| loss.count == 0);
    let remaining: Vec<String> = grants.map(|(effect, _)| effect.clone()).collect();
    (!remaining.is_empty()).then(|| ApprovalRecord { remaining, ..approval.clone() })
}

fn count(number: usize, noun: &str) -> String {
    if number == 1 { format!("1 {noun}") } else { format!("{number} {noun}s") }
}

#[cfg(test)]
mod cases;
#[cfg(test)]
mod model;
