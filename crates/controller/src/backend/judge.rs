//! Judges a snapshot before any object can use it: when many managed things vanish at once, it is suspect.

use std::sync::Arc;

use kube::ResourceExt;
use rolewright_api::annotations;
use rolewright_core::model::Snapshot;
use rolewright_reconcile::{
    account::Link,
    decide::{Resolve, Vanished},
    object::ObjectName,
};

use crate::{
    context::Context,
    kube::{Cached, Visitor},
};

/// Why a snapshot is not trusted, if so. `acknowledged`: what a user acknowledged before; it counts until it is created again, which can
/// take many sweeps.
pub fn judge(
    ctx: &Context,
    links: &[(ObjectName, Link)],
    snapshot: &Snapshot,
    acknowledged: &mut Vanished,
) -> Option<String> {
    struct Count<'a>(&'a Snapshot, Vanished);
    impl Visitor for Count<'_> {
        fn visit<K: Resolve + Cached>(&mut self, object: Arc<K>) {
            self.1.count(&*object, self.0);
        }
    }
    let mut count = Count(snapshot, Vanished::default());
    links.iter().for_each(|(backend, _)| ctx.caches.each_of(backend, &mut count));
    let found = count.1;
    if !found.is_suspicious() {
        *acknowledged = Vanished::default();
        return None;
    }
    let token = found.token();
    if links.iter().any(|(backend, _)| is_acknowledged(ctx, backend, &token)) {
        *acknowledged = found;
        return None;
    }
    if found.is_within(acknowledged) {
        return None;
    }
    let object = match links.first() {
        Some((name, _)) if name.is_of_cluster() => format!("clusterbackend {}", name.name),
        Some((name, _)) => format!("-n {} backend {}", name.namespace, name.name),
        None => "-n NAMESPACE backend NAME".to_owned(),
    };
    Some(format!(
        "{} of {} managed things vanished from the back end at once, so nothing is written to it until they are visible again. If they really \
         were deleted, acknowledge it, and they are created again: kubectl annotate --overwrite {object} {}={token}",
        found.absent(),
        found.managed(),
        annotations::ACKNOWLEDGE
    ))
}

fn is_acknowledged(ctx: &Context, backend: &ObjectName, token: &str) -> bool {
    let backend = ctx.caches.backends.get(backend);
    backend.is_some_and(|backend| {
        backend.annotations().get(annotations::ACKNOWLEDGE).is_some_and(|given| given == token)
    })
}
