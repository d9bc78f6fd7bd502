//! From a decision and the results of its writes to the status. Pure.

use std::collections::BTreeMap;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use serde_json::{Value, json};

use super::outcome::Outcome;
use crate::{
    account::Link,
    convert::held_to_status,
    decide::{self, Decision, Validity, shows_adoptions},
    object::{ManagedObject, reconcile_request},
    readiness::{self, MAX_MESSAGE, Readiness, truncate},
};
use rolewright_api as api;
use rolewright_api::{
    ApprovalRecord, Guarded, HeldEntry, ObjectStatus, PlanStatus, PlannedChange, Reason, ResolvedName,
    SubjectState, SubjectStatus,
};
use rolewright_backends::Error;
use rolewright_core::model::{Body, Change, Group, Named, Verb, same_name};
use rolewright_core::planner::{Desired, DesiredBody, Finding, Held, Issue, Step};

/// The most changes, and details of one change, that a status lists.
const MAX_LISTED: usize = 50;

/// How many external things the spec of an object desires, as the spec counts them.
fn desired_count<K: ManagedObject>(object: &K, decision: &Decision) -> usize {
    object.listed_subjects().map_or(decision.resolved.desired.len(), <[api::Subject]>::len)
}

/// What is wrong with an object that no change fixes, or which subjects it waits for. None if nothing is.
pub fn found<K: ManagedObject>(object: &K, decision: &Decision) -> Option<Readiness> {
    let is_awaited = |finding: &Finding| decision.resolved.awaits(finding);
    let found =
        Readiness::of_findings(decision.plan.findings(), desired_count(object, decision), is_awaited)?;
    if found.reason != Reason::MissingSubjects {
        return Some(found);
    }
    Some(found.remarking(&["each sweep looks for who is missing, and grants the role".to_owned()]))
}

/// For an object without changes to make. `contested`: others keep changing what it manages.
pub fn settled<K: ManagedObject>(object: &K, link: &Link, decision: &Decision, contested: bool) -> Readiness {
    let desired = desired_count(object, decision);
    let found = found(object, decision);
    let missing = match found {
        Some(found) if !found.reason.ready() => return found,
        missing => missing,
    };
    match decision.resolved.validity {
        Validity::Scheduled(at) => return readiness::scheduled(at),
        Validity::Expired(at) => return readiness::expired(at),
        Validity::Current(_) => {}
    }
    if contested {
        return readiness::contested();
    }
    let mut remarks: Vec<String> = decision
        .plan
        .remarks()
        .iter()
        .chain(&decision.still_shared)
        .chain(&decision.still_open)
        .cloned()
        .collect();
    remarks.extend(decision.resolved.remarks.iter().cloned());
    remarks.extend(decide::paused_by(object, link).map(|owner| {
        format!("paused: drift is not corrected until the annotation rolewright.dev/pause is removed{owner}")
    }));
    if let Some(missing) = missing {
        return missing.remarking(&remarks);
    }
    if decision.resolved.desired.iter().any(|item| is_decided_elsewhere(Some(item))) {
        return Readiness::with("the group of this object has the role", &remarks);
    }
    Readiness::in_sync(desired, K::KIND.as_str(), &remarks)
}

/// The plan as `status.plan`; None when there is nothing to do. Adoptions are part of it while the object only shows what it would do.
pub fn plan_status<K: ManagedObject>(
    object: &K,
    link: &Link,
    decision: &Decision,
    serial: i64,
) -> Option<PlanStatus> {
    let plan = &decision.plan;
    let adoptions: Vec<&Held> =
        if shows_adoptions(object, link) { decision.adoptions().collect() } else { Vec::new() };
    if plan.is_empty() && adoptions.is_empty() {
        return None;
    }
    let rows = plan.rows();
    let adopted = adoptions.iter().map(|held| PlannedChange {
        verb: "Adopt".to_owned(),
        kind: held.kind.to_string(),
        name: held.name.clone().unwrap_or_else(|| held.key.to_string()),
        details: Vec::new(),
    });
    let changes = rows.iter().map(|row| {
        let mut details: Vec<String> = row.details.iter().take(MAX_LISTED).cloned().collect();
        if row.details.len() > MAX_LISTED {
            details.push(format!("and {} more", row.details.len() - MAX_LISTED));
        }
        PlannedChange { verb: row.verb.to_string(), kind: row.kind.clone(), name: row.name.clone(), details }
    });
    let mut summary = plan.summary().to_string();
    if !adoptions.is_empty() {
        summary.push_str(&format!(", adopts {}", adoptions.len()));
    }
    let uid = object.uid().unwrap_or_default();
    Some(PlanStatus {
        hash: plan.hash(link.view.account.id.as_str(), &uid, serial),
        serial,
        summary,
        total: i64::try_from(rows.len() + adoptions.len()).unwrap_or(i64::MAX),
        changes: adopted.chain(changes).take(MAX_LISTED).collect(),
        waiting: None,
    })
}

