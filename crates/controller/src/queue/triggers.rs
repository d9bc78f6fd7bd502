//! From a change in a cache to the objects that must be reconciled.

use std::{collections::BTreeSet, sync::Arc};

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::{Resource, ResourceExt};
use rolewright_api::{
    AnyBackend, BackendRefKind, HeldState, Prune, ResourceRestriction, Role, RoleBinding, annotations,
};
use rolewright_reconcile::{
    access::request_of,
    account::REPORT_INTERVAL,
    decide::named_roles,
    object::{ManagedObject, ObjectKind, ObjectName, ObjectRef, as_binding, reconcile_request},
};
use tokio::sync::mpsc;

use crate::{
    context::Context,
    kube::Cached,
    kube::{CacheChange, Changes},
    object::deletion,
};

/// Follows the changes of Backends.
pub async fn backends(ctx: Arc<Context>, mut changes: Changes<AnyBackend>) {
    while let Some(CacheChange { name, before, after }) = changes.recv().await {
        let reason = |backend: &Option<Arc<AnyBackend>>| {
            backend.as_ref().and_then(|backend| ready_reason(&backend.status.as_ref()?.conditions))
        };
        ctx.metrics.reason_changed(
            ObjectRef::backend(&name).kind,
            reason(&before).as_deref(),
            reason(&after).as_deref(),
        );
        see_request(&ctx, &ObjectRef::backend(&name), after.as_deref());
        if acknowledgement(before.as_deref()) != acknowledgement(after.as_deref())
            && let Some(link) = ctx.backends.link(&name)
        {
            link.view.reader.hurry();
        }
        if needs_reconcile(before.as_deref(), after.as_deref()) {
            ctx.queue.add(ObjectRef::backend(&name));
        }
    }
}

fn acknowledgement(backend: Option<&AnyBackend>) -> Option<&String> {
    backend?.annotations().get(annotations::ACKNOWLEDGE)
}

/// Follows the labels of namespaces: with them, other ClusterBackends serve the objects there.
pub async fn namespaces(ctx: Arc<Context>, mut changes: mpsc::UnboundedReceiver<String>) {
    while let Some(namespace) = changes.recv().await {
        enqueue_served::<Role>(&ctx, &namespace);
        enqueue_served::<RoleBinding>(&ctx, &namespace);
        enqueue_served::<ResourceRestriction>(&ctx, &namespace);
        enqueue_served::<Prune>(&ctx, &namespace);
    }
}

fn enqueue_served<K: Cached>(ctx: &Context, namespace: &str) {
    let is_served = |object: &K| object.backend_ref().kind() == BackendRefKind::ClusterBackend;
    let objects = K::cache(&ctx.caches).select_page(namespace, None, usize::MAX, is_served);
    objects.iter().for_each(|object| ctx.queue.add_in_background(object.reference()));
}

/// Follows the changes of one managed kind.
pub async fn managed<K: Cached>(ctx: Arc<Context>, mut changes: Changes<K>) {
    while let Some(CacheChange { name, before, after }) = changes.recv().await {
        let reason = |object: &Option<Arc<K>>| {
            object.as_ref().and_then(|object| ready_reason(&object.status()?.conditions))
        };
        ctx.metrics.reason_changed(K::KIND, reason(&before).as_deref(), reason(&after).as_deref());
        let reference = ObjectRef { kind: K::KIND, name };
        see_request(&ctx, &reference, after.as_deref());
        if needs_reconcile(before.as_deref(), after.as_deref()) {
            if let Some(object) = after.as_deref().filter(|object| !is_observed(*object)) {
                ctx.arrivals.arrive(reference.clone(), object.backend(), !object.is_being_deleted());
            }
            ctx.queue.add(reference.clone());
        }
        let is_this = |now: &Arc<K>| before.as_ref().is_some_and(|before| before.uid() == now.uid());
        if let Some(deleted) = before.as_ref().filter(|_| !after.as_ref().is_some_and(is_this)) {
            ctx.forget(&reference);
            deletion::after_deletion(&ctx, &**deleted);
        }
        enqueue_dependents(&ctx, &reference, before.as_deref(), after.as_deref());
        count_again(&ctx, before.as_deref(), after.as_deref());
    }
}

