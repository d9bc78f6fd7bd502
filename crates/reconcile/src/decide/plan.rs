//! Compares the desired state of one object with the snapshot, under the standing that its claims give it. Pure.

use std::borrow::Cow;

use rolewright_api::DeletionPolicy;
use rolewright_core::{
    model::{Body, Change, Kind, RoleRef, Snapshot, Verb},
    planner::{
        self, Claims, Desired, DesiredBody, Held, HeldState, Issue, Origin, Plan, Policy, Removal, Standing,
    },
};
use tokio::time::Instant;

use super::{
    authority,
    policy::{adopt, deletion_policy},
    resolve::Resolved,
};
use crate::{
    access::Requested,
    account::Link,
    object::{ManagedObject, ObjectRef},
    readiness::MEMBERSHIP,
    restore,
};

/// The result of a comparison.
pub struct Decision {
    /// The changes, what the object manages after them, and what no change can fix.
    pub plan: Plan,
    /// The desired state, in the order of the spec.
    pub resolved: Resolved,
    /// Other objects whose standing can have changed.
    pub touched: Vec<ObjectRef>,
    /// What the status records as managed, under present ids.
    pub recorded: Vec<Held>,
    /// A snapshot that begins at this time or later shows the result of creates without an answer.
    pub unsettled: Option<Instant>,
    /// The grants that the object releases and that stay because another object manages them too. The decision after the writes keeps
    /// them, for the report.
    pub still_shared: Vec<String>,
    /// What the AccessRequest of the object says about its plans.
    pub requested: Option<Requested>,
    /// Who can use the closed resource that the object manages.
    pub still_open: Option<String>,
}

impl Decision {
    /// When unanswered creates settled, if they have: a snapshot that begins now shows their result.
    pub fn settled(&self, now: Instant) -> Option<Instant> {
        self.unsettled.filter(|at| *at <= now)
    }

    /// What exists and the object would manage from now on, without a change.
    pub fn adoptions(&self) -> impl Iterator<Item = &Held> {
        let is_recorded = |held: &Held| self.recorded.iter().any(|entry| entry.id() == held.id());
        // A grant that is taken over to be revoked is no adoption.
        let is_revoked = |held: &Held| {
            let mut steps = self.plan.steps().iter().filter(|step| step.change.verb() == Verb::Delete);
            steps.any(|step| self.plan.held_of(step) == held)
        };
        let is_new = move |held: &&Held| {
            held.origin != Origin::Created && held.is_present() && !is_recorded(held) && !is_revoked(held)
        };
        self.plan.held().iter().filter(is_new)
    }

    /// What the object would do, in words. Empty if that is nothing.
    pub fn intent(&self) -> String {
        const MAX_LISTED: usize = 5;
        let name = |held: &Held| held.name.clone().or_else(|| held.key.get("name").map(str::to_owned));
        let adopted: Vec<String> = self
            .adoptions()
            .map(|held| match (held.kind, name(held)) {
                (Kind::Grant, Some(subject)) => format!("the grant of {subject}"),
                (kind, Some(name)) => format!("the {} {name}", kind.to_string().to_lowercase()),
                (kind, None) => format!("the {} ({})", kind.to_string().to_lowercase(), held.key),
            })
            .collect();
        let mut clauses = Vec::new();
        if !adopted.is_empty() {
            let more = adopted.len().saturating_sub(MAX_LISTED);
            let more = if more > 0 { format!(" and {more} more") } else { String::new() };
            clauses.push(format!("adopt {}{more}", adopted[..adopted.len().min(MAX_LISTED)].join(", ")));
        }
        clauses.push(self.plan.intent());
        clauses.retain(|clause| !clause.is_empty());
        clauses.join("; ")
    }

    /// Whether a change refers to a role that is itself only planned: such a plan can be shown and not executed.
    pub fn depends_on_planned_role(&self) -> bool {
        if self.resolved.role_is_planned {
            let grants = self.plan.steps().iter().any(|step| step.change.verb() != Verb::Delete);
            return grants || self.adoptions().next().is_some();
        }
        let is_planned = |change: &Change| match change {
            Change::Create { after: Body::Grant(grant), .. }
            | Change::Update { after: Body::Grant(grant), .. } => {
                matches!(grant.role, RoleRef::Planned(_))
            }
            Change::Create { after: Body::Group(group), .. }
            | Change::Update { after: Body::Group(group), .. } => {
                group.roles.iter().any(|role| matches!(role, RoleRef::Planned(_)))
            }
            _ => false,
        };
        self.plan.steps().iter().any(|step| is_planned(&step.change))
    }
}

/// Plans for an object whose claim is registered.
pub fn plan<K: ManagedObject>(
    object: &K,
    link: &Link,
    claims: &Claims,
    snapshot: &Snapshot,
    begun: Instant,
    mut resolved: Resolved,
    mut recorded: Vec<Held>,
) -> Decision {
    let dialect = link.view.backend.dialect();
    let claimant = object.claimant();
    for item in &mut resolved.desired {
        if let (DesiredBody::Resolved(body), Some(fingerprint)) = (&item.body, item.fingerprint()) {
            let key = dialect.key(body);
            let existing = planner::candidates(item, &key, &recorded, snapshot);
            item.standing = claims.standing(&claimant, body.kind(), &key, &existing, fingerprint);
            match item.standing {
                Standing::NextOwner => {
                    item.inherited = claims.taken(&claimant, body.kind(), &key, &existing);
                }
                Standing::Free if recorded.is_empty() => {
                    restore::recall(object, item, link.view.account.id.as_str(), snapshot, dialect);
                }
                _ => {}
            }
        }
    }
    let mut unsettled = None;
    for held in &mut recorded {
        held.other_claims = claims.other_claims(&claimant, held.kind, &held.key, held.id());
        if let HeldState::Pending { unsettled: is_unsettled, .. } = &mut held.state {
            let settled_at = link.view.account.unanswered.settled_at(held.kind, &held.key);
            *is_unsettled = begun < settled_at;
            unsettled = unsettled.max(is_unsettled.then_some(settled_at));
        }
    }
    // A subject that leaves the spec loses its grant, whatever the deletion policy of the object.
    let retain = object.is_being_deleted()
        && !resolved.is_requested
        && deletion_policy(object, link) == DeletionPolicy::Retain;
    let policy = Policy {
        identity: dialect,
        adopt: adopt(object, link),
        removal: if retain { Removal::Retain } else { Removal::Delete },
    };
    if resolved.authority.is_none() {
        // Grants that were to be revoked and are still there belong to nobody again.
        recorded.retain(|held| !authority::is_taken_over(held));
    }
    let mut managed = Cow::Borrowed(&recorded);
    if !resolved.unmanaged.is_empty() {
        managed.to_mut().append(&mut resolved.unmanaged);
    }
    if let Some(authority) = &resolved.authority {
        match authority::take_over(authority, &resolved.desired, &recorded, &claimant, claims, snapshot) {
            Ok(others) => managed.to_mut().extend(others),
            Err(problem) => {
                let keeps_all = problem.issue == Issue::Waiting;
                let kept = recorded.iter().filter(|_| keeps_all).filter_map(|held| held.name.clone());
                resolved.desired.push(Desired::problem_of(MEMBERSHIP, kept, problem));
            }
        }
    }
    let plan = planner::plan(&resolved.desired, snapshot, &managed, &policy);
    let still_shared = plan.still_shared().to_vec();
    Decision {
        plan,
        resolved,
        touched: Vec::new(),
        recorded,
        unsettled,
        still_shared,
        requested: None,
        still_open: None,
    }
}