/// The state of each subject of a binding, as `status.subjects`; empty for other kinds.
pub fn subject_states<K: ManagedObject>(
    object: &K,
    decision: &Decision,
    outcome: Option<&Outcome>,
) -> Vec<SubjectStatus> {
    let Some(listed) = object.listed_subjects() else { return Vec::new() };
    let findings: BTreeMap<&str, &Finding> = decision
        .plan
        .findings()
        .iter()
        .filter_map(|finding| Some((finding.name.as_deref()?, finding)))
        .collect();
    let whole = decision.plan.findings().iter().find(|finding| finding.name.is_none());
    listed
        .iter()
        .map(|subject| {
            let name = subject.called();
            let item = decision.resolved.desired.iter().find(|item| concerns(item, &name, subject));
            let id = item.and_then(|item| match &item.body {
                DesiredBody::Resolved(Body::Grant(grant)) => Some(grant.subject.id.to_string()),
                DesiredBody::Resolved(Body::Group(group)) => {
                    member(group, subject).map(|member| member.id.to_string())
                }
                _ => None,
            });
            let held = item.map_or(Some(name.as_str()), |item| item.name.as_deref());
            let (state, message) = match outside_validity(decision, &name) {
                Some(state) => (state, None),
                None => match (findings.get(name.as_str()).copied().or(whole), planned(decision, held)) {
                    (Some(finding), _) => (subject_state(finding.issue), Some(finding.message.clone())),
                    (None, Some(step)) if is_unaffected(step, subject) => (SubjectState::Granted, None),
                    (None, Some(_)) => match refused(outcome, held) {
                        Some(error) => (SubjectState::Refused, Some(error.message.clone())),
                        None => (SubjectState::Pending, None),
                    },
                    (None, None) if is_decided_elsewhere(item) => {
                        let message = "the identity provider decides who is in the group";
                        (SubjectState::Pending, Some(message.to_owned()))
                    }
                    (None, None) => (SubjectState::Granted, None),
                },
            };
            let message = message.map(|message| truncate(&message, MAX_MESSAGE).to_owned());
            SubjectStatus {
                kind: subject.kind.as_str().to_owned(),
                name: subject.name.clone(),
                id,
                state,
                message,
            }
        })
        .collect()
}

/// The state of a subject whose grant has not started, or has ended. A grant that is still to be revoked has not ended.
fn outside_validity(decision: &Decision, name: &str) -> Option<SubjectState> {
    let plan = &decision.plan;
    let is_its_end = |step: &&Step| {
        step.change.verb() == Verb::Delete && plan.held_of(step).name.as_deref().is_none_or(|it| it == name)
    };
    match decision.resolved.validity {
        Validity::Current(_) => None,
        _ if plan.steps().iter().any(|step| is_its_end(&step)) => Some(SubjectState::Granted),
        Validity::Scheduled(_) => Some(SubjectState::Pending),
        Validity::Expired(_) => Some(SubjectState::Expired),
    }
}

/// Whether a desired thing concerns a subject: its grant, or the group that it is a member of.
fn concerns(item: &Desired, called: &str, subject: &api::Subject) -> bool {
    match &item.body {
        DesiredBody::Resolved(Body::Group(group)) => {
            group.members.is_none() || member(group, subject).is_some()
        }
        _ => item.name.as_deref() == Some(called),
    }
}

/// Whether an identity provider decides who has the role.
fn is_decided_elsewhere(item: Option<&Desired>) -> bool {
    let body = item.map(|item| &item.body);
    matches!(body, Some(DesiredBody::Resolved(Body::Group(group))) if group.members.is_none())
}

fn member<'a>(group: &'a Group, subject: &api::Subject) -> Option<&'a Named> {
    group.members.iter().flatten().find(|member| same_name(member.level, &member.name, &subject.name))
}

/// The step that grants something to the subject of this name, or changes the group of all subjects.
fn planned<'a>(decision: &'a Decision, name: Option<&str>) -> Option<&'a Step> {
    let plan = &decision.plan;
    plan.steps()
        .iter()
        .find(|step| step.change.verb() != Verb::Delete && plan.held_of(step).name.as_deref() == name)
}

