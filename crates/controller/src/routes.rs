//! What follows from a change in a cache: which objects have to be looked at.

use std::sync::Arc;

use kube::{Resource, ResourceExt};

use super::{
    cache::{Changes, Name, Seen},
    context::{Context, Stored},
    deletion,
    managed::Managed,
    queue::{Item, Kind},
};
use rolewright_api::{Backend, Role, RoleBinding, annotations};

/// Follows the changes of Backends.
pub async fn backends(ctx: Arc<Context>, mut changes: Changes<Backend>) {
    while let Some(Seen { name, before, after }) = changes.recv().await {
        let reason = |backend: &Option<Arc<Backend>>| {
            backend.as_ref().and_then(|backend| ready_reason(&backend.status.as_ref()?.conditions))
        };
        ctx.metrics.moved(Kind::Backend, reason(&before).as_deref(), reason(&after).as_deref());
        if asks_for_a_look(before.as_deref(), after.as_deref()) {
            ctx.waker.wake(Item { kind: Kind::Backend, name });
        }
    }
}

/// Follows the changes of one managed kind.
pub async fn managed<K: Stored>(ctx: Arc<Context>, mut changes: Changes<K>) {
    while let Some(Seen { name, before, after }) = changes.recv().await {
        let reason = |object: &Option<Arc<K>>| {
            object.as_ref().and_then(|object| ready_reason(&object.status()?.conditions))
        };
        ctx.metrics.moved(K::KIND, reason(&before).as_deref(), reason(&after).as_deref());
        let item = Item { kind: K::KIND, name };
        if asks_for_a_look(before.as_deref(), after.as_deref()) {
            ctx.waker.wake(item.clone());
        }
        if after.is_none()
            && let Some(gone) = &before
        {
            ctx.corrections.forget(&item);
            ctx.failures.clear(&item);
            deletion::wake_others(&ctx, &**gone);
        }
        wake_dependents(&ctx, &item, before.as_deref(), after.as_deref());
    }
}

/// A Role's bindings wait for its id, its plan, its end; a Role that goes waits for its bindings to let go.
fn wake_dependents<K: Managed>(ctx: &Context, item: &Item, before: Option<&K>, after: Option<&K>) {
    match item.kind {
        Kind::Role => {
            let told = |role: Option<&K>| {
                role.map(|role| {
                    let planned = role.status().is_some_and(|status| status.plan.is_some());
                    let ids: Vec<_> =
                        role.held().iter().map(|entry| (entry.id.clone(), entry.state)).collect();
                    (ids, planned, role.going(), role.backend().to_owned())
                })
            };
            if told(before) != told(after) {
                for binding in deletion::bindings_of(ctx, &item.name) {
                    ctx.waker.wake(binding.item());
                }
            }
        }
        Kind::RoleBinding => {
            let held =
                |binding: Option<&K>| binding.map(|binding| (binding.held().to_vec(), binding.going()));
            if held(before) == held(after) {
                return;
            }
            let binding = before
                .or(after)
                .and_then(|binding| (binding as &dyn std::any::Any).downcast_ref::<RoleBinding>());
            let Some(role) = binding.and_then(|binding| binding.spec.role_ref.name.as_deref()) else {
                return;
            };
            let role = Name::new(&item.name.namespace, role);
            if ctx.caches.roles.get(&role).is_some_and(|role: Arc<Role>| role.going()) {
                ctx.waker.wake(Item { kind: Kind::Role, name: role });
            }
        }
        Kind::Backend | Kind::ResourceRestriction => {}
    }
}

/// Whether a change is more than an answer to a write of our own.
fn asks_for_a_look<K: Resource<DynamicType = ()>>(before: Option<&K>, after: Option<&K>) -> bool {
    let Some(before) = before else { return true };
    let Some(after) = after else { return true };
    let said = |object: &K| {
        let annotation = |name: &str| object.annotations().get(name).cloned();
        (
            object.uid(),
            object.meta().generation,
            object.meta().deletion_timestamp.clone(),
            annotation(annotations::PAUSE),
            annotation(annotations::RECONCILE_AT),
            object.finalizers().len(),
        )
    };
    let finalizer_came = said(before).5 < said(after).5;
    let (old, new) = (said(before), said(after));
    (old.0, old.1, old.2, old.3, old.4) != (new.0, new.1, new.2, new.3, new.4)
        || (old.5 != new.5 && !finalizer_came)
}

fn ready_reason(conditions: &[k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition]) -> Option<String> {
    conditions.iter().find(|condition| condition.type_ == "Ready").map(|condition| condition.reason.clone())
}
