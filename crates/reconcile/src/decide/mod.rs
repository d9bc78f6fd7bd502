//! From an object and a snapshot to a decision, in memory only: resolve, claims, plan, guard, permit.

mod authority;
mod ceiling;
mod claim;
mod guard;
mod guarded;
mod named_roles;
mod permit;
mod plan;
mod policy;
mod resolve;
mod still_open;
mod sweep;
mod unmanaged;
mod validity;

use std::{cell::Cell, sync::Arc};

use jiff::Timestamp;
use rolewright_api as api;
use rolewright_api::Mode;
use rolewright_core::planner;

pub use self::{
    authority::is_taken_over,
    ceiling::{Labels, check_namespace, check_terms},
    claim::register_held,
    guard::{guard, is_settled, paused_by},
    guarded::guarded,
    named_roles::named_roles,
    permit::{Permit, Terms, Withheld, permit, targets},
    plan::Decision,
    policy::{mode, needs, own_deletion_policy, shows_adoptions},
    resolve::{Lookup, Resolve, Resolved, suggestion},
    sweep::{Vanished, sweep_needs},
    unmanaged::{Manager, Managers},
    validity::{Validity, is_overdue},
};
use self::{ceiling::Bounds, plan::plan, resolve::Surroundings};
use crate::{
    access::{self, Requested},
    account::Link,
    convert::held_from_status,
    object::{ManagedObject, ObjectKind, ObjectName, as_binding},
};

/// What a decision needs beside the object and its link.
pub struct Cluster<'a> {
    /// The Role of this name, if it exists.
    pub role: &'a dyn Fn(&ObjectName) -> Option<Arc<api::Role>>,
    /// The Role in the same namespace whose name is most like this one.
    pub nearest_role: &'a dyn Fn(&ObjectName) -> Option<String>,
    /// The AccessRequest of this name, if it exists.
    pub request: &'a dyn Fn(&ObjectName) -> Option<Arc<api::AccessRequest>>,
    /// What all objects say about the account of a link, for an object in this namespace.
    pub managers: &'a dyn Fn(&Link, &str) -> Managers,
    /// Whether the operator can write: an object claims what it will create only then.
    pub may_write: bool,
    /// The labels of a namespace, if it exists.
    pub labels: &'a dyn Fn(&str) -> Option<Arc<Labels>>,
    /// The time of the decision.
    pub now: Timestamp,
}

/// Compares an object with the snapshot, and updates its claims. None: no snapshot covers what the object needs.
///
/// The claims are locked for the whole comparison: no other object can be compared between this object's claim and its plan.
pub fn decide<K: Resolve>(object: &K, link: &Link, cluster: &Cluster<'_>) -> Option<Decision> {
    let namespace = object.meta().namespace.as_deref().unwrap_or_default();
    link.view.with_snapshot_since(&needs(object, link), |snapshot, begun| {
        let mut resolved = match object.is_being_deleted() {
            true => Resolved {
                names: object.names().to_vec(),
                is_forced: K::KIND == ObjectKind::RoleBinding && policy::limits_time(link),
                ..Resolved::default()
            },
            false => object.resolve(&surroundings(object, link, cluster, snapshot)),
        };
        // Before the claims are locked.
        let managers = resolved.pruning.as_ref().map(|_| (cluster.managers)(link, namespace));
        let recorded = planner::rekey(recorded_by(object), snapshot);
        let is_paused = object.is_paused() || link.paused;
        let can_act = !is_paused
            && !resolved.role_is_planned
            && mode(object, link.mode) != Mode::Plan
            && cluster.may_write;
        let view = &*link.view;
        let mut claims = view.account.claims.lock();
        let before = claims.get(&object.claimant()).cloned();
        resolved.keep_inherited(&claims, snapshot, view.backend.dialect());
        let requested = requested(object, cluster);
        let is_requested = requested.is_some();
        resolved.is_requested = is_requested;
        // What somebody requested ends whatever its RoleBinding says.
        resolved.is_forced |= is_requested;
        let mut claim = planner::Claim {
            complete: object.meta().generation.filter(|_| resolved.is_complete()),
            is_requested,
            ..claim::new(object, &resolved.desired, &recorded, view, snapshot, can_act)
        };
        let mut touched = claims.set(object.claimant(), claim.clone());
        if let Some(managers) = managers {
            resolved.find_unmanaged(link, managers, &claims, &object.claimant(), snapshot);
        }
        let mut decision = plan(object, link, &claims, snapshot, begun, resolved, recorded);
        // The intent to create something counts for others only if nobody has to approve it first.
        let is_approved = || {
            object.status().is_some_and(|status| {
                status.approval.as_ref().is_some_and(|approval| !approval.remaining.is_empty())
            })
        };
        if can_act && (mode(object, link.mode) == Mode::Enforce || is_approved()) {
            let Decision { plan, resolved, recorded, .. } = &decision;
            claim::narrow(&mut claim, plan, &resolved.desired, recorded, view.backend.dialect());
            touched.extend(claims.set(object.claimant(), claim));
        }
        if claims.get(&object.claimant()) == before.as_ref() {
            // Only the claim before the plan differed, which nobody else saw.
            touched.clear();
        }
        let (held, dialect) = (decision.plan.held(), view.backend.dialect());
        decision.requested = requested;
        decision.still_open = still_open::still_open(held, &claims, namespace, snapshot, dialect);
        decision.touched = claims.objects(&touched);
        decision
    })
}

/// What the status of an object records as managed.
fn recorded_by<K: ManagedObject>(object: &K) -> Vec<planner::Held> {
    let held = object.held().iter().filter(|_| K::MANAGES);
    held.filter_map(held_from_status).collect()
}

/// What the AccessRequest of an object says about its plans.
fn requested<K: ManagedObject>(object: &K, cluster: &Cluster<'_>) -> Option<Requested> {
    let binding = as_binding(object)?;
    let request = (cluster.request)(&access::request_of(binding)?)?;
    let namespace = binding.metadata.namespace.as_deref().unwrap_or_default();
    let named = binding.spec.role_ref.name.as_ref().map(|name| ObjectName::new(namespace, name));
    let role = named.and_then(|name| (cluster.role)(&name)).and_then(|role| role.metadata.uid.clone());
    access::requested(binding, &request, role.as_deref())
}

fn surroundings<'a, K: Resolve>(
    object: &'a K,
    link: &'a Link,
    cluster: &'a Cluster<'a>,
    snapshot: &'a rolewright_core::model::Snapshot,
) -> Surroundings<'a> {
    let bounds = link.terms.as_deref().map(|terms| {
        let labels = (cluster.labels)(object.meta().namespace.as_deref().unwrap_or_default());
        Bounds::new(object, terms, labels, link.view.backend.dialect(), snapshot, cluster.now)
    });
    Surroundings {
        bounds,
        dialect: link.view.backend.dialect(),
        snapshot,
        role: cluster.role,
        nearest_role: cluster.nearest_role,
        // The names of a shared account belong to others too.
        suggestions: Cell::new(if link.terms.is_some() { 0 } else { resolve::MAX_SUGGESTIONS }),
        account: link.view.account.id.as_str(),
        lacks: &link.lacks,
        plans_only: mode(object, link.mode) == Mode::Plan,
        is_exclusive: link.exclusive,
        now: cluster.now,
    }
}
