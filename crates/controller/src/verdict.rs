//! From what the comparison and the writes came to, to what the status says. Pure.

use std::collections::BTreeMap;

use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use serde_json::{Value, json};

use super::{
    assess::Assessment,
    events::bounded,
    managed::{Managed, to_status},
    outcome::Outcome,
};
use rolewright_api as api;
use rolewright_api::{
    HeldEntry, ObjectStatus, PlanStatus, PlannedChange, Reason, SubjectState, SubjectStatus, annotations,
};
use rolewright_backends::{Class, Error};
use rolewright_core::model::{Body, Group, Named, Verb, same_name};
use rolewright_core::planner::{Desired, DesiredBody, Finding, Held, Issue, Plan};

/// How much of a message a condition keeps, in bytes.
const MESSAGE_LIMIT: usize = 1024;
/// How many changes, and details of a change, a status lists.
const LISTED: usize = 50;

/// Why an object is as it is, in a word and in a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The word.
    pub reason: Reason,
    /// The sentence.
    pub message: String,
}

impl Verdict {
    /// A verdict.
    pub fn new(reason: Reason, message: impl AsRef<str>) -> Self {
        Self { reason, message: bounded(message.as_ref(), MESSAGE_LIMIT).to_owned() }
    }

    /// The verdict of a failed call.
    pub fn of_error(error: &Error) -> Self {
        let reason = match error.class {
            Class::Invalid => Reason::Invalid,
            Class::Denied => Reason::Denied,
            Class::Unauthenticated => Reason::BackendNotReady,
            Class::Missing => Reason::NotFound,
            Class::Conflict => Reason::Conflict,
            Class::Throttled(_) => Reason::Throttled,
            Class::Lost | Class::Transient => Reason::BackendError,
            Class::Unsupported => Reason::Unsupported,
        };
        Self::new(reason, &error.message)
    }

    /// The verdict of what no change mends: the gravest matter gives the word.
    pub fn of_findings(findings: &[Finding], wants: usize) -> Option<Self> {
        let gravest = findings.iter().map(|finding| finding.issue).min()?;
        let reason = match gravest {
            Issue::Invalid => Reason::Invalid,
            Issue::Unsupported => Reason::Unsupported,
            Issue::Conflict => Reason::Conflict,
            Issue::NotFound => Reason::NotFound,
            Issue::NotVisible => Reason::Denied,
            Issue::Blocked => Reason::DeletionBlocked,
            Issue::Waiting => Reason::DependencyNotReady,
        };
        let mut sorted: Vec<&Finding> = findings.iter().collect();
        sorted.sort_by_key(|finding| finding.issue);
        let lines: Vec<String> = sorted
            .iter()
            .take(5)
            .map(|finding| match &finding.name {
                Some(name) if !finding.message.contains(name.as_str()) => {
                    format!("{name}: {}", finding.message)
                }
                _ => finding.message.clone(),
            })
            .collect();
        let mut message = lines.join("; ");
        if findings.len() > lines.len() {
            message.push_str(&format!("; and {} more", findings.len() - lines.len()));
        }
        if findings[0].name.is_some() && wants > 1 {
            message = format!("{} of {wants} subjects: {message}", findings.len());
        }
        Some(Self::new(reason, message))
    }

    /// The verdict when everything is as the spec says.
    pub fn in_sync(wants: usize, kind: &str, remarks: &[String]) -> Self {
        let message = match (kind, wants) {
            ("Role", _) => "the role is as the spec says".to_owned(),
            // What is left open says that the rest is closed.
            ("ResourceRestriction", _) if !remarks.is_empty() => String::new(),
            ("ResourceRestriction", _) => "the resource is restricted".to_owned(),
            (_, 1) => "the subject has the role".to_owned(),
            (_, wants) => format!("all {wants} subjects have the role"),
        };
        Self::with(&message, remarks)
    }