/// Whether a step changes a group for others: the subject is in it already, and the group has its role.
fn is_unaffected(step: &Step, subject: &api::Subject) -> bool {
    match &step.change {
        Change::Update { before: Body::Group(before), after: Body::Group(after), .. } => {
            after.roles.is_subset(&before.roles) && member(before, subject).is_some()
        }
        _ => false,
    }
}

/// The failure of the step that concerns a subject, or the group that it is to be a member of.
fn refused<'a>(outcome: Option<&'a Outcome>, name: Option<&str>) -> Option<&'a Error> {
    match name {
        Some(name) => outcome?.named.get(name),
        None => outcome?.failure(),
    }
}

fn subject_state(issue: Issue) -> SubjectState {
    match issue {
        Issue::NotFound => SubjectState::NotFound,
        Issue::Conflict => SubjectState::Conflict,
        Issue::Waiting | Issue::Unread => SubjectState::Pending,
        Issue::Invalid | Issue::Unsupported | Issue::Denied | Issue::NotVisible | Issue::Blocked => {
            SubjectState::Refused
        }
    }
}

/// The status fields that the operator owns: a field that is absent from a new status is removed.
pub const STATUS_FIELDS: [&str; 12] = [
    "observedGeneration",
    "conditions",
    "held",
    "plan",
    "approval",
    "expiresAt",
    "guarded",
    "lastHandledReconcileAt",
    "serial",
    "subjects",
    "granted",
    "names",
];

/// The content of a status.
pub struct StatusContent<'a> {
    /// The condition `Ready`.
    pub ready: &'a Readiness,
    /// The back end does not show all of what the object manages.
    pub unverified: bool,
    /// What the object manages.
    pub held: &'a [Held],
    /// The changes that are shown and not executed.
    pub plan: Option<PlanStatus>,
    /// The last approval of a plan.
    pub approval: Option<ApprovalRecord>,
    /// The state of each subject.
    pub subjects: Vec<SubjectStatus>,
    /// The ids that names in the spec mean.
    pub names: &'a [ResolvedName],
    /// How many plans were executed.
    pub serial: i64,
    /// Whether the spec applies now.
    pub validity: Validity,
    /// What the object remembers of its guards.
    pub guarded: Option<Guarded>,
    /// The end of the grants, if the object was reconciled with it. None: the recorded one stays.
    pub ends: Option<Timestamp>,
    /// Whether the back end was read as requested, so that the request is handled.
    pub is_read: bool,
}

/// The status as JSON. None when it equals the object's present status.
pub fn status<K: ManagedObject>(object: &K, content: StatusContent<'_>, now: Timestamp) -> Option<Value> {
    let empty = ObjectStatus::default();
    let before = object.status().unwrap_or(&empty);
    let held: Vec<HeldEntry> = content.held.iter().map(held_to_status).collect();
    let generation = object.meta().generation;
    let mut conditions = api::condition(
        content.ready.reason,
        &content.ready.message,
        generation,
        content.unverified,
        &before.conditions,
        now,
    );
    let ends_soon = content.validity.ends_soon().filter(|_| !object.is_being_deleted());
    conditions.extend(ends_soon.map(|at| api::grants_expiring(at, generation, &before.conditions, now)));
    let after = ObjectStatus {
        observed_generation: generation,
        conditions,
        held,
        plan: content.plan.map(Box::new),
        approval: content.approval.map(Box::new),
        expires_at: match content.validity {
            Validity::Current(_) => content.ends.map(whole_seconds).or_else(|| before.expires_at.clone()),
            Validity::Scheduled(_) | Validity::Expired(_) => before.expires_at.clone(),
        },
        guarded: content.guarded.map(Box::new),
        last_handled_reconcile_at: match reconcile_request(object) {
            request if content.is_read => request,
            Some(_) => before.last_handled_reconcile_at.clone(),
            None => None,
        },
        serial: (content.serial > 0).then_some(content.serial),
    };
    if after == *before && content.subjects == object.subjects() && content.names == object.names() {
        return None;
    }
    let mut value = serde_json::to_value(&after).expect("statuses have string keys only");
    if !content.subjects.is_empty() {
        value["subjects"] = json!(content.subjects);
        let granted =
            content.subjects.iter().filter(|subject| subject.state == SubjectState::Granted).count();
        value["granted"] = json!(format!("{granted}/{}", content.subjects.len()));
    }
    if !content.names.is_empty() {
        value["names"] = json!(content.names);
    }
    Some(value)
}

/// A time as a status keeps it.
fn whole_seconds(time: Timestamp) -> Time {
    Time(Timestamp::from_second(time.as_second()).unwrap_or(time))
}