/// A Backend counts its objects again soon after they changed. Many changes are counted together.
fn count_again<K: ManagedObject>(ctx: &Context, before: Option<&K>, after: Option<&K>) {
    let counted = |object: &K| {
        (
            object.backend(),
            object.is_in_sync(),
            object.held().iter().map(|held| held.kind.clone()).collect::<Vec<_>>(),
            waiting_plan(object),
        )
    };
    let (before, after) = (before.map(counted), after.map(counted));
    if before == after {
        return;
    }
    for (backend, ..) in [before, after].into_iter().flatten() {
        if ctx.caches.backends.get(&backend).is_some() {
            ctx.queue.add_after(ObjectRef::backend(&backend), REPORT_INTERVAL);
        }
    }
}

/// The hash of a plan that waits for an approval.
fn waiting_plan<K: ManagedObject>(object: &K) -> Option<String> {
    let plan = object.status().and_then(|status| status.plan.as_deref());
    plan.filter(|plan| plan.waiting.is_some()).map(|plan| plan.hash.clone())
}

fn see_request(ctx: &Context, reference: &ObjectRef, object: Option<&impl Resource>) {
    if let Some(request) = object.and_then(reconcile_request) {
        ctx.requests.see(reference, &request);
    }
}

/// The bindings of a Role depend on its id, its plan and its deletion. A Role that is being deleted waits for its bindings.
fn enqueue_dependents<K: ManagedObject>(
    ctx: &Context,
    reference: &ObjectRef,
    before: Option<&K>,
    after: Option<&K>,
) {
    match reference.kind {
        ObjectKind::Role => {
            let relevant = |role: Option<&K>| {
                role.map(|role| {
                    let has_plan = role.status().is_some_and(|status| status.plan.is_some());
                    // A role whose creation only began is as good as none.
                    let created = role.held().iter().filter(|entry| entry.state != HeldState::Pending);
                    let ids: Vec<_> = created.map(|entry| (entry.id.clone(), entry.state)).collect();
                    // A Role without a role can start to wait for one that another object manages.
                    let waits = role.status().filter(|_| ids.is_empty());
                    let reason = waits.and_then(|status| ready_reason(&status.conditions));
                    (ids, has_plan, role.is_being_deleted(), role.backend(), reason)
                })
            };
            if relevant(before) != relevant(after) {
                for binding in ctx.caches.bindings_of(&reference.name) {
                    ctx.queue.add(binding.reference());
                }
            }
        }
        ObjectKind::RoleBinding => {
            let (before, after) = (before.and_then(as_binding), after.and_then(as_binding));
            let requests: BTreeSet<ObjectName> =
                [before, after].into_iter().flatten().filter_map(request_of).collect();
            for name in requests {
                ctx.queue.add(ObjectRef { kind: ObjectKind::AccessRequest, name });
            }
            let relevant = |binding: Option<&RoleBinding>| {
                binding
                    .map(|binding| (binding.held().to_vec(), binding.is_being_deleted(), roles_of(binding)))
            };
            if relevant(before) == relevant(after) {
                return;
            }
            let roles: BTreeSet<String> = [before, after].into_iter().flatten().flat_map(roles_of).collect();
            for role in roles {
                let role = ObjectName::new(&reference.name.namespace, &role);
                if ctx.caches.roles.get(&role).is_some_and(|role: Arc<Role>| role.is_being_deleted()) {
                    ctx.queue.add(ObjectRef { kind: ObjectKind::Role, name: role });
                }
            }
        }
        ObjectKind::Backend
        | ObjectKind::ClusterBackend
        | ObjectKind::ResourceRestriction
        | ObjectKind::AccessRequest
        | ObjectKind::Prune => {}
    }
}

fn roles_of(binding: &RoleBinding) -> BTreeSet<String> {
    named_roles(binding).into_iter().map(str::to_owned).collect()
}

/// Whether the status is about the present spec: after a restart, most are.
fn is_observed<K: ManagedObject>(object: &K) -> bool {
    object.status().is_some_and(|status| status.observed_generation == object.meta().generation)
}

/// Whether a change is more than the answer to an own write.
fn needs_reconcile<K: Resource>(before: Option<&K>, after: Option<&K>) -> bool {
    let (Some(before), Some(after)) = (before, after) else { return true };
    let relevant = |object: &K| {
        let annotation = |name: &str| object.annotations().get(name).cloned();
        (
            object.uid(),
            object.meta().generation,
            object.meta().deletion_timestamp.clone(),
            annotation(annotations::PAUSE),
            annotation(annotations::RECONCILE_AT),
        )
    };
    let lost_finalizer = after.finalizers().len() < before.finalizers().len();
    relevant(before) != relevant(after) || lost_finalizer
}

fn ready_reason(conditions: &[Condition]) -> Option<String> {
    conditions.iter().find(|condition| condition.type_ == "Ready").map(|condition| condition.reason.clone())
}