    fn with(message: &str, remarks: &[String]) -> Self {
        let all = std::iter::once(message).filter(|message| !message.is_empty());
        let all: Vec<&str> = all.chain(remarks.iter().map(String::as_str)).collect();
        Self::new(Reason::InSync, all.join("; "))
    }
}

/// How many things an object asks for, as its spec counts them.
pub fn asked_for<K: Managed>(object: &K, assessment: &Assessment) -> usize {
    listed_subjects(object).map_or(assessment.resolved.wants.len(), <[api::Subject]>::len)
}

/// The verdict of an object for which there is nothing to do.
pub fn settled<K: Managed>(ctx: &super::context::Context, object: &K, assessment: &Assessment) -> Verdict {
    let wants = asked_for(object, assessment);
    if let Some(found) = Verdict::of_findings(assessment.plan.findings(), wants) {
        return found;
    }
    if ctx.corrections.contested(&object.item()).is_some() {
        return contested();
    }
    let remarks = assessment.plan.remarks();
    if assessment.resolved.wants.iter().any(|want| is_elsewhere(Some(want))) {
        return Verdict::with("the group of this object has the role", remarks);
    }
    Verdict::in_sync(wants, K::KIND.as_str(), remarks)
}

/// The verdict of an object that somebody keeps changing back.
pub fn contested() -> Verdict {
    Verdict::new(
        Reason::Contested,
        "somebody keeps changing back what this object says: it was put right three times within an hour and is now put right more \
         and more slowly. Find who or what else manages it",
    )
}

/// A plan as the status shows it; nothing where there is nothing to do.
pub fn plan_status(plan: &Plan, tenant: &str, uid: &str, serial: i64) -> Option<PlanStatus> {
    if plan.is_empty() {
        return None;
    }
    let rows = plan.rows();
    let changes = rows.iter().take(LISTED).map(|row| {
        let mut details: Vec<String> = row.details.iter().take(LISTED).cloned().collect();
        if row.details.len() > LISTED {
            details.push(format!("and {} more", row.details.len() - LISTED));
        }
        PlannedChange { verb: row.verb.to_string(), kind: row.kind.clone(), name: row.name.clone(), details }
    });
    Some(PlanStatus {
        hash: plan.hash(tenant, uid, serial),
        serial,
        summary: plan.summary().to_string(),
        total: i64::try_from(rows.len()).unwrap_or(i64::MAX),
        changes: changes.collect(),
    })
}

