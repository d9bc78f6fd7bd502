//! Compares one object with the view of its tenant. Reads memory only: the sweep does this for every object, the pipeline before and
//! after it writes.

use std::{sync::Arc, time::Instant};

use kube::ResourceExt;

use super::{
    connections::Link,
    context::Context,
    managed::{Managed, to_engine},
    queue::Item,
    resolve::{Resolve, Resolved, Surroundings},
};
use rolewright_api as api;
use rolewright_api::{DeletionPolicy, Mode};
use rolewright_backends::Needs;
use rolewright_core::model::{Body, Change, Id, Key, Kind, RoleRef, Snapshot};
use rolewright_core::planner::{
    self, Claim, Claimant, DesiredBody, DesiredKeys, Held, HeldState, Plan, Policy, Removal, Standing,
};

/// What the comparison came to.
pub struct Assessment {
    /// What to do.
    pub plan: Plan,
    /// What is wanted, in the order of the spec.
    pub resolved: Resolved,
    /// Other objects whose standing may have changed.
    pub touched: Vec<Item>,
    /// What was recorded as held when it was made, under the ids that it has by now.
    pub recorded: Vec<Held>,
    /// A reading that begins at this time or later shows what became of creations that were not answered.
    pub unsettled: Option<Instant>,
}

impl Assessment {
    /// Whether a change speaks of a role that is itself only planned: such a plan can be shown and not carried out.
    pub fn speaks_of_planned(&self) -> bool {
        let planned = |change: &Change| match change {
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
        self.plan.steps().iter().any(|step| planned(&step.change))
    }
}

/// The mode that holds for an object: the stricter of its own and its Backend's.
pub fn mode<K: Managed>(object: &K, link: &Link) -> Mode {
    object.mode().unwrap_or_default().max(link.mode)
}

/// What happens to what an object holds when it goes.
pub fn removal<K: Managed>(object: &K, link: &Link) -> Removal {
    match object.deletion_policy().unwrap_or(link.deletion) {
        DeletionPolicy::Delete => Removal::Delete,
        DeletionPolicy::Retain => Removal::Retain,
    }
}

/// Which parts of the back end an object refers to, of those that there are.
pub fn needs<K: Resolve>(object: &K, link: &Link) -> Needs {
    let mut needs = object.needs(link.session.backend.dialect());
    needs.kinds.retain(|kind| !link.lacks.contains_key(kind));
    needs
}

/// Compares an object with the view. None: the view does not show what the object needs.
pub fn assess<K: Resolve>(ctx: &Context, object: &K, link: &Link) -> Option<Assessment> {
    link.session.look_since(&needs(object, link), |snapshot, begun| {
        let resolved =
            if object.going() { Resolved::default() } else { resolve(ctx, object, link, snapshot) };
        weigh(ctx, object, link, snapshot, begun, resolved)
    })
}

fn resolve<K: Resolve>(ctx: &Context, object: &K, link: &Link, snapshot: &Snapshot) -> Resolved {
    let namespace = object.namespace().unwrap_or_default();
    let roles = |name: &str| -> Option<Arc<api::Role>> {
        ctx.caches.roles.get(&super::cache::Name::new(&namespace, name))
    };
    object.resolve(&Surroundings {
        dialect: link.session.backend.dialect(),
        snapshot,
        roles: &roles,
        tenant: &link.session.tenant.id,
        lacks: &link.lacks,
        planning: mode(object, link) == Mode::Plan,
    })
}

/// Puts an object's claim down and plans under the standing that it has.
fn weigh<K: Resolve>(
    ctx: &Context,
    object: &K,
    link: &Link,
    snapshot: &Snapshot,
    begun: Instant,
    mut resolved: Resolved,
) -> Assessment {
    let dialect = link.session.backend.dialect();
    let claimant = object.claimant();
    let mut held = planner::rekey(object.held().iter().filter_map(to_engine).collect(), snapshot);
    let acts = !object.paused() && mode(object, link) == Mode::Enforce && ctx.may_write();
    let active = acts && !object.going();
    let mut claim = claim(object, planner::desired_keys(&resolved.wants, &held, dialect), &held, active);
    let tenant = &link.session.tenant;
    tenant.objects.lock().insert(claimant.clone(), object.item());
    let mut claims = tenant.claims.lock();
    let mut touched = claims.set(claimant.clone(), claim.clone());
    for want in &mut resolved.wants {
        if let (DesiredBody::Resolved(body), Some(fingerprint)) = (&want.body, want.fingerprint()) {
            let key = dialect.key(body);
            let there = snapshot.by_key(body.kind(), &key).map(|seen| &seen.id);
            want.standing = claims.standing(&claimant, body.kind(), &key, there, fingerprint);
            if want.standing == Standing::NextOwner {
                want.inherited = claims.taken(&claimant, body.kind(), &key, there);
            }
        }
    }
    let mut unsettled = None;
    for held in &mut held {
        held.other_claims = claims.other_claims(&claimant, held.kind, &held.key, held.id());
        if let HeldState::Pending { unsettled: is_unsettled, .. } = &mut held.state {
            let settled_at = tenant.creates.settled_at(held.kind, &held.key);
            *is_unsettled = begun < settled_at;
            unsettled = unsettled.max(is_unsettled.then_some(settled_at));
        }
    }
    let policy = Policy {
        dialect,
        adopt: match object.adopt() {
            api::Adopt::Never => planner::Adopt::Never,
            api::Adopt::IfIdentical => planner::Adopt::IfIdentical,
            api::Adopt::Always => planner::Adopt::Always,
        },
        // A spec that drops a subject means its removal, whatever happens to the rest when the object goes.
        removal: if object.going() { removal(object, link) } else { Removal::Delete },
    };
    let plan = planner::plan(&resolved.wants, snapshot, &held, &policy);
    if acts {
        // What this object lets go of is the others' from now on: of several that let go at once, the last one sees that it is the last.
        let kept = |(kind, key, id): &(Kind, Key, Option<Id>)| {
            let same = |held: &Held| {
                held.kind == *kind && (held.key == *key || (id.is_some() && held.id() == id.as_ref()))
            };
            plan.held().iter().any(same)
        };
        claim.managed.retain(kept);
        // What this object is going to make, no other may make; what it is going to take over counts once that is recorded.
        let intents = plan.held().iter().filter(|held| !held.is_present());
        claim.managed.extend(intents.map(|held| (held.kind, held.key.clone(), None)));
        claim.managed.sort();
        claim.managed.dedup();
        touched.extend(claims.set(claimant, claim));
    }
    drop(claims);
    Assessment { plan, resolved, touched: items(link, &touched), recorded: held, unsettled }
}

fn claim<K: Managed>(object: &K, desired: DesiredKeys, held: &[Held], active: bool) -> Claim {
    Claim {
        title: object.title(),
        namespace: object.namespace().unwrap_or_default(),
        desired,
        managed: held.iter().map(|held| (held.kind, held.key.clone(), held.id().cloned())).collect(),
        taken: held.iter().filter_map(|held| Some((held.key.clone(), held.taken.clone()?))).collect(),
        active,
        is_being_deleted: object.going(),
    }
}

/// Puts down what an object holds by its status alone: for objects whose own Backend was not looked at yet.
pub fn register<K: Managed>(object: &K, tenant: &super::tenants::Tenant) {
    let held: Vec<Held> = object.held().iter().filter_map(to_engine).collect();
    let claimant = object.claimant();
    tenant.objects.lock().insert(claimant.clone(), object.item());
    tenant.claims.lock().set(claimant, claim(object, DesiredKeys::default(), &held, false));
}

/// Forgets an object that is gone. Gives the objects whose standing may have changed.
pub fn forget<K: Managed>(object: &K, link: &Link) -> Vec<Item> {
    let claimant = object.claimant();
    let touched = link.session.tenant.claims.lock().remove(&claimant);
    link.session.tenant.objects.lock().remove(&claimant);
    items(link, &touched)
}

fn items(link: &Link, claimants: &[Claimant]) -> Vec<Item> {
    let objects = link.session.tenant.objects.lock();
    claimants.iter().filter_map(|claimant| objects.get(claimant).cloned()).collect()
}