/// How each subject of a binding stands; empty for other kinds.
pub fn subjects<K: Managed>(
    object: &K,
    assessment: &Assessment,
    outcome: Option<&Outcome>,
) -> Vec<SubjectStatus> {
    let Some(listed) = listed_subjects(object) else { return Vec::new() };
    let findings: BTreeMap<&str, &Finding> = assessment
        .plan
        .findings()
        .iter()
        .filter_map(|finding| Some((finding.name.as_deref()?, finding)))
        .collect();
    let whole = assessment.plan.findings().iter().find(|finding| finding.name.is_none());
    listed
        .iter()
        .map(|subject| {
            let name = subject.called();
            let want = assessment.resolved.wants.iter().find(|want| speaks_of(want, &name, subject));
            let id = want.and_then(|want| match &want.body {
                DesiredBody::Resolved(Body::Grant(grant)) => Some(grant.subject.id.to_string()),
                DesiredBody::Resolved(Body::Group(group)) => {
                    member(group, subject).map(|member| member.id.to_string())
                }
                _ => None,
            });
            let held = want.map_or(Some(name.as_str()), |want| want.name.as_deref());
            let (state, message) =
                match (findings.get(name.as_str()).copied().or(whole), planned(assessment, held)) {
                    (Some(finding), _) => (subject_state(finding.issue), Some(finding.message.clone())),
                    (None, Some(_)) => match refused(outcome, held) {
                        Some(error) => (SubjectState::Refused, Some(error.message.clone())),
                        None => (SubjectState::Pending, None),
                    },
                    (None, None) if is_elsewhere(want) => {
                        let message = "who is in the group is for the identity provider to say";
                        (SubjectState::Pending, Some(message.to_owned()))
                    }
                    (None, None) => (SubjectState::Granted, None),
                };
            let message = message.map(|message| bounded(&message, MESSAGE_LIMIT).to_owned());
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

/// The subjects of a RoleBinding's spec; None for other kinds.
fn listed_subjects<K: Managed>(object: &K) -> Option<&[api::Subject]> {
    let binding = (object as &dyn std::any::Any).downcast_ref::<api::RoleBinding>()?;
    Some(&binding.spec.subjects)
}

/// Whether a want is about a subject: its grant, or the group that it is a member of.
fn speaks_of(want: &Desired, called: &str, subject: &api::Subject) -> bool {
    match &want.body {
        DesiredBody::Resolved(Body::Group(group)) => {
            group.members.is_none() || member(group, subject).is_some()
        }
        _ => want.name.as_deref() == Some(called),
    }
}

/// Whether it is not for us to say whether the subject has the role.
fn is_elsewhere(want: Option<&Desired>) -> bool {
    let body = want.map(|want| &want.body);
    matches!(body, Some(DesiredBody::Resolved(Body::Group(group))) if group.members.is_none())
}

fn member<'a>(group: &'a Group, subject: &api::Subject) -> Option<&'a Named> {
    group.members.iter().flatten().find(|member| same_name(&member.name, &subject.name))
}

fn planned<'a>(assessment: &'a Assessment, name: Option<&str>) -> Option<&'a Held> {
    let plan = &assessment.plan;
    plan.steps()
        .iter()
        .filter(|step| step.change.verb() != Verb::Delete)
        .map(|step| plan.held_of(step))
        .find(|held| held.name.as_deref() == name)
}

/// The failure of the step about a subject, or about the group that it is to be in.
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
        Issue::Waiting => SubjectState::Pending,
        Issue::Invalid | Issue::Unsupported | Issue::NotVisible | Issue::Blocked => SubjectState::Refused,
    }
}

/// The status fields that the operator owns: what is absent from a new status is removed.
pub const FIELDS: [&str; 7] =
    ["observedGeneration", "conditions", "held", "plan", "lastHandledReconcileAt", "serial", "subjects"];

/// Everything that goes into a status.
pub struct Content<'a> {
    /// The word and the sentence.
    pub verdict: &'a Verdict,
    /// The back end does not show all of what is held.
    pub unverified: bool,
    /// What is held.
    pub held: &'a [Held],
    /// What is to be done.
    pub plan: Option<PlanStatus>,
    /// How the subjects stand.
    pub subjects: Vec<SubjectStatus>,
    /// How many plans were carried out.
    pub serial: i64,
}

/// The status as JSON. None when it says what the object's status says already.
pub fn status<K: Managed>(object: &K, content: Content<'_>, now: Timestamp) -> Option<Value> {
    let empty = ObjectStatus::default();
    let before = object.status().unwrap_or(&empty);
    let held: Vec<HeldEntry> = content.held.iter().map(to_status).collect();
    let after = ObjectStatus {
        observed_generation: object.meta().generation,
        conditions: api::condition(
            content.verdict.reason,
            &content.verdict.message,
            object.meta().generation,
            content.unverified,
            &before.conditions,
            now,
        ),
        held,
        plan: content.plan,
        last_handled_reconcile_at: object.annotations().get(annotations::RECONCILE_AT).cloned(),
        serial: (content.serial > 0).then_some(content.serial),
    };
    if after == *before && content.subjects == object.subjects() {
        return None;
    }
    let mut value = serde_json::to_value(&after).expect("statuses have string keys only");
    if !content.subjects.is_empty() {
        value["subjects"] = json!(content.subjects);
    }
    Some(value)
}
